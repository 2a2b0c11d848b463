//! Takes connections and serves them: HTTP/1.1 with keep-alive, at most so many at once, of which one address has only a part,
//! and ten seconds for the head of a request. On drain it stops accepting, lets what is under way end, and cuts the rest.

use super::{Listening, gate::LocalAddress};
use crate::{
    app::App,
    routes,
    shutdown::{DRAIN, Shutdown},
};
use axum::{Router, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
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
use tokio::{net::TcpStream, sync::Semaphore};
use tower::ServiceExt;

/// How long the head of a request may take, and how long a connection may idle between two requests.
const HEAD: Duration = Duration::from_secs(10);
/// Connections at once, if the system allows as many open files.
const CONNECTIONS: usize = 8192;
/// Of which one address may have so many; an office behind one address has to fit in. This machine and trusted proxies may
/// have them all.
const PER_ADDRESS: usize = 512;

/// Serves until [`Shutdown`] has begun and what was under way has ended.
pub async fn run(listening: Listening, app: App, shutdown: Shutdown) {
    let router = routes::all().into_router(&app);
    let caps = Caps::new(app.config.server.trusted_proxies.clone());
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
        let service = router.clone();
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            serve(stream, service, (peer, local), watcher).await;
            drop((seat, permit));
        });
    }
    drop(listening);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end within {} seconds and were cut", DRAIN.as_secs());
    }
}

async fn serve(stream: TcpStream, router: Router, (peer, local): (SocketAddr, SocketAddr), watcher: Watcher) {
    // Answers are written whole; waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(LocalAddress(local));
        request
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(128)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
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
