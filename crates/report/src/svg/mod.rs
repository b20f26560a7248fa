//! Charts as SVG inside a page: no script, colours from the page's style sheet (classes), a title and a description for
//! those who do not see them. Each chart on a page has a table beside it with the same numbers.

mod bars;
mod dates;
mod graph;
mod line;
mod share;
mod timeline;

pub use bars::{Bar, bars};
pub use dates::{Dated, dates};
pub use graph::{Graph, graph};
pub use line::{Point, line};
pub use share::share;
pub use timeline::{Mark, timeline};

use std::fmt::Write;

use crate::markup::Esc;

/// The opening of a picture with its text alternative. `id` is unique on the page; `size` are the attributes of size.
fn open(id: &str, size: &str, title: &str, description: &str) -> String {
    let mut out = String::with_capacity(1024);
    // Writing to a string does not fail.
    let _ = write!(
        out,
        "<svg class=\"chart\" {size} role=\"img\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
        Esc(title),
        Esc(description)
    );
    out
}
