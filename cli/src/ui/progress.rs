//! How far long work has come, for a person who waits at a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use super::Io;

/// A bar on standard error, which goes away when it is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar of so many steps; nothing where nobody looks.
    pub(crate) fn start(io: &Io<'_>, steps: usize, doing: &'static str) -> Self {
        if !io.terminals.stdout {
            return Self(ProgressBar::hidden());
        }
        // By itself it stays hidden when standard error is no terminal.
        let bar = ProgressBar::new(u64::try_from(steps).unwrap_or_default());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(doing);
        Self(bar)
    }

    /// Tells that so many further steps are done.
    pub(crate) fn advance(&self, steps: usize) {
        self.0.inc(u64::try_from(steps).unwrap_or_default());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
