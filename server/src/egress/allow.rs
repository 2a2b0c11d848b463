//! What an operator allows inside the network: the setting `TOWPATH_EGRESS_ALLOW`. It only ever adds to what is public; it can't
//! take anything away.

use ipnet::IpNet;
use std::{net::IpAddr, str::FromStr};

/// The name of the setting, for messages.
pub const SETTING: &str = "TOWPATH_EGRESS_ALLOW";

/// Entries separated by commas or blanks: `host:port`, `address`, `address:port`, `network/length`, `network/length:port`. An IPv6
/// address or network with a port stands in brackets: `[fd00::1]:8080`, `[fd00::/8]:443`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    target: Target,
    /// `None`: every port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    /// A name as it stands in the address that is called; wherever it resolves to.
    Host(String),
    Network(IpNet),
}

/// An entry that can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of these.")]
pub struct BadEntry(pub String);

impl AllowList {
    /// Is nothing allowed besides what is public?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// May `host`, which resolved to `address`, be reached on `port` although the address isn't public?
    pub fn allows(&self, host: &str, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        self.entries.iter().any(|entry| {
            entry.port.is_none_or(|allowed| allowed == port)
                && match &entry.target {
                    Target::Host(name) => name.eq_ignore_ascii_case(host.trim_end_matches('.')),
                    Target::Network(network) => network.contains(&address),
                }
        })
    }
}

impl FromStr for AllowList {
    type Err = BadEntry;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries = text.split([',', ' ', '\t', '\n', '\r']).filter(|entry| !entry.is_empty()).map(str::parse);
        Ok(Self { entries: entries.collect::<Result<_, _>>()? })
    }
}

impl FromStr for Entry {
    type Err = BadEntry;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || BadEntry(text.to_owned());
        if let Some(network) = network(text) {
            return Ok(Self { target: Target::Network(network), port: None });
        }
        let (target, port) = match text.rsplit_once(':') {
            Some((target, port)) => (target, Some(port.parse().ok().filter(|port| *port > 0).ok_or_else(refuse)?)),
            None => (text, None),
        };
        if let Some(inner) = target.strip_prefix('[') {
            let network = inner.strip_suffix(']').and_then(network).ok_or_else(refuse)?;
            return Ok(Self { target: Target::Network(network), port });
        }
        if let Some(network @ IpNet::V4(_)) = network(target) {
            return Ok(Self { target: Target::Network(network), port });
        }
        let name = target.trim_end_matches('.').to_ascii_lowercase();
        let reads_as_name = !name.is_empty()
            && name.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            })
            // 10.0.0 or 300.1.1.1 is a mistyped address, not a name.
            && !name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        // Every port of a name would be more than anybody means.
        if reads_as_name && port.is_some() { Ok(Self { target: Target::Host(name), port }) } else { Err(refuse()) }
    }
}

/// An address or a network; with or without brackets around an IPv6 one.
fn network(text: &str) -> Option<IpNet> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    inner.parse::<IpNet>().ok().map(|network| network.trunc()).or_else(|| inner.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_allows_what_it_names_and_nothing_else() {
        let table = [
            ("10.0.0.5:8080", "x", "10.0.0.5", 8080, true),
            ("10.0.0.5:8080", "x", "10.0.0.5", 8081, false),
            ("10.0.0.5:8080", "x", "10.0.0.6", 8080, false),
            ("10.0.0.5", "x", "10.0.0.5", 1, true),
            ("10.0.0.0/8", "x", "10.200.0.1", 443, true),
            ("10.0.0.0/8", "x", "11.0.0.1", 443, false),
            ("10.0.0.7/8", "x", "10.200.0.1", 443, true),
            ("10.0.0.0/8:443", "x", "10.200.0.1", 443, true),
            ("10.0.0.0/8:443", "x", "10.200.0.1", 80, false),
            ("10.0.0.5:8080", "x", "::ffff:10.0.0.5", 8080, true),
            ("fd00::1", "x", "fd00::1", 80, true),
            ("[fd00::1]", "x", "fd00::1", 80, true),
            ("[fd00::1]:80", "x", "fd00::1", 80, true),
            ("[fd00::1]:80", "x", "fd00::1", 81, false),
            ("fd00::/8", "x", "fd99::1", 81, true),
            ("[fd00::/8]:443", "x", "fd99::1", 443, true),
            ("[fd00::/8]:443", "x", "fd99::1", 80, false),
            ("crm.internal:8080", "crm.internal", "10.0.0.9", 8080, true),
            ("crm.internal:8080", "CRM.Internal.", "10.0.0.9", 8080, true),
            ("crm.internal:8080", "other.internal", "10.0.0.9", 8080, false),
            ("crm.internal:8080", "sub.crm.internal", "10.0.0.9", 8080, false),
            ("a:1, 10.0.0.5:2\n b:3", "b", "127.0.0.1", 3, true),
            ("", "x", "10.0.0.5", 80, false),
        ];
        for (setting, host, address, port, expected) in table {
            let list: AllowList = setting.parse().unwrap();
            assert_eq!(list.allows(host, address.parse().unwrap(), port), expected, "{setting} {host} {address} {port}");
        }
    }

    #[test]
    fn a_mistyped_entry_is_refused_and_named() {
        for bad in [
            "10.0.0.5:0",
            "10.0.0.5:99999",
            "10.0.0:80",
            "300.1.1.1",
            "10.0.0.0/33",
            "[fd00::1:80",
            "host:",
            ":80",
            "a..b",
            "http://x",
            "crm.internal",
        ] {
            let error = format!("one.example:80, {bad}").parse::<AllowList>().unwrap_err();
            assert_eq!(error, BadEntry(bad.into()));
        }
    }
}
