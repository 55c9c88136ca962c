//! What surrounds every page: top, notice and bottom.
//!
//! These are templates of their own, written into a page as values: included in `base.html` they would be compiled once for
//! each page, about 12 kB of machine code forty times.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Notice, Page};

/// Symbols, the link past the navigation, and the navigation.
#[derive(Template)]
#[template(path = "partials/top.html")]
pub struct Top<'a> {
    pub page: &'a Page,
}
impl HtmlSafe for Top<'_> {}

/// One sentence about what the last form did.
#[derive(Template)]
#[template(path = "partials/notice.html")]
pub struct Told<'a> {
    pub page: &'a Page,
    pub notice: &'a Notice,
}
impl HtmlSafe for Told<'_> {}

/// Language, theme, keys, and what the script needs of the catalogue.
#[derive(Template)]
#[template(path = "partials/bottom.html")]
pub struct Bottom<'a> {
    pub page: &'a Page,
}
impl HtmlSafe for Bottom<'_> {}
