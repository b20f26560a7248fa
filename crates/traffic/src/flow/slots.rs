//! Places of conversations. They are given out in pieces, so that a million of them never move: a list that grows copies what it has,
//! and for a while has it twice.

use super::Flow;

/// Places in a piece, as a power of two.
const PIECE: u32 = 12;

/// Where a conversation is kept.
#[derive(Debug)]
pub(super) struct Slot {
    /// Apart from others with the same addresses in another network.
    pub realm: u32,
    /// How often this place was used.
    pub use_of: u32,
    pub flow: Option<Flow>,
}

#[derive(Debug, Default)]
pub(super) struct Slots(Vec<Vec<Slot>>);

impl Slots {
    /// How many there are.
    pub fn len(&self) -> u32 {
        let before = u32::try_from(self.0.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let last = self.0.last().map_or(0, Vec::len);
        (before << PIECE).saturating_add(u32::try_from(last).unwrap_or(u32::MAX))
    }

    pub fn get(&self, slot: u32) -> Option<&Slot> {
        self.0.get((slot >> PIECE) as usize)?.get((slot & ((1 << PIECE) - 1)) as usize)
    }

    pub fn get_mut(&mut self, slot: u32) -> Option<&mut Slot> {
        self.0.get_mut((slot >> PIECE) as usize)?.get_mut((slot & ((1 << PIECE) - 1)) as usize)
    }

    pub fn flow(&self, slot: u32) -> Option<&Flow> {
        self.get(slot)?.flow.as_ref()
    }

    pub fn flow_mut(&mut self, slot: u32) -> Option<&mut Flow> {
        self.get_mut(slot)?.flow.as_mut()
    }

    /// Every conversation.
    pub fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.0.iter().flatten().filter_map(|slot| slot.flow.as_ref())
    }

    /// One more: its number.
    pub fn push(&mut self, slot: Slot) -> u32 {
        let number = self.len();
        match self.0.last_mut() {
            Some(piece) if piece.len() < 1 << PIECE => piece.push(slot),
            _ => {
                let mut piece = Vec::with_capacity(1 << PIECE);
                piece.push(slot);
                self.0.push(piece);
            }
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_keeps_its_number() {
        let mut slots = Slots::default();
        for n in 0..10_000 {
            assert_eq!(slots.len(), n);
            assert_eq!(slots.push(Slot { realm: n, use_of: 0, flow: None }), n);
        }
        assert!((0..10_000).all(|n| slots.get(n).unwrap().realm == n && slots.get_mut(n).unwrap().realm == n));
        assert!(slots.get(10_000).is_none() && slots.flow(7).is_none());
    }
}
