//! The room through its front door.

mod attribution;
mod detect;
mod flows;
mod hostile;
mod listed;
mod reports;
mod scenes;
mod tshark;
mod views;
