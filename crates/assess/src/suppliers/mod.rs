//! Suppliers: what to ask them ([`questionnaire`]), and what their replies are worth ([`read()`], [`answers`]).
//!
//! A reply comes back as whatever the supplier's office made of it: saved again by another program, columns moved, headings
//! translated, rows added. It is known by the id in it, by the ids of its questions, or by their words; columns are found
//! by a row of keys below the headings, by headings in several languages, or by what stands in them.
//!
//! Answers are compared with the tables, never with an opinion: each contradiction names the row and its source. The label
//! has the same terms for every supplier, and all of them are listed.
//!
//! *When it is wrong:* a table that lacks a factory or an owner makes an honest answer look doubtful, which is why such a
//! contradiction is a `doubt`; a name typed in a way that no table spells is not compared, and `open_points` says so.

mod ask;
mod columns;
mod compare;
mod days;
mod findings;
mod judge;
mod measure;
mod places;
mod read;
mod said;
mod tiers;

pub use ask::{Wanted, questionnaire};
pub use judge::answers;
pub use read::{Line, Reply, read};
