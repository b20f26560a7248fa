//! Readers, over fixtures and properties.

mod archive;
mod bom_tables;
mod cyclonedx;
mod eda;
mod fixtures;
mod hostile;
mod label;
mod parquet;
mod radio;
mod router;
mod snmp;
mod statements;
mod table;
mod text;
