//! Local learning: an IMEI and a model seen together teach that the type allocation code belongs to the model.
//! One TAC covers one model (GSMA TS.06), so a fleet in which one router answers for itself names its siblings that
//! are only a row in a SIM export.

use rustc_hash::FxHashMap;
use umbilical_core::Group;
use umbilical_core::answer::Learned;

/// What this evidence taught about a TAC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// Maker.
    pub maker: String,
    /// Model.
    pub model: String,
    /// How many different IMEIs taught it.
    pub count: u32,
    /// Inputs that did.
    pub inputs: Vec<u32>,
    /// By which witness they knew the model; their own word where any of them had no other.
    pub group: Group,
}

impl Lesson {
    /// 1.8 nats for one teacher, 0.7 more for each doubling, at most 4: one device may be wrong about itself, twenty
    /// are not by accident.
    pub fn weight(&self) -> i32 {
        let doublings = i32::try_from(self.count.max(1).ilog2()).unwrap_or(0);
        1800i32.saturating_add(doublings.saturating_mul(700)).min(4000)
    }
}

/// All lessons, by TAC.
#[derive(Clone, Debug, Default)]
pub struct Lessons(FxHashMap<u32, Vec<Lesson>>);

impl Lessons {
    /// Adds `count` teachers.
    pub fn teach(&mut self, tac: u32, maker: &str, model: &str, group: Group, count: u32, inputs: impl IntoIterator<Item = u32>) {
        let list = self.0.entry(tac).or_default();
        let lesson = match list.iter_mut().position(|l| l.maker == maker && l.model == model) {
            Some(at) => list.get_mut(at),
            None => {
                list.push(Lesson { maker: maker.into(), model: model.into(), count: 0, inputs: Vec::new(), group });
                list.last_mut()
            }
        };
        if let Some(lesson) = lesson {
            lesson.count = lesson.count.saturating_add(count);
            // Own word is the first of the groups.
            lesson.group = lesson.group.min(group);
            lesson.inputs.extend(inputs);
            lesson.inputs.sort_unstable();
            lesson.inputs.dedup();
        }
        list.sort_by(|a, b| (b.count, &a.maker, &a.model).cmp(&(a.count, &b.maker, &b.model)));
    }

    /// The lessons about some TACs without what one device itself taught, so that nobody is its own witness.
    pub fn from_others<'t>(&self, tacs: &[u32], own: impl Iterator<Item = (u32, &'t str, &'t str)>) -> Self {
        let mut out: FxHashMap<u32, Vec<Lesson>> = tacs.iter().map(|tac| (*tac, self.of(*tac).to_vec())).collect();
        for (tac, maker, model) in own {
            for lesson in out.get_mut(&tac).into_iter().flatten().filter(|l| l.maker == maker && l.model == model) {
                lesson.count = lesson.count.saturating_sub(1);
            }
        }
        for list in out.values_mut() {
            list.retain(|l| l.count > 0);
        }
        Self(out)
    }

    /// What was taught of a TAC, most taught first.
    pub fn of(&self, tac: u32) -> &[Lesson] {
        self.0.get(&tac).map_or(&[], Vec::as_slice)
    }

    /// Whether nothing was.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a table, sorted by TAC.
    pub fn table(&self) -> Vec<Learned> {
        let mut out: Vec<Learned> = self
            .0
            .iter()
            .flat_map(|(tac, list)| {
                list.iter().map(move |l| Learned {
                    tac: format!("{tac:08}"),
                    maker: l.maker.clone(),
                    model: l.model.clone(),
                    count: l.count,
                    inputs: l.inputs.clone(),
                })
            })
            .collect();
        out.sort_by(|a, b| (&a.tac, b.count, &a.maker, &a.model).cmp(&(&b.tac, a.count, &b.maker, &b.model)));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_teachers_weigh_more_and_nobody_is_its_own_witness() {
        let mut lessons = Lessons::default();
        lessons.teach(86_000_001, "Acme", "A1", Group::OwnWord, 1, [0]);
        assert_eq!(lessons.of(86_000_001)[0].weight(), 1800);
        let others = lessons.from_others(&[86_000_001], [(86_000_001, "Acme", "A1")].into_iter());
        assert!(others.of(86_000_001).is_empty());
        lessons.teach(86_000_001, "Acme", "A1", Group::Document, 15, [1]);
        assert_eq!(lessons.of(86_000_001)[0].weight(), 4000);
        assert_eq!(lessons.table()[0].inputs, [0, 1]);
        assert_eq!(lessons.of(86_000_001)[0].group, Group::OwnWord);
    }
}
