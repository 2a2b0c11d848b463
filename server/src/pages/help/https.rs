//! How to turn on https, for whoever saw the banner that passwords travel in clear.

use crate::{
    auth::{Actor, visit::Visit},
    pages,
    problem::Problem,
};
use axum::response::Response;
use towpath_web::help::https::Https;

/// `GET /help/https`
pub async fn show(visit: Visit, actor: Option<Actor>) -> Result<Response, Problem> {
    let host = visit.authority.clone();
    pages::html(&Https { page: super::page(actor.as_ref(), &visit, "Turn on https"), host })
}
