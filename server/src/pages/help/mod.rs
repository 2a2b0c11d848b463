//! Help and errors.

pub mod api;
pub mod error;
pub mod https;
pub mod index;
pub mod problem;
pub mod proxies;

use crate::auth::{Actor, visit::Visit};
use towpath_web::layout::{Area, Page};

/// The frame of a help page, with the bar for who is signed in.
fn page(actor: Option<&Actor>, visit: &Visit, title: &str) -> Page {
    actor.map_or_else(|| visit.page(title), |actor| actor.page(title, Area::Elsewhere))
}
