//! The Host check: the server answers under its own names only, so that a page elsewhere can't point a name of its own at this
//! machine and read what it says (DNS rebinding), nor can a made-up name end up in a link.

use std::net::IpAddr;
use url::{Host, Url};

/// The names under which the server answers, apart from the address that a connection came in on.
#[derive(Clone, Debug, Default)]
pub struct OwnNames {
    names: Vec<String>,
    public: Option<Host<String>>,
}

impl OwnNames {
    /// This machine's names and the public URL's.
    pub fn of_this_machine(public_url: Option<&Url>) -> Self {
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self::new(&machine, public_url)
    }

    /// `machine` answers as `box.example.com`, `box` and `box.local`.
    pub fn new(machine: &str, public_url: Option<&Url>) -> Self {
        let machine = machine.trim_end_matches('.').to_ascii_lowercase();
        let short = machine.split('.').next().unwrap_or_default().to_owned();
        let mut names = vec!["localhost".to_owned()];
        if !short.is_empty() {
            names.extend([machine, format!("{short}.local"), short]);
        }
        Self { names, public: public_url.and_then(Url::host).map(|host| host.to_owned()) }
    }

    /// Whether a request that names `authority` (a host, perhaps with a port) and came in on `local` is meant for this server.
    pub fn include(&self, authority: &str, local: IpAddr) -> bool {
        let Some(host) = host_of(authority) else { return false };
        if self.public.as_ref() == Some(&host) {
            return true;
        }
        match host {
            Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                name.ends_with(".localhost") || self.names.iter().any(|own| own == name)
            }
            Host::Ipv4(address) => is_own(IpAddr::V4(address), local),
            Host::Ipv6(address) => is_own(IpAddr::V6(address), local),
        }
    }
}

fn is_own(address: IpAddr, local: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address == local.to_canonical()
}

/// The host of a Host header; `None` if it isn't one.
fn host_of(authority: &str) -> Option<Host<String>> {
    let (host, port) = match authority.rfind(':') {
        // The colons of an IPv6 literal are inside its brackets.
        Some(colon) if !authority[colon..].contains(']') => (&authority[..colon], Some(&authority[colon + 1..])),
        _ => (authority, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) || host.is_empty() {
        return None;
    }
    Host::parse(host).ok()
}

#[cfg(test)]
mod tests {
    use super::OwnNames;

    #[test]
    fn the_server_answers_under_its_own_names_and_no_others() {
        let public = "https://flows.example.com".parse().unwrap();
        let names = OwnNames::new("Box.corp.example", Some(&public));
        let table = [
            ("localhost", true),
            ("LOCALHOST:8470", true),
            ("app.localhost:8470", true),
            ("127.0.0.1:8470", true),
            ("127.9.9.9", true),
            ("[::1]:8470", true),
            ("192.168.1.5:8470", true),
            ("192.168.1.5", true),
            ("[::ffff:192.168.1.5]:8470", true),
            ("192.168.1.6:8470", false),
            ("box.corp.example", true),
            ("box", true),
            ("box.local:8470", true),
            ("box.", true),
            ("other.local", false),
            ("flows.example.com", true),
            ("FLOWS.example.com:443", true),
            ("flows.example.com.evil.test", false),
            ("evil.test", false),
            ("localhost.evil.test", false),
            ("evillocalhost", false),
            ("localhost@evil.test", false),
            ("localhost:port", false),
            ("localhost:99999", false),
            ("", false),
            (":8470", false),
            ("a b", false),
            ("[::1", false),
        ];
        for (host, expected) in table {
            assert_eq!(names.include(host, "192.168.1.5".parse().unwrap()), expected, "{host:?}");
        }
        assert!(names.include("192.168.1.5", "::ffff:192.168.1.5".parse().unwrap()), "a socket for both families");
        assert!(!OwnNames::new("", None).include("flows.example.com", "127.0.0.1".parse().unwrap()));
    }
}
