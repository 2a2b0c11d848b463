//! Which private addresses workflows may reach.

use super::{
    reader::Reader,
    setting::{Area, Setting},
};
use crate::egress::allow::{AllowList, BadEntry, SETTING};

pub const AREA: Area = Area { title: "Outgoing calls", settings: &[&ALLOW] };

const ALLOW: Setting = Setting {
    name: SETTING,
    default: "empty: workflows reach public addresses only",
    allowed: "a list, with commas, of networks (10.1.0.0/16), addresses (10.1.2.3) and hosts with a port (crm.internal:8443); networks and \
              addresses may have a port as well (10.1.2.3:8080)",
    about: "Private addresses that workflows may call: this machine's, your network's, link-local ones. The setting is the \
            instance's; no workspace can change it.",
    secret: false,
    from_file: true,
    only_environment: false,
};

#[derive(Clone, Debug, Default)]
pub struct EgressConfig {
    pub allow: AllowList,
}

impl EgressConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let allow = reader.read(&ALLOW, |text| text.parse().map_err(|bad: BadEntry| Some(bad.to_string())));
        Self { allow: allow.unwrap_or_default() }
    }
}
