//! A form's other pages: sent, and not open.

use askama::Template;

#[derive(Template)]
#[template(path = "forms/message.html")]
pub struct Message {
    pub title: String,
    pub paragraphs: Vec<String>,
    /// Was something received? Otherwise there is nothing to do here.
    pub received: bool,
    /// Back to the empty form, where that makes sense.
    pub again: Option<String>,
}
