//! What trusted proxies tell of a request: `X-Forwarded-For`, `-Proto` and `-Host`, or the standard's `Forwarded` (RFC 7239) where a
//! proxy writes none of these. It is read from the right, the nearest proxy first, as far as the proxies are ours: what is further
//! left was written by strangers.

use axum::http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

/// What was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The caller's own address.
    pub address: Option<IpAddr>,
    /// `http` or `https`, in lower case.
    pub proto: Option<String>,
    /// As the caller wrote it.
    pub host: Option<String>,
}

impl Told {
    /// Reads the headers of a request that a trusted proxy sent.
    pub fn of(headers: &HeaderMap, trusted: impl Fn(&IpAddr) -> bool) -> Self {
        let by_habit =
            ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"].iter().any(|name| headers.contains_key(*name));
        if !by_habit {
            return standard(headers, trusted);
        }
        Self {
            address: nearest_stranger(from_the_right(headers, "x-forwarded-for").map(address), trusted),
            proto: from_the_right(headers, "x-forwarded-proto").next().map(str::to_ascii_lowercase),
            host: from_the_right(headers, "x-forwarded-host").next().map(str::to_owned),
        }
    }
}

/// `Forwarded: for=203.0.113.9;proto=https;host=towpath.example, for=10.1.1.1`
fn standard(headers: &HeaderMap, trusted: impl Fn(&IpAddr) -> bool) -> Told {
    let mut hops = from_the_right(headers, "forwarded").map(Hop::read).peekable();
    let nearest = hops.peek().cloned().unwrap_or_default();
    Told {
        address: nearest_stranger(hops.map(|hop| hop.address), trusted),
        proto: nearest.proto.map(|proto| proto.to_ascii_lowercase()),
        host: nearest.host,
    }
}

/// What one proxy wrote.
#[derive(Clone, Default)]
struct Hop {
    address: Option<IpAddr>,
    proto: Option<String>,
    host: Option<String>,
}

impl Hop {
    fn read(element: &str) -> Self {
        let mut hop = Self::default();
        for pair in element.split(';') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.address = address(value),
                "proto" => hop.proto = Some(value.to_owned()),
                "host" => hop.host = Some(value.to_owned()),
                _ => {}
            }
        }
        hop
    }
}

/// The values of all lines of a header, the last one first. A line that is no text ends the reading: what is left of it is unknown.
fn from_the_right<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|line| line.to_str()).collect();
    lines
        .into_iter()
        .rev()
        .map_while(Result::ok)
        .flat_map(|line| line.rsplit(','))
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// The first address that isn't a trusted proxy's, or the last one that could be read: what follows something unreadable is hearsay.
fn nearest_stranger(hops: impl Iterator<Item = Option<IpAddr>>, trusted: impl Fn(&IpAddr) -> bool) -> Option<IpAddr> {
    let mut found = None;
    for address in hops {
        let Some(address) = address else { break };
        found = Some(address);
        if !trusted(&address) {
            break;
        }
    }
    found
}

/// `203.0.113.9`, and as some proxies write it: `203.0.113.9:4711`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches('"');
    text.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[(&'static str, &str)]) -> (String, String, String) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let ours: ipnet::IpNet = "10.0.0.0/8".parse().unwrap();
        let told = Told::of(&map, |address| ours.contains(address));
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        (text(told.address.map(|address| address.to_string())), text(told.proto), text(told.host))
    }

    fn addressed(headers: &[(&'static str, &str)]) -> String {
        told(headers).0
    }

    #[test]
    fn the_address_is_the_first_from_the_right_that_is_no_proxy_of_ours() {
        for (chain, expected) in [
            ("203.0.113.9", "203.0.113.9"),
            ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
            ("6.6.6.6, 203.0.113.9, 10.1.1.1", "203.0.113.9"),
            ("127.0.0.1, 203.0.113.9:4711, 10.1.1.1", "203.0.113.9"),
            ("6.6.6.6, [2001:db8::1]:4711", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            // Only our own proxies: the farthest of them is all that is known.
            ("10.2.2.2, 10.1.1.1", "10.2.2.2"),
            // What is left of nonsense is not believed.
            ("203.0.113.9, unknown, 10.1.1.1", "10.1.1.1"),
            ("127.0.0.1' or 1=1", "-"),
            ("", "-"),
            (" , ,203.0.113.9, ", "203.0.113.9"),
        ] {
            assert_eq!(addressed(&[("x-forwarded-for", chain)]), expected, "{chain:?}");
        }
        let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9, 10.1.1.1")];
        assert_eq!(addressed(&lines), "203.0.113.9", "a caller's own line comes before the proxy's");
    }

    #[test]
    fn scheme_and_name_are_the_nearest_proxys() {
        let headers = [
            ("x-forwarded-proto", "http"),
            ("x-forwarded-proto", "http, HTTPS"),
            ("x-forwarded-host", "evil.example, towpath.example:443"),
        ];
        assert_eq!(told(&headers), ("-".into(), "https".into(), "towpath.example:443".into()));
    }

    #[test]
    fn the_standard_header_counts_where_a_proxy_writes_no_other() {
        let forwarded = r#"for=6.6.6.6;proto=http;host=evil.example, for="[2001:db8::1]:4711"; Proto=https; host="towpath.example", for=10.1.1.1;proto=https;host=towpath.example"#;
        assert_eq!(told(&[("forwarded", forwarded)]), ("2001:db8::1".into(), "https".into(), "towpath.example".into()));
        assert_eq!(addressed(&[("forwarded", "for=203.0.113.9, for=_hidden, for=10.1.1.1")]), "10.1.1.1");
        // A proxy that writes X-Forwarded-For passes a caller's own Forwarded on.
        let both = [("forwarded", "for=127.0.0.1;proto=https;host=evil.example"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(told(&both), ("203.0.113.9".into(), "-".into(), "-".into()));
    }
}
