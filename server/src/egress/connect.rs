//! From a host name to a connected socket: look up, check every address, connect to checked ones only. There is no other place in the
//! server where a socket to somewhere else is opened.

use super::{
    allow::{AllowList, SETTING},
    guard::{self, Reserved},
};
use crate::metrics::figures;
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};

/// How long one address may stay silent before the next is tried as well (RFC 8305).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// Where names are looked up.
pub trait Names: Send + Sync {
    fn look_up<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// The system's own resolver: hosts file, DNS, whatever the machine is set up with.
pub struct SystemNames;

impl Names for SystemNames {
    fn look_up<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// Why there is no connection. Nothing was sent in any of these cases.
#[derive(Debug, thiserror::Error)]
pub enum NoConnection {
    /// The guard's word.
    #[error(
        "{host} is {why}{at_address}, and workflows may only call the public Internet. An operator can allow it with {SETTING}={at}.",
        at_address = unless_said(host, *address),
        at = SocketAddr::new(*address, *port)
    )]
    Blocked { host: String, address: IpAddr, port: u16, why: Reserved },
    #[error("The name {host} could not be looked up: {source}.")]
    NoName { host: String, source: io::Error },
    #[error("There is no address behind the name {host}.")]
    NoAddress { host: String },
    #[error("{host} can't be reached on port {port}: {source}.")]
    Unreachable { host: String, port: u16, source: io::Error },
    #[error("{host} gave no connection on port {port} within {} seconds.", within.as_secs())]
    TimedOut { host: String, port: u16, within: Duration },
}

/// The address behind a name; nothing where the address was asked for itself.
fn unless_said(host: &str, address: IpAddr) -> String {
    if host.trim_matches(['[', ']']).parse() == Ok(address) { String::new() } else { format!(" ({address})") }
}

/// Resolves, checks, connects.
#[derive(Clone)]
pub(super) struct Connector {
    allow: Arc<AllowList>,
    names: Arc<dyn Names>,
}

impl Connector {
    pub(super) fn new(allow: AllowList, names: Arc<dyn Names>) -> Self {
        Self { allow: Arc::new(allow), names }
    }

    /// Connects to an address that was checked.
    pub(super) async fn connect(&self, host: &str, port: u16, within: Duration) -> Result<TcpStream, NoConnection> {
        self.bounded(host, port, within, true).await
    }

    /// Connects to a host that an operator named in a setting: being the setting is its permission.
    pub(super) async fn connect_by_setting(&self, host: &str, port: u16, within: Duration) -> Result<TcpStream, NoConnection> {
        self.bounded(host, port, within, false).await
    }

    /// Did an operator allow every address that the name resolves to?
    pub(super) async fn is_allowed_inside(&self, host: &str, port: u16) -> bool {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match timeout(super::CONNECT_LIMIT, self.look_up(host, port)).await {
            Ok(Ok(addresses)) => {
                !addresses.is_empty() && addresses.iter().all(|address| self.allow.allows(host, address.ip(), port))
            }
            _ => false,
        }
    }

    async fn bounded(&self, host: &str, port: u16, within: Duration, check: bool) -> Result<TcpStream, NoConnection> {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let attempt = async {
            let addresses = self.look_up(host, port).await?;
            let addresses = if check { self.checked(host, port, addresses)? } else { addresses };
            race(alternate(addresses)).await.map_err(|source| NoConnection::Unreachable { host: host.into(), port, source })
        };
        timeout(within, attempt).await.unwrap_or_else(|_| Err(NoConnection::TimedOut { host: host.into(), port, within }))
    }

    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NoConnection> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let addresses =
            self.names.look_up(host, port).await.map_err(|source| NoConnection::NoName { host: host.into(), source })?;
        if addresses.is_empty() {
            return Err(NoConnection::NoAddress { host: host.into() });
        }
        Ok(addresses)
    }

    /// The addresses that may be reached; the guard's word on the first one when there are none.
    fn checked(&self, host: &str, port: u16, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NoConnection> {
        let mut blocked = None;
        let mut open = Vec::with_capacity(addresses.len());
        for address in addresses {
            let ip = address.ip().to_canonical();
            match guard::reserved(ip) {
                Some(why) if !self.allow.allows(host, ip, port) => {
                    blocked.get_or_insert(NoConnection::Blocked { host: host.into(), address: ip, port, why });
                }
                _ => open.push(SocketAddr::new(ip, port)),
            }
        }
        match blocked {
            Some(blocked) if open.is_empty() => {
                figures().blocked();
                Err(blocked)
            }
            _ => Ok(open),
        }
    }
}

