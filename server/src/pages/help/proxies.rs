//! Whole configurations for proxies in front: the files that the tests run the real proxies with.

use crate::{
    auth::{Actor, visit::Visit},
    pages,
    problem::Problem,
};
use axum::response::Response;
use towpath_web::help::proxies::Proxies;

/// `GET /help/proxies`
pub async fn show(visit: Visit, actor: Option<Actor>) -> Result<Response, Problem> {
    pages::html(&Proxies::new(super::page(actor.as_ref(), &visit, "Behind nginx or Caddy")))
}
