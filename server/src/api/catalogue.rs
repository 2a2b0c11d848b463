//! What workflows are made of: the operations with their forms, and the functions of expressions with their words.

use crate::app::App;
use axum::{
    Json as Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use towpath_engine::{
    catalogue::{Catalogue as _, Operation},
    expr,
};

/// What workflows are made of.
#[derive(Serialize, JsonSchema)]
pub struct Catalogue<'a> {
    operations: Vec<&'a Operation>,
    connectors: Vec<Service<'a>>,
    /// The filters and functions of expressions.
    functions: &'a [expr::Function],
}

/// A service, as the picker shows it.
#[derive(Serialize, JsonSchema)]
pub struct Service<'a> {
    id: &'a str,
    name: &'a str,
    icon: &'a str,
    sentence: &'a str,
}

/// `GET /api/v1/catalogue`
pub async fn get(State(app): State<App>) -> Response {
    let operations: Vec<_> = app.registry.operations().collect();
    let connectors: Vec<_> = app
        .registry
        .connectors()
        .map(|it| Service { id: &it.id, name: &it.name, icon: &it.icon, sentence: &it.sentence })
        .collect();
    // The same for everybody, and new only with a new build.
    ([(header::CACHE_CONTROL, "private, max-age=60")], Body(Catalogue { operations, connectors, functions: expr::functions() }))
        .into_response()
}
