//! A progress bar for long work at a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use super::Io;

/// A bar on standard error, which is cleared when it is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar of `steps` steps, hidden unless the output is a terminal.
    pub(crate) fn start(io: &Io<'_>, steps: usize, message: &'static str) -> Self {
        if !io.terminals.stdout {
            return Self(ProgressBar::hidden());
        }
        // indicatif hides it by itself when standard error is not a terminal.
        let bar = ProgressBar::new(u64::try_from(steps).unwrap_or_default());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(message);
        Self(bar)
    }

    /// Advances by `steps` steps.
    pub(crate) fn advance(&self, steps: usize) {
        self.0.inc(u64::try_from(steps).unwrap_or_default());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
