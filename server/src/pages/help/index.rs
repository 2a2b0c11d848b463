//! The first page of the help: what can go wrong, and where to read on.

use crate::{
    auth::{Actor, visit::Visit},
    pages,
    problem::{Code, Problem},
};
use axum::response::Response;
use towpath_web::help::index::Index;

/// `GET /help`
pub async fn show(visit: Visit, actor: Option<Actor>) -> Result<Response, Problem> {
    let errors = Code::ALL.map(|code| (code.name(), code.title())).to_vec();
    pages::html(&Index { page: super::page(actor.as_ref(), &visit, "Help"), version: env!("CARGO_PKG_VERSION"), errors })
}
