//! What goes to suppliers and what is said of their replies: the workbook, the pages for a terminal, CSV. JSON is
//! [`json::one`](crate::json::one).

mod csv;
mod page;
mod workbook;

pub use csv::{COLUMNS, answers as csv};
pub use page::{answers, questionnaire};
pub use workbook::workbook;
