//! What workflows are made of: the operations with their forms, and the functions of expressions with their words.

use crate::app::App;
use axum::{
    Json as Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::json;
use towpath_engine::{catalogue::Catalogue, expr};

/// `GET /api/v1/catalogue`
pub async fn get(State(app): State<App>) -> Response {
    let operations: Vec<_> = app.registry.operations().collect();
    let connectors: Vec<_> = app
        .registry
        .connectors()
        .map(|it| json!({ "id": it.id, "name": it.name, "icon": it.icon, "sentence": it.sentence }))
        .collect();
    // The same for everybody, and new only with a new build.
    (
        [(header::CACHE_CONTROL, "private, max-age=60")],
        Body(json!({ "operations": operations, "connectors": connectors, "functions": expr::functions() })),
    )
        .into_response()
}
