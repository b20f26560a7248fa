//! The room through its front door.

mod attribution;
mod cleartext;
mod detect;
mod dns;
mod flows;
mod hostile;
mod listed;
mod mining;
mod names;
mod noise;
mod reports;
mod scenes;
mod sessions_found;
mod stream;
mod tshark;
mod vendor;
mod views;
