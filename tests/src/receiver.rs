//! A target for outbound calls: it keeps what arrives, counts idempotency keys, and answers as told.

use crate::{authority::Pair, tls::TlsListener};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::watch;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Arrived {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the request's body is JSON")
    }

    pub fn key(&self) -> Option<&str> {
        self.headers.get("idempotency-key").and_then(|value| value.to_str().ok())
    }
}

type Behaviour = Arc<dyn Fn(&Arrived, usize) -> Reply + Send + Sync>;

/// What the receiver does with a request.
pub enum Reply {
    Json(u16, serde_json::Value),
    With(Response),
    /// Answers after this long.
    After(Duration, u16),
}

struct Inner {
    arrived: Mutex<Vec<Arrived>>,
    count: watch::Sender<usize>,
    behaviour: Mutex<Behaviour>,
}

/// A receiver on a free port of the loopback interface; it ends with the test's runtime.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    inner: Arc<Inner>,
}

impl Receiver {
    /// Answers 200 `{"ok": true}` to everything.
    pub async fn start() -> Self {
        Self::answering(|_, _| Reply::Json(200, serde_json::json!({ "ok": true }))).await
    }

    /// Answers as `behaviour` says, given the request and how many came before it.
    pub async fn answering(behaviour: impl Fn(&Arrived, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let (inner, router) = counting(behaviour);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    /// The same over https, with a certificate for 127.0.0.1.
    pub async fn over_tls(pair: &Pair, behaviour: impl Fn(&Arrived, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TlsListener::bind(pair).await;
        let url = format!("https://127.0.0.1:{}", listener.port());
        let (inner, router) = counting(behaviour);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.inner.arrived.lock().expect("unpoisoned").clone()
    }

    /// Waits until `n` requests have arrived.
    pub async fn wait_for(&self, n: usize, within: Duration) -> Vec<Arrived> {
        let mut count = self.inner.count.subscribe();
        let came = tokio::time::timeout(within, count.wait_for(|count| *count >= n)).await;
        assert!(came.is_ok(), "{} of {n} requests arrived within {within:?}", self.arrived().len());
        self.arrived()
    }

    /// How often each idempotency key came.
    pub fn keys(&self) -> HashMap<String, usize> {
        let mut keys = HashMap::new();
        for arrived in self.arrived() {
            *keys.entry(arrived.key().unwrap_or("none").to_owned()).or_default() += 1;
        }
        keys
    }
}

fn counting(behaviour: impl Fn(&Arrived, usize) -> Reply + Send + Sync + 'static) -> (Arc<Inner>, Router) {
    let inner =
        Arc::new(Inner { arrived: Mutex::default(), count: watch::Sender::new(0), behaviour: Mutex::new(Arc::new(behaviour)) });
    let router = Router::new().fallback(receive).with_state(Arc::clone(&inner));
    (inner, router)
}

async fn receive(State(inner): State<Arc<Inner>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let arrived = Arrived { method, path: uri.to_string(), headers, body };
    let (behaviour, before) = {
        let mut all = inner.arrived.lock().expect("unpoisoned");
        all.push(arrived.clone());
        (Arc::clone(&inner.behaviour.lock().expect("unpoisoned")), all.len() - 1)
    };
    inner.count.send_modify(|count| *count += 1);
    match behaviour(&arrived, before) {
        Reply::Json(status, body) => {
            (StatusCode::from_u16(status).expect("a status"), [("content-type", "application/json")], body.to_string())
                .into_response()
        }
        Reply::With(response) => response,
        Reply::After(wait, status) => {
            tokio::time::sleep(wait).await;
            StatusCode::from_u16(status).expect("a status").into_response()
        }
    }
}
