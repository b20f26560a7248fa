//! A bar on standard error when work takes longer than half a second and somebody is looking.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::Global;

/// Counts bytes; shows itself late or never.
pub struct Progress {
    bar: ProgressBar,
    begun: Instant,
    shown: AtomicU64,
    visible: bool,
}

impl Progress {
    /// A bar for `total` bytes (0 = not known), which are counted only when somebody is looking.
    pub fn new(global: &Global, total: impl FnOnce() -> u64) -> Self {
        let visible = !global.quiet && io::stderr().is_terminal();
        let total = if visible { total() } else { 0 };
        let bar = ProgressBar::with_draw_target((total > 0).then_some(total), ProgressDrawTarget::hidden());
        let template = if total > 0 { "{spinner} reading {bytes} of {total_bytes} [{bar:30}] {eta}" } else { "{spinner} reading {bytes}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, begun: Instant::now(), shown: AtomicU64::new(0), visible }
    }

    /// One that nobody sees.
    #[cfg(test)]
    pub fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), begun: Instant::now(), shown: AtomicU64::new(0), visible: false }
    }

    /// So many bytes have been read in all.
    pub fn at(&self, bytes: u64) {
        if !self.visible {
            return;
        }
        if self.shown.load(Ordering::Relaxed) == 0
            && self.begun.elapsed() > Duration::from_millis(500)
            && self.shown.swap(1, Ordering::Relaxed) == 0
        {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(bytes);
    }

    /// Takes the bar away.
    pub fn done(&self) {
        self.bar.finish_and_clear();
    }
}