/// IPv6 and IPv4 in turns, so that a machine without one of them doesn't wait for all of its kind.
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut turns = Vec::new();
    loop {
        match (first.next(), second.next()) {
            (None, None) => return turns,
            (one, other) => turns.extend(one.into_iter().chain(other)),
        }
    }
}

/// The first of the addresses that answers; the next one joins when one fails or stays silent for a moment.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut under_way = FuturesUnordered::new();
    let mut failure = None;
    loop {
        match waiting.next() {
            Some(address) => under_way.push(open(address)),
            None if under_way.is_empty() => {
                return Err(failure.unwrap_or_else(|| io::Error::other("there is no address to try")));
            }
            None => {}
        }
        let settled = if waiting.len() == 0 {
            under_way.next().await
        } else {
            match timeout(NEXT_ADDRESS, under_way.next()).await {
                Ok(settled) => settled,
                Err(_) => continue,
            }
        };
        match settled {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => {
                failure.get_or_insert(error);
            }
            None => {}
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the one door out; the address was checked or is an operator's setting")]
async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    struct Table(HashMap<&'static str, Vec<&'static str>>);

    impl Names for Table {
        fn look_up<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
            let found = self.0.get(host).cloned();
            Box::pin(async move {
                let found = found.ok_or_else(|| io::Error::other("no such name"))?;
                Ok(found.into_iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect())
            })
        }
    }

    fn connector(allow: &str, names: &[(&'static str, &[&'static str])]) -> Connector {
        let names = names.iter().map(|(name, addresses)| (*name, addresses.to_vec())).collect();
        Connector::new(allow.parse().unwrap(), Arc::new(Table(names)))
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_private_address_is_refused_and_the_error_names_the_setting() {
        let connector = connector("", &[("crm.example", &["10.0.0.5"])]);
        let refused = connector.connect("crm.example", 8080, Duration::from_secs(1)).await.unwrap_err();
        let message = refused.to_string();
        assert!(message.contains("crm.example is a private address (10.0.0.5)"), "{message}");
        assert!(message.contains("TOWPATH_EGRESS_ALLOW=10.0.0.5:8080."), "{message}");
        let v6 = connector.connect("::1", 8080, Duration::from_secs(1)).await.unwrap_err();
        assert!(v6.to_string().contains("TOWPATH_EGRESS_ALLOW=[::1]:8080."), "{v6}");
        assert!(v6.to_string().starts_with("::1 is this machine itself, and"), "an address is said once: {v6}");
    }

    #[tokio::test]
    async fn only_checked_addresses_of_a_name_are_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connector = connector(&format!("127.0.0.1:{port}"), &[("mixed.example", &["10.0.0.5", "127.0.0.1"])]);
        let stream = connector.connect("mixed.example", port, Duration::from_secs(5)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
    }

    #[tokio::test]
    async fn an_address_that_refuses_gives_way_to_the_next() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connector = connector("127.0.0.0/8 [::1]", &[("two.example", &["127.0.0.9", "::1", "127.0.0.1"])]);
        let stream = connector.connect("two.example", port, Duration::from_secs(5)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap().ip().to_string(), "127.0.0.1");
    }

    #[tokio::test]
    async fn a_mapped_address_is_judged_and_allowed_as_what_it_maps() {
        let connector = connector("", &[]);
        let refused = connector.connect("[::ffff:169.254.169.254]", 80, Duration::from_secs(1)).await.unwrap_err();
        assert!(matches!(refused, NoConnection::Blocked { why: Reserved::Metadata, .. }), "{refused}");
    }

    #[test]
    fn families_take_turns() {
        let list = ["[::2]:1", "[::3]:1", "1.1.1.1:1", "[::4]:1"].map(|text| text.parse().unwrap()).to_vec();
        let turns: Vec<String> = alternate(list).iter().map(ToString::to_string).collect();
        assert_eq!(turns, ["[::2]:1", "1.1.1.1:1", "[::3]:1", "[::4]:1"]);
    }
}
