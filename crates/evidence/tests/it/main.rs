//! Readers, over fixtures and properties.

mod archive;
mod fixtures;
mod hostile;
mod table;
