/* Sets the clock of one program: loaded before libc, it adds to the time of day as many seconds as
   the file says that the variable CLOCK_AHEAD names. Clocks that only measure are left alone. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long seconds_ahead(void) {
  const char *path = getenv("CLOCK_AHEAD");
  FILE *file = path == NULL ? NULL : fopen(path, "re");
  long seconds = 0;
  if (file != NULL) {
    if (fscanf(file, "%ld", &seconds) != 1) seconds = 0;
    fclose(file);
  }
  return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    time->tv_sec += seconds_ahead();
  return result;
}
