//! The first question of a new connection: to which service.

use crate::layout::Page;
use askama::Template;

#[derive(Template)]
#[template(path = "connections/choose.html")]
pub struct Choose {
    pub page: Page,
    pub services: Vec<Service>,
}

pub struct Service {
    pub id: String,
    pub name: String,
    pub icon: String,
    pub sentence: String,
}
