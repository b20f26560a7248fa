//! Traffic: packets and flow records to sessions, flows and findings.
//!
//! Captures become frames ([`capture`]), frames IP ([`link`], [`packet`]); what others have seen become records ([`record`]).
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod bytes;
pub mod capture;
pub mod cellular;
pub mod detect;
pub mod flow;
pub mod learn;
pub mod link;
pub mod lists;
pub mod names;
pub mod packet;
pub mod pieces;
pub mod places;
pub mod record;
pub mod source;
pub mod substation;
pub mod time;
pub mod watch;
