//! The room through its front door.

mod attribution;
mod flows;
mod hostile;
