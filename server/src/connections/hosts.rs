//! Which addresses a connection's secrets may be sent to: patterns over the host and port of a parsed address, never over its text.

use std::{fmt, net::IpAddr};
use towpath_connectors::sdk::{attach, connector::Hosts, value};
use towpath_engine::{Object, error::StepError};
use url::{Host, Url};

/// Where a request is about to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Lower case, without a dot at its end; an IPv6 address in brackets.
    pub host: String,
    pub port: u16,
    /// The port that the scheme has when none is written.
    pub standard_port: Option<u16>,
}

impl Address {
    /// Of a web address; `None` for one without a host.
    pub fn of(url: &Url) -> Option<Self> {
        let host = url.host()?;
        let standard_port = match url.scheme() {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        Some(Self { host: written(&host), port: url.port().unwrap_or(standard_port), standard_port: Some(standard_port) })
    }

    /// Of a server that is reached by another protocol.
    pub fn server(host: &str, port: u16) -> Self {
        let host = Host::parse(host.trim()).map_or_else(|_| host.trim().to_ascii_lowercase(), |host| written(&host));
        Self { host, port, standard_port: None }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.standard_port == Some(self.port) { f.write_str(&self.host) } else { write!(f, "{}:{}", self.host, self.port) }
    }
}

fn written(host: &Host<impl AsRef<str>>) -> String {
    match host {
        Host::Domain(name) => name.as_ref().trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => format!("[{address}]"),
    }
}

/// One entry: `api.example.com`, `*.example.com` (names below it), `crm.internal:8443`. Without a port it means the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    host: String,
    below: bool,
    port: Option<u16>,
}

/// An entry that can't be understood, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPattern(String);

impl Pattern {
    pub fn allows(&self, address: &Address) -> bool {
        let host = match address.host.strip_suffix(&self.host) {
            Some("") => !self.below,
            // Whole labels only: *.example.com is not evilexample.com.
            Some(rest) => self.below && rest.ends_with('.') && rest.len() > 1,
            None => false,
        };
        let port = match self.port {
            Some(port) => port == address.port,
            None => address.standard_port == Some(address.port),
        };
        host && port
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = if self.below { "*." } else { "" };
        match self.port {
            Some(port) => write!(f, "{below}{}:{port}", self.host),
            None => write!(f, "{below}{}", self.host),
        }
    }
}

impl std::str::FromStr for Pattern {
    type Err = BadPattern;

    /// Takes whole web addresses, too: people paste those. Only host and port count.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let refuse = || BadPattern(format!("“{text}” is not a host. Write it like api.example.com or *.example.com."));
        if let Some((scheme, _)) = text.split_once("://") {
            let url = Url::parse(text).map_err(|_| refuse())?;
            let address = Address::of(&url).ok_or_else(|| match scheme {
                "http" | "https" => refuse(),
                _ => BadPattern(format!("“{text}” begins with {scheme}://; only https:// and http:// can be called.")),
            })?;
            return Ok(Self { host: address.host, below: false, port: url.port() });
        }
        let text = text.split(['/', '?', '#']).next().unwrap_or_default();
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (host, port) = match rest.rsplit_once(':') {
            // The colons of an IPv6 address are inside its brackets.
            Some((host, port)) if !port.contains(']') => {
                (host, Some(port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(refuse)?))
            }
            _ => (rest, None),
        };
        let parsed = Host::parse(host).map_err(|_| refuse())?;
        if let Host::Domain(name) = &parsed {
            let name = name.trim_end_matches('.');
            let is_name = !name.is_empty()
                && name.split('.').all(|label| {
                    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
                });
            // A star over a whole top-level domain would allow half the world.
            if !is_name || (below && !name.contains('.')) {
                return Err(refuse());
            }
        } else if below {
            return Err(refuse());
        }
        Ok(Self { host: written(&parsed), below, port })
    }
}

/// The patterns that hold for a connection: those of its connector, over its public fields; or those that its owner named; or the
/// server that its fields `host` and `port` name.
pub fn effective(hosts: &Hosts, entered: &[String], fields: &Object) -> Result<Vec<Pattern>, StepError> {
    let texts: Vec<String> = match hosts {
        Hosts::Fixed(fixed) => fixed.iter().map(|text| attach::public_text(text, fields)).collect::<Result<_, _>>()?,
        Hosts::Entered if fields.contains_key("host") => vec![server_of(fields)],
        Hosts::Entered => entered.to_vec(),
    };
    // What can't be read allows nothing.
    Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
}

