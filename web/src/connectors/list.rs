//! All connectors, by category.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "connectors/list.html")]
pub struct List {
    pub page: Page,
    pub groups: Vec<Group>,
    pub count: usize,
}

pub struct Group {
    pub title: String,
    pub cards: Vec<Card>,
}

pub struct Card {
    pub id: String,
    pub name: String,
    pub icon: String,
    pub sentence: String,
    /// "3 actions, 1 trigger"
    pub counts: String,
    /// What a search looks at: name, sentence, operations.
    pub words: String,
}
