//! Readers, over fixtures and properties.

mod archive;
mod cyclonedx;
mod eda;
mod fixtures;
mod hostile;
mod label;
mod radio;
mod router;
mod snmp;
mod table;
mod text;
