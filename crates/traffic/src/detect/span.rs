//! When something was, and where it stands.

use crate::flow::Flow;
use crate::time::Micros;

/// Conversations that belong together: the first and the last of them, how many are over, and the numbers of their frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub first: Micros,
    pub last: Micros,
    pub flows: u64,
    pub frames: (u64, u64),
}

impl Span {
    /// Of a conversation that is not counted yet.
    pub fn new(flow: &Flow) -> Self {
        Self { first: flow.start, last: flow.last, flows: 0, frames: (flow.first_frame, flow.last_frame) }
    }

    /// A conversation of them goes on.
    pub fn goes_on(&mut self, flow: &Flow) {
        (self.first, self.last) = (self.first.min(flow.start), self.last.max(flow.last));
        self.frames = (self.frames.0.min(flow.first_frame), self.frames.1.max(flow.last_frame));
    }

    /// A conversation of them is over.
    pub fn ends(&mut self, flow: &Flow) {
        self.goes_on(flow);
        self.flows = self.flows.saturating_add(1);
    }
}
