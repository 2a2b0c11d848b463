//! HTML, one action a file; the path of a handler is the path of its view and of its template.

pub mod account;
pub mod assets;
pub mod connections;
pub mod connectors;
pub mod done;
pub mod forms;
pub mod help;
pub mod home;
pub mod runs;
pub mod settings;
pub mod tables;
pub mod workflows;

use crate::problem::Problem;
use askama::Template;
use axum::response::{Html, IntoResponse, Response};

/// Renders a view struct.
pub fn html(view: &impl Template) -> Result<Response, Problem> {
    Ok(Html(view.render()?).into_response())
}
