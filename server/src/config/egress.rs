//! Which private addresses workflows may reach.

use super::{
    parse,
    reader::Reader,
    setting::{Area, Setting},
};
use ipnet::IpNet;

pub const AREA: Area = Area { title: "Outgoing calls", settings: &[&ALLOW] };

const ALLOW: Setting = Setting {
    name: "TOWPATH_EGRESS_ALLOW",
    default: "empty: workflows reach public addresses only",
    allowed: "a list, with commas, of networks (10.1.0.0/16), addresses (10.1.2.3) and hosts with a port (crm.internal:8443)",
    about: "Private addresses that workflows may call: this machine's, your network's, link-local ones. The setting is the \
            instance's; no workspace can change it.",
    secret: false,
    from_file: true,
    only_environment: false,
};

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Every port of these addresses.
    Network(IpNet),
    /// This host, on this port, whatever address the name has. In lower case; an IPv6 literal without its brackets.
    Endpoint { host: String, port: u16 },
}

#[derive(Clone, Debug, Default)]
pub struct EgressConfig {
    pub allow: Vec<Allowed>,
}

impl EgressConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let allow = reader.read(&ALLOW, |text| {
            parse::list(text).map(|item| allowed(item).ok_or_else(|| Some(format!("{item:?} is none of these.")))).collect()
        });
        Self { allow: allow.unwrap_or_default() }
    }
}

fn allowed(item: &str) -> Option<Allowed> {
    if let Some(network) = parse::network(item) {
        return Some(Allowed::Network(network));
    }
    let (host, port) = item.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).to_ascii_lowercase();
    url::Host::parse(&host).or_else(|_| url::Host::parse(&format!("[{host}]"))).ok()?;
    Some(Allowed::Endpoint { host, port })
}
