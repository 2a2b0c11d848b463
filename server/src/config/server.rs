//! Where the server listens, and what it is called from outside.

use super::{
    parse,
    reader::Reader,
    setting::{Area, Setting},
    tls::{Source, TlsConfig},
};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use url::Url;

pub const AREA: Area = Area { title: "Server", settings: &[&LISTEN, &PUBLIC_URL, &TRUSTED_PROXIES, &METRICS_LISTEN] };

/// Not a port that other servers are known for.
pub const DEFAULT_PORT: u16 = 8470;

const LISTEN: Setting = Setting {
    name: "TOWPATH_LISTEN",
    default: "`8470` on every address of the machine; `443` with `TOWPATH_ACME_EMAIL`",
    allowed: "a port (8470), or an address and a port (127.0.0.1:8470, [::1]:8470)",
    about: "Where the server listens. A port alone means every address, so that people can sign in from their network; \
            `127.0.0.1:8470` keeps it to this machine. Port 0 takes any free one.",
    secret: false,
    from_file: false,
    only_environment: false,
};

const PUBLIC_URL: Setting = Setting {
    name: "TOWPATH_PUBLIC_URL",
    default: "not set: links use the address that the browser used",
    allowed: "a URL such as https://towpath.example.com, without a path",
    about: "The address under which people and services reach this server. Requests under other names are refused with 421, apart \
            from this machine's own names and addresses.",
    secret: false,
    from_file: false,
    only_environment: false,
};

const TRUSTED_PROXIES: Setting = Setting {
    name: "TOWPATH_TRUSTED_PROXIES",
    default: "empty: no proxy's word is taken",
    allowed: "a list, with commas, of addresses and networks, such as 127.0.0.1,10.0.0.0/8",
    about: "Proxies whose word on the caller is believed: `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`, or `Forwarded` from a \
            proxy that writes none of these.",
    secret: false,
    from_file: false,
    only_environment: false,
};

const METRICS_LISTEN: Setting = Setting {
    name: "TOWPATH_METRICS_LISTEN",
    default: "not set: nobody listens for scrapes",
    allowed: "an address and a port (127.0.0.1:9470), or a port",
    about: "A listener of its own for `/metrics`, in Prometheus' text form. Whoever reaches it may read it, so keep it to this machine or \
            to the network of your monitoring.",
    secret: false,
    from_file: false,
    only_environment: false,
};

#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub listen: Listen,
    pub public_url: Option<Url>,
    pub trusted_proxies: Vec<IpNet>,
    pub tls: TlsConfig,
    pub metrics_listen: Option<Listen>,
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Every address, IPv6 and IPv4.
    Everywhere {
        port: u16,
    },
    On(SocketAddr),
}

impl Listen {
    /// The addresses to try, best first: a machine without IPv6 refuses the first.
    pub fn candidates(self) -> Vec<SocketAddr> {
        match self {
            Self::On(address) => vec![address],
            Self::Everywhere { port } => {
                vec![(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port).into(), (IpAddr::from([0, 0, 0, 0]), port).into()]
            }
        }
    }
}

impl ServerConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let public_url = reader.read(&PUBLIC_URL, public_url);
        let tls = TlsConfig::read(reader, public_url.as_ref());
        let port = if matches!(tls.source, Source::Acme(_)) { 443 } else { DEFAULT_PORT };
        Self {
            listen: reader.read(&LISTEN, listen).unwrap_or(Listen::Everywhere { port }),
            public_url,
            trusted_proxies: reader.read(&TRUSTED_PROXIES, parse::networks).unwrap_or_default(),
            tls,
            metrics_listen: reader.read(&METRICS_LISTEN, listen),
        }
    }
}

pub(super) fn listen(text: &str) -> parse::Parsed<Listen> {
    if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse() {
        return Ok(Listen::Everywhere { port });
    }
    text.replace("localhost:", "127.0.0.1:").parse().map(Listen::On).map_err(|_| None)
}

fn public_url(text: &str) -> parse::Parsed<Url> {
    let url = Url::parse(text).map_err(|_| None)?;
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    match url.scheme() {
        "http" | "https" if url.host().is_some() && plain && url.password().is_none() => Ok(url),
        _ => Err(None),
    }
}
