//! The HTTP client: hyper over our own connector, so that no connection is opened but through the door. It follows no redirects, asks
//! no proxy, keeps no cookies.

use super::{
    CONNECT_LIMIT,
    connect::{Connector, NoConnection},
    tls::Roots,
};
use ::http::Uri;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use std::{
    task::{Context, Poll},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use tower::Service;

pub(super) type Client = legacy::Client<Bounded, Full<Bytes>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Shorter than the shortest keep-alive that servers commonly have (5 s in Node): a connection isn't taken from the pool in the moment
/// in which the other side closes it, which would make an unsafe request's outcome unknown for nothing.
const IDLE: Duration = Duration::from_secs(4);
/// The largest head of an answer, in bytes, and the most header lines.
const HEAD_LIMIT: usize = 64 * 1024;
const HEADER_LINES: usize = 200;

pub(super) fn build(connector: Connector, roots: &Roots) -> Client {
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(roots.client_config())
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(Tcp(connector));
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(32)
        .http1_max_buf_size(HEAD_LIMIT)
        .http1_max_headers(HEADER_LINES)
        .http2_max_header_list_size(HEAD_LIMIT as u32)
        .build(Bounded(https))
}

/// TCP through the door.
#[derive(Clone)]
pub(super) struct Tcp(Connector);

impl Service<Uri> for Tcp {
    type Response = TokioIo<TcpStream>;
    type Error = NoConnection;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.0.clone();
        Box::pin(async move {
            let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
            connector.connect(uri.host().unwrap_or_default(), port, CONNECT_LIMIT).await.map(TokioIo::new)
        })
    }
}

/// TCP and TLS together, within the limit for connections.
#[derive(Clone)]
pub(super) struct Bounded(HttpsConnector<Tcp>);

impl Service<Uri> for Bounded {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let host = uri.host().unwrap_or_default().to_owned();
        let port = uri.port_u16().unwrap_or(443);
        let connecting = self.0.call(uri);
        Box::pin(async move {
            match timeout(CONNECT_LIMIT, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(NoConnection::TimedOut { host, port, within: CONNECT_LIMIT }.into()),
            }
        })
    }
}
