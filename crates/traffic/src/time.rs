//! The time of a trace. No clock is read here: it is what captures and records say.

pub use umbilical_core::Micros;
