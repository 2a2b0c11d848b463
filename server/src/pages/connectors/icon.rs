//! A connector's drawing. It comes from a folder that others may have written, so it is an image and nothing else: no script in it runs,
//! however it is opened.

use crate::{app::App, problem::Problem};
use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

/// `GET /connectors/{connector}/icon.svg`
pub async fn get(State(app): State<App>, Path(connector): Path<String>) -> Result<Response, Problem> {
    let icon = app.registry.listed(&connector).and_then(|listed| listed.icon.clone()).ok_or_else(Problem::not_found)?;
    let mut response = icon.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; style-src 'none'; sandbox"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    Ok(response)
}