/// `host:port` of connections that name a server.
fn server_of(fields: &Object) -> String {
    let host = value::text_field(fields, "host");
    let host = host.trim();
    let host = if host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()) { format!("[{host}]") } else { host.to_owned() };
    format!("{host}:{}", super::smtp::port(fields))
}

/// Does `new` allow an address that `old` didn't? Patterns count as they are written; a narrower one in the place of a wider one is
/// taken for another.
pub fn widens(old: &[Pattern], new: &[Pattern]) -> bool {
    new.iter().any(|pattern| !old.contains(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn allows(pattern: &str, url: &str) -> bool {
        let pattern: Pattern = pattern.parse().unwrap_or_else(|error| panic!("{pattern}: {error}"));
        pattern.allows(&Address::of(&url.parse().unwrap()).unwrap())
    }

    #[test]
    fn a_pattern_allows_its_host_and_port_and_nothing_that_only_looks_like_it() {
        let table = [
            ("api.example.com", "https://api.example.com/x", true),
            ("api.example.com", "https://API.Example.com./x", true),
            ("api.example.com", "http://api.example.com/", true),
            ("api.example.com", "https://api.example.com:8443/", false),
            ("api.example.com:8443", "https://api.example.com:8443/", true),
            ("api.example.com:8443", "https://api.example.com/", false),
            ("api.example.com", "https://evil.example/api.example.com", false),
            ("api.example.com", "https://api.example.com.evil.example/", false),
            ("api.example.com", "https://api.example.com@evil.example/", false),
            ("api.example.com", "https://evil.example/?x=@api.example.com", false),
            ("api.example.com", "https://evil.example#@api.example.com", false),
            ("api.example.com", "https://xapi.example.com/", false),
            ("example.com", "https://api.example.com/", false),
            ("*.example.com", "https://api.example.com/", true),
            ("*.example.com", "https://a.b.example.com/", true),
            ("*.example.com", "https://example.com/", false),
            ("*.example.com", "https://evilexample.com/", false),
            ("*.example.com", "https://.example.com/", false),
            ("*.example.com:8443", "https://a.example.com:8443/", true),
            ("127.0.0.1:8080", "http://127.1:8080/", true),
            ("127.0.0.1:8080", "http://0x7f.0.0.1:8080/", true),
            ("[::1]:8080", "http://[::1]:8080/", true),
            ("bücher.example", "https://xn--bcher-kva.example/", true),
            ("https://api.example.com/v1/orders?x=1", "https://api.example.com/other", true),
            ("http://api.example.com:8080/", "http://api.example.com:8080/", true),
            ("api.example.com/v1", "https://api.example.com/v2", true),
        ];
        for (pattern, url, expected) in table {
            let Ok(url) = Url::parse(url) else { continue };
            let address = Address::of(&url).unwrap();
            assert_eq!(pattern.parse::<Pattern>().unwrap().allows(&address), expected, "{pattern} {url}");
        }
        assert!(allows("api.example.com", "https://api.example.com"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "",
            "*",
            "*.com",
            "**.example.com",
            "api.*.com",
            "a b",
            "exa mple.com",
            "x:0",
            "x:99999",
            "*.127.0.0.1",
            "ftp://x.example",
            "https://",
        ] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn other_protocols_name_their_port() {
        let fields = json!({ "host": "Mail.example.com", "port": 2525 });
        let patterns = effective(&Hosts::Entered, &[], fields.as_object().unwrap()).unwrap();
        assert!(patterns[0].allows(&Address::server("mail.example.com", 2525)));
        assert!(!patterns[0].allows(&Address::server("mail.example.com", 25)));
        assert!(!patterns[0].allows(&Address::server("evil.example", 2525)));
    }

    #[test]
    fn fixed_hosts_may_hang_on_public_fields() {
        let fields = json!({ "subdomain": "acme" });
        let hosts = Hosts::Fixed(vec!["{{ connection.subdomain }}.example.com".into()]);
        let patterns = effective(&hosts, &["evil.example".into()], fields.as_object().unwrap()).unwrap();
        assert_eq!(patterns, ["acme.example.com".parse().unwrap()]);
    }

    #[test]
    fn another_host_widens_and_one_less_does_not() {
        let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Pattern>>();
        let old = list(&["a.example", "b.example:8443"]);
        assert!(!widens(&old, &list(&["b.example:8443"])) && !widens(&old, &old));
        assert!(widens(&old, &list(&["a.example", "c.example"])) && widens(&old, &list(&["b.example"])));
    }
}
