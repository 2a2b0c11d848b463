//! The listening socket, and the addresses under which people find it.

use crate::config::server::Listen;
use anyhow::{Context, bail};
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpListener;

/// A bound socket.
pub struct Listening {
    pub(super) listener: TcpListener,
    address: SocketAddr,
    secure: bool,
}

/// One way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `This machine` or `Network`.
    pub kind: &'static str,
    pub url: String,
}

impl Listening {
    /// Binds the first of the addresses that works; `setting` is where they were named. `secure`: https is spoken there.
    ///
    /// # Errors
    /// A sentence that names the address and what stands in the way.
    pub fn bind(listen: Listen, setting: &str, secure: bool) -> anyhow::Result<Self> {
        let mut failure = None;
        for address in listen.candidates() {
            match bind(address) {
                Ok(listener) => {
                    let address = listener.local_addr().context("The socket has no address")?;
                    return Ok(Self { listener, address, secure });
                }
                Err(error) => failure = Some((address, error)),
            }
        }
        match failure {
            Some((address, error)) if error.kind() == std::io::ErrorKind::AddrInUse => {
                bail!("Port {} is in use by another program. Stop it, or choose another with {setting}.", address.port())
            }
            Some((address, error)) if error.kind() == std::io::ErrorKind::PermissionDenied => bail!(
                "Towpath may not listen on port {}: ports below 1024 need a right. Give it to the program (setcap cap_net_bind_service=+ep \
                 and its path; under systemd AmbientCapabilities=CAP_NET_BIND_SERVICE), or choose another port with {setting}.",
                address.port()
            ),
            Some((address, error)) => bail!("Towpath can't listen on {address}: {error}. Choose another with {setting}."),
            None => bail!("There is no address to listen on. Set {setting}."),
        }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The addresses that a browser can open, this machine's own first.
    pub fn urls(&self) -> Vec<Address> {
        let interfaces = local_addresses();
        urls(self.address, self.secure, &interfaces)
    }
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv6() { tokio::net::TcpSocket::new_v6() } else { tokio::net::TcpSocket::new_v4() }?;
    socket.set_reuseaddr(true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // Whatever the system's default is: one socket for IPv6 and IPv4.
        rustix::net::sockopt::set_ipv6_v6only(&socket, false)?;
    }
    socket.bind(address)?;
    socket.listen(1024)
}

/// The addresses of this machine's network interfaces.
pub fn local_addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    let mut addresses: Vec<IpAddr> = interfaces
        .filter_map(|interface| {
            let address = interface.address?;
            let four = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
            four.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
        })
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

fn urls(bound: SocketAddr, secure: bool, interfaces: &[IpAddr]) -> Vec<Address> {
    let port = bound.port();
    let scheme = if secure { "https" } else { "http" };
    let this_machine = || Address { kind: "This machine", url: format!("{scheme}://localhost:{port}") };
    let network = |address: IpAddr| Address { kind: "Network", url: format!("{scheme}://{}", SocketAddr::new(address, port)) };
    if !bound.ip().is_unspecified() {
        let own = if bound.ip().is_loopback() { this_machine() } else { network(bound.ip()) };
        return vec![own];
    }
    let reachable = interfaces.iter().copied().filter(|address| match address {
        IpAddr::V4(four) => !four.is_loopback() && !four.is_link_local(),
        // Link-local addresses need a zone, which browsers refuse.
        IpAddr::V6(six) => bound.is_ipv6() && !six.is_loopback() && !six.is_unicast_link_local(),
    });
    std::iter::once(this_machine()).chain(reachable.map(network)).collect()
}

#[cfg(test)]
mod tests {
    use super::urls;

    fn shown(bound: &str, interfaces: &[&str]) -> Vec<String> {
        let interfaces: Vec<_> = interfaces.iter().map(|address| address.parse().unwrap()).collect();
        urls(bound.parse().unwrap(), false, &interfaces).into_iter().map(|address| address.url).collect()
    }

    #[test]
    fn every_address_that_a_browser_can_open_is_shown() {
        let interfaces = ["127.0.0.1", "192.168.1.5", "169.254.3.4", "::1", "fe80::1", "2001:db8::5"];
        assert_eq!(
            shown("[::]:8470", &interfaces),
            ["http://localhost:8470", "http://192.168.1.5:8470", "http://[2001:db8::5]:8470"]
        );
        assert_eq!(shown("0.0.0.0:8470", &interfaces), ["http://localhost:8470", "http://192.168.1.5:8470"]);
        assert_eq!(shown("127.0.0.1:80", &interfaces), ["http://localhost:80"]);
        assert_eq!(shown("192.168.1.5:80", &interfaces), ["http://192.168.1.5:80"]);
    }
}
