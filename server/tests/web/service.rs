//! A service on this machine, as a feed: it answers 304 where it can, and 500 when it is told to.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// A JSON feed on a free port; it ends with the test's runtime.
#[derive(Clone)]
pub struct Feed {
    pub url: String,
    state: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    items: Vec<u32>,
    broken: bool,
    /// Answers by status.
    answered: Vec<u16>,
}

impl Feed {
    pub async fn start(items: impl IntoIterator<Item = u32>) -> Self {
        let state = Arc::new(Mutex::new(Told { items: items.into_iter().collect(), ..Told::default() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/feed.json", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    pub fn add(&self, items: impl IntoIterator<Item = u32>) {
        self.state.lock().unwrap().items.extend(items);
    }

    pub fn set_broken(&self, broken: bool) {
        self.state.lock().unwrap().broken = broken;
    }

    /// How often it answered with this status.
    pub fn answered(&self, status: u16) -> usize {
        self.state.lock().unwrap().answered.iter().filter(|it| **it == status).count()
    }
}

async fn answer(State(told): State<Arc<Mutex<Told>>>, headers: HeaderMap) -> Response {
    let mut told = told.lock().unwrap();
    let etag = format!("\"{}\"", told.items.len());
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|it| it.as_bytes() == etag.as_bytes());
    let status = match (told.broken, known) {
        (true, _) => StatusCode::INTERNAL_SERVER_ERROR,
        (false, true) => StatusCode::NOT_MODIFIED,
        (false, false) => StatusCode::OK,
    };
    told.answered.push(status.as_u16());
    if status != StatusCode::OK {
        return (status, [(header::ETAG, etag)]).into_response();
    }
    // Newest first, as feeds are.
    let items: Vec<_> = told
        .items
        .iter()
        .rev()
        .map(|n| json!({ "id": format!("item-{n}"), "title": format!("Item {n}"), "url": format!("https://example.com/{n}") }))
        .collect();
    let feed = json!({ "version": "https://jsonfeed.org/version/1.1", "title": "Test", "items": items });
    ([(header::ETAG, etag), (header::CONTENT_TYPE, "application/feed+json".into())], feed.to_string()).into_response()
}
