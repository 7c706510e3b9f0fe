//! A clock for one process, which can be set while the process runs.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::scratch::Scratch;

/// The time of day that a process reads. Monotonic clocks are not changed.
#[derive(Clone)]
pub struct Clock {
    library: PathBuf,
    ahead: PathBuf,
}

impl Clock {
    /// A clock that is right.
    pub fn create(scratch: &Scratch) -> Self {
        let source = scratch.write("clock.c", include_str!("clock.c"));
        let library = scratch.unused_file("clock", "so");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .output()
            .expect("cc is on the PATH");
        assert!(compiled.status.success(), "clock.c: {compiled:?}");
        let clock = Self {
            library,
            ahead: scratch.unused_file("clock", "ahead"),
        };
        clock.set(0);
        clock
    }

    /// Sets it this many seconds ahead of the machine's clock, or behind. That takes effect at
    /// once.
    pub fn set(&self, ahead: i64) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let next = self.ahead.with_extension(number.to_string());
        std::fs::write(&next, ahead.to_string()).expect("the scratch directory is writable");
        std::fs::rename(&next, &self.ahead).expect("the scratch directory is writable");
    }

    /// The environment variables that make a process use it.
    pub(crate) fn variables(&self) -> [(&'static str, &std::path::Path); 2] {
        [("LD_PRELOAD", &self.library), ("CLOCK_AHEAD", &self.ahead)]
    }
}
