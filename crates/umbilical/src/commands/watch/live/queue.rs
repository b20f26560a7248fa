//! What was captured, from when to when, and waits: frames in batches, of several interfaces in the order of their times.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::Sender;

use umbilical_traffic::time::Micros;

/// From when to when is listened.
#[derive(Clone)]
pub(in super::super) struct Span {
    pub begin: Micros,
    end: Arc<AtomicI64>,
}

impl Span {
    pub fn from(begin: Micros) -> Self {
        Self { begin, end: Arc::new(AtomicI64::new(i64::MAX)) }
    }

    pub fn ends(&self, at: Micros) {
        self.end.store(at.0, Ordering::Relaxed);
    }

    /// When it ended, once it did.
    pub fn end(&self) -> Option<Micros> {
        Some(Micros(self.end.load(Ordering::Relaxed))).filter(|end| end.0 != i64::MAX)
    }
}

/// How an interface ended.
pub(in super::super) struct End {
    /// Frames that nobody took; `None`: the system does not say.
    pub dropped: Option<u64>,
    pub wrong: Option<String>,
}

/// A batch with so many bytes or frames is handed over.
const BYTES: usize = 1 << 18;
const FRAMES: usize = 1 << 12;

/// Where batches go once they are read.
pub(in super::super) type Free = Sender<Batch>;

struct Head {
    at: Micros,
    /// Bytes that it had, and those that were kept of it.
    length: u32,
    kept: usize,
}

/// A frame whose turn it is.
pub(in super::super) struct Due<'b> {
    /// The place of its interface.
    pub place: usize,
    pub at: Micros,
    /// Bytes that it had.
    pub length: u32,
    /// Those that were kept of it.
    pub bytes: &'b [u8],
}

/// Frames one behind the other.
#[derive(Default)]
pub(in super::super) struct Batch {
    heads: VecDeque<Head>,
    bytes: Vec<u8>,
    /// Bytes of those that were given.
    given: usize,
    upto: Micros,
}

impl Batch {
    /// Takes everything out of it.
    pub fn clear(&mut self) {
        self.heads.clear();
        self.bytes.clear();
        self.given = 0;
    }

    pub fn put(&mut self, at: Micros, length: u32, bytes: &[u8]) {
        self.heads.push_back(Head { at, length, kept: bytes.len() });
        self.bytes.extend_from_slice(bytes);
        self.upto = at;
    }

    /// Nothing earlier than this comes any more.
    pub fn heard(&mut self, upto: Micros) {
        self.upto = upto;
    }

    pub fn is_full(&self) -> bool {
        self.bytes.len() >= BYTES || self.heads.len() >= FRAMES
    }
}

/// Before everything: nothing was heard yet.
const NEVER: Micros = Micros(i64::MIN);

struct Queue {
    waiting: VecDeque<Batch>,
    /// Nothing earlier comes any more.
    upto: Micros,
    over: bool,
    free: Free,
}

impl Queue {
    fn next(&self) -> Option<Micros> {
        self.waiting.front()?.heads.front().map(|head| head.at)
    }
}

/// Batches of each interface.
#[derive(Default)]
pub(in super::super) struct Queues(Vec<Queue>);

impl Queues {
    /// An interface that begins; its place.
    pub fn add(&mut self, free: Free) -> usize {
        self.0.push(Queue { waiting: VecDeque::new(), upto: NEVER, over: false, free });
        self.0.len().saturating_sub(1)
    }

    /// A batch of an interface.
    pub fn put(&mut self, place: usize, batch: Batch) {
        let Some(queue) = self.0.get_mut(place) else { return };
        queue.upto = batch.upto;
        if batch.heads.is_empty() {
            // Whoever captured may be gone.
            let _ = queue.free.send(batch);
        } else {
            queue.waiting.push_back(batch);
        }
    }

    /// Nothing more comes of an interface.
    pub fn over(&mut self, place: usize) {
        if let Some(queue) = self.0.get_mut(place) {
            queue.over = true;
        }
    }

