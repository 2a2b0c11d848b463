//! `GET /metrics`: on a listener of its own (`TOWPATH_METRICS_LISTEN`), where whoever reaches it may read it; and beside the pages, for
//! the owner of the instance and for tokens with the scope `metrics`.

use super::{figures, gauges};
use crate::app::App;
use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};

/// The router of the listener.
pub fn router(app: &App) -> Router {
    Router::new().route("/metrics", get(show)).with_state(app.clone())
}

/// Everything, in the text form of Prometheus.
pub async fn show(State(app): State<App>) -> impl IntoResponse {
    let version = env!("CARGO_PKG_VERSION");
    let build = format!(
        "# HELP towpath_build_info The version, as a label.\n# TYPE towpath_build_info gauge\ntowpath_build_info{{version=\"{version}\"}} 1\n\n"
    );
    let text = build + &gauges::text(&app).await + &figures().render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], text)
}
