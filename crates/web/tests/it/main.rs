//! The server as browsers and programs meet it: a real one on a port of its own, with SQLite in a folder of its own.

mod support;

mod account;
mod api;
mod backups;
mod deliver;
mod document;
mod export;
mod first;
mod full;
mod host;
mod hostile;
mod imports;
mod incidents;
mod load;
mod look;
mod matrix;
mod openid;
mod pages;
mod people;
mod refused;
mod reports;
mod risk;
mod sign_in;
mod tls;
mod waivers;