    /// Whether something of an interface is still to come.
    pub fn is_any(&self) -> bool {
        self.0.iter().any(|queue| !queue.over)
    }

    /// Gives each frame of which no other interface has an earlier one still to come.
    pub fn due(&mut self, each: &mut dyn FnMut(Due<'_>)) {
        loop {
            let next = self.0.iter().enumerate().filter_map(|(place, queue)| Some((queue.next()?, place))).min();
            let Some((at, place)) = next else { return };
            if self.0.iter().any(|queue| queue.next().is_none() && !queue.over && queue.upto < at) {
                return;
            }
            let Some(queue) = self.0.get_mut(place) else { return };
            let Some(batch) = queue.waiting.front_mut() else { return };
            if let Some(head) = batch.heads.pop_front() {
                let end = batch.given.saturating_add(head.kept);
                let bytes = batch.bytes.get(batch.given..end).unwrap_or_default();
                each(Due { place, at, length: head.length, bytes });
                batch.given = end;
            }
            if batch.heads.is_empty()
                && let Some(batch) = queue.waiting.pop_front()
            {
                let _ = queue.free.send(batch);
            }
        }
    }

    /// The time up to which nothing waits and nothing comes any more; `None` where something waits, or one has said nothing yet.
    pub fn quiet(&self) -> Option<Micros> {
        if self.0.iter().any(|queue| !queue.waiting.is_empty()) {
            return None;
        }
        self.0.iter().filter(|queue| !queue.over).map(|queue| queue.upto).min().filter(|upto| *upto != NEVER)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn batch(frames: &[i64], upto: i64) -> Batch {
        let mut batch = Batch::default();
        frames.iter().for_each(|at| batch.put(Micros(*at), 9, &at.to_be_bytes()));
        batch.heard(Micros(upto));
        batch
    }

    fn due(queues: &mut Queues) -> Vec<(usize, i64)> {
        let mut out = Vec::new();
        queues.due(&mut |due| {
            assert_eq!((due.length, due.bytes), (9, &due.at.0.to_be_bytes()[..]));
            out.push((due.place, due.at.0));
        });
        out
    }

    #[test]
    fn frames_of_several_interfaces_are_given_in_the_order_of_their_times() {
        let (free, back) = channel();
        let mut queues = Queues::default();
        let (a, b) = (queues.add(free.clone()), queues.add(free));
        queues.put(a, batch(&[], 0));
        assert_eq!(queues.quiet(), None);
        queues.put(a, batch(&[1, 4, 9], 9));
        // Of the other something earlier may come.
        assert_eq!((due(&mut queues), queues.quiet()), (vec![], None));
        queues.put(b, batch(&[2, 5], 7));
        assert_eq!(due(&mut queues), [(a, 1), (b, 2), (a, 4), (b, 5)]);
        queues.put(b, batch(&[], 8));
        assert_eq!(due(&mut queues), []);
        queues.put(b, batch(&[], 9));
        assert_eq!((due(&mut queues), queues.quiet()), (vec![(a, 9)], Some(Micros(9))));
        // Every batch came back, to be filled anew.
        assert_eq!(back.try_iter().count(), 5);
        // Whoever is gone is not waited for.
        queues.put(a, batch(&[11], 11));
        queues.over(b);
        assert_eq!((due(&mut queues), queues.is_any()), (vec![(a, 11)], true));
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nobody_up() {
        let (free, _back) = channel();
        let mut queues = Queues::default();
        let (a, b) = (queues.add(free.clone()), queues.add(free));
        queues.put(a, batch(&[100], 100));
        queues.put(b, batch(&[], 100));
        assert_eq!(due(&mut queues), [(a, 100)]);
        queues.put(b, batch(&[], 40));
        queues.put(a, batch(&[39], 39));
        assert_eq!((due(&mut queues), queues.quiet()), (vec![(a, 39)], Some(Micros(39))));
    }
}
