//! The room through its front door.

mod attribution;
mod brute;
mod cleartext;
mod detect;
mod dns;
mod echo;
mod ends;
mod flood;
mod flows;
mod hostile;
mod listed;
mod messages;
mod mining;
mod names;
mod noise;
mod reports;
mod scenes;
mod seen;
mod sessions_found;
mod spoofed;
mod stream;
mod tshark;
mod vendor;
mod views;
