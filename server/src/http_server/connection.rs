//! Takes connections and serves them: plain or over TLS, HTTP/1.1 with keep-alive or HTTP/2, at most so many at once, of which one
//! address has only a part, and ten seconds for a handshake or the head of a request. On drain it stops accepting, lets what is under way
//! end, and cuts the rest.

use super::{Listening, gate::LocalAddress};
use crate::{
    auth::visit::OverTls,
    shutdown::{DRAIN, Shutdown},
};
use axum::{Router, extract::ConnectInfo};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use ipnet::IpNet;
use parking_lot::Mutex;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::{ServiceExt, util::Oneshot};

/// How long the head of a request may take, and how long a connection may idle between two requests.
const HEAD: Duration = Duration::from_secs(10);
/// Connections at once, if the system allows as many open files.
const CONNECTIONS: usize = 8192;
/// Of which one address may have so many; an office behind one address has to fit in. This machine and trusted proxies may
/// have them all.
const PER_ADDRESS: usize = 512;

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;
/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 128;
/// The largest head of a request over HTTP/2, in bytes.
const HEAD_SIZE: u32 = 64 * 1024;

/// A way in: a socket, and what answers on it.
pub struct Entrance {
    pub listening: Listening,
    pub router: Router,
    pub tls: Option<Secure>,
}

/// TLS on a socket.
#[derive(Clone)]
pub struct Secure {
    pub acceptor: TlsAcceptor,
    /// What answers somebody who speaks plain http there.
    pub plain: Router,
}

/// Serves until [`Shutdown`] has begun and what was under way has ended. Trusted proxies may have as many connections as there are.
pub async fn run(entrance: Entrance, trusted_proxies: Vec<IpNet>, shutdown: Shutdown) {
    let Entrance { listening, router, tls } = entrance;
    let caps = Caps::new(trusted_proxies);
    let graceful = GracefulShutdown::new();
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&caps.all).acquire_owned() => permit,
            () = shutdown.begun() => break,
        };
        let accepted = tokio::select! {
            accepted = listening.listener.accept() => accepted,
            () = shutdown.begun() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // A peer that went away is nothing; out of files needs a moment.
                tracing::debug!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let Some(seat) = caps.seat(peer.ip()) else {
            tracing::warn!(address = %peer.ip(), "more connections from one address than are taken; this one is closed");
            continue;
        };
        let Ok(local) = stream.local_addr() else { continue };
        let ends = Ends { peer, local, over_tls: false };
        let (router, tls, watcher) = (router.clone(), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            // Answers are written whole; waiting for more to send only delays them.
            let _ = stream.set_nodelay(true);
            match tls {
                Some(secure) => shake_hands(stream, router, secure, ends, watcher).await,
                None => serve_http1(stream, router, ends, watcher).await,
            }
            drop((seat, permit));
        });
    }
    drop(listening);
    if timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end within {} seconds and were cut", DRAIN.as_secs());
    }
}

/// The two ends of a connection.
#[derive(Clone, Copy)]
struct Ends {
    peer: SocketAddr,
    local: SocketAddr,
    over_tls: bool,
}

impl Ends {
    /// Hands a request over, with what is known of its connection.
    fn answer(self, router: &Router, mut request: Request<Incoming>) -> Oneshot<Router, Request<Incoming>> {
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(self.peer));
        extensions.insert(LocalAddress(self.local));
        if self.over_tls {
            extensions.insert(OverTls);
        }
        router.clone().oneshot(request)
    }
}

async fn shake_hands(stream: TcpStream, router: Router, secure: Secure, ends: Ends, watcher: Watcher) {
    let mut first = [0];
    match timeout(HEAD, stream.peek(&mut first)).await {
        Ok(Ok(1)) => {}
        _ => return,
    }
    if first != [HANDSHAKE] {
        return serve_http1(stream, secure.plain, ends, watcher).await;
    }
    let stream = match timeout(HEAD, secure.acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, address = %ends.peer.ip(), "a TLS handshake failed"),
        Err(_) => return tracing::debug!(address = %ends.peer.ip(), "a TLS handshake took too long"),
    };
    let ends = Ends { over_tls: true, ..ends };
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => serve_http2(stream, router, ends, watcher).await,
        Some(b"http/1.1") | None => serve_http1(stream, router, ends, watcher).await,
        // A certificate authority, which has seen in the handshake what it wanted to see.
        Some(_) => {}
    }
}

async fn serve_http1<S>(stream: S, router: Router, ends: Ends, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(128)
        .serve_connection(TokioIo::new(stream), service_fn(move |request| ends.answer(&router, request)));
    ended(watcher.watch(connection).await);
}

async fn serve_http2<S>(stream: S, router: Router, ends: Ends, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_SIZE)
        // A peer that is gone is noticed, one that only waits stays.
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service_fn(move |request| ends.answer(&router, request)));
    ended(watcher.watch(connection).await);
}

fn ended(outcome: Result<(), hyper::Error>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// How many connections there may be.
struct Caps {
    all: Arc<Semaphore>,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    unbounded: Vec<IpNet>,
}

impl Caps {
    fn new(unbounded: Vec<IpNet>) -> Self {
        Self { all: Arc::new(Semaphore::new(open_files().min(CONNECTIONS))), by_address: Arc::default(), unbounded }
    }

    /// A seat for one more connection from `address`, or nothing if it has its share.
    fn seat(&self, address: IpAddr) -> Option<Seat> {
        let address = address.to_canonical();
        let unbounded = address.is_loopback() || self.unbounded.iter().any(|network| network.contains(&address));
        let mut by_address = self.by_address.lock();
        let count = by_address.entry(address).or_default();
        if *count >= PER_ADDRESS && !unbounded {
            return None;
        }
        *count += 1;
        Some(Seat { address, by_address: Arc::clone(&self.by_address) })
    }
}

/// One connection's place in its address's share.
struct Seat {
    address: IpAddr,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut by_address = self.by_address.lock();
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

/// How many connections the limit of open files leaves room for, after raising it as far as the system lets us.
fn open_files() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
    }
    // Outgoing calls, the database and files need some as well.
    let files = limit.current.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    (files / 2).max(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_only_its_share_and_a_place_is_free_again_when_a_connection_ends() {
        let caps = Caps::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let address: IpAddr = "203.0.113.9".parse().unwrap();
        let mut seats: Vec<Seat> = (0..PER_ADDRESS).map(|_| caps.seat(address).unwrap()).collect();
        assert!(caps.seat(address).is_none());
        assert!(caps.seat("::ffff:203.0.113.9".parse().unwrap()).is_none(), "the same address in another form");
        assert!(caps.seat("203.0.113.10".parse().unwrap()).is_some());
        seats.pop();
        seats.push(caps.seat(address).unwrap());
        drop(seats);
        assert!(caps.by_address.lock().is_empty());
        let proxied: Vec<_> = (0..=PER_ADDRESS).map(|_| caps.seat("10.1.1.1".parse().unwrap()).unwrap()).collect();
        assert_eq!(proxied.len(), PER_ADDRESS + 1);
    }
}
