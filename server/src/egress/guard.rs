//! Which addresses may be reached: a pure decision over one IP address. Names are resolved elsewhere; this never looks anything up.
//!
//! The rule is an allow-list of the public Internet: what isn't globally reachable unicast is refused. The blocks and their names
//! follow IANA's special-purpose address registries (RFC 6890 and its successors).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Why an address isn't part of the public Internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    Loopback,
    Private,
    /// 100.64.0.0/10, between a provider and its customers (RFC 6598).
    Shared,
    LinkLocal,
    /// Where clouds hand out a machine's credentials.
    Metadata,
    /// fc00::/7.
    UniqueLocal,
    Multicast,
    Broadcast,
    /// 0.0.0.0/8 and ::; on Linux, a connection to it reaches this machine.
    Unspecified,
    Documentation,
    /// Kept back by the registries: benchmarks, protocol assignments, tunnels, and what isn't assigned.
    Special,
}

impl fmt::Display for Reserved {
    /// With its article, to be put after "is".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "this machine itself",
            Self::Private => "a private address",
            Self::Shared => "an address of a provider's own network",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud metadata address",
            Self::UniqueLocal => "a private address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "a broadcast address",
            Self::Unspecified => "an unspecified address",
            Self::Documentation => "an address for documentation only",
            Self::Special => "a reserved address",
        })
    }
}

/// `None`: a public address, anybody may be sent there. IPv6 forms that carry an IPv4 address are judged by what they carry.
pub fn reserved(address: IpAddr) -> Option<Reserved> {
    match address {
        IpAddr::V4(address) => reserved_v4(address),
        IpAddr::V6(address) => reserved_v6(address),
    }
}

fn reserved_v4(address: Ipv4Addr) -> Option<Reserved> {
    let reserved = match address.octets() {
        [0, ..] => Reserved::Unspecified,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reserved::Private,
        [100, 64..=127, ..] => {
            // Alibaba Cloud's metadata service lives in the shared block.
            if address == Ipv4Addr::new(100, 100, 100, 200) { Reserved::Metadata } else { Reserved::Shared }
        }
        [127, ..] => Reserved::Loopback,
        [169, 254, 169, 254] | [169, 254, 170, 2] | [168, 63, 129, 16] => Reserved::Metadata,
        [169, 254, ..] => Reserved::LinkLocal,
        [192, 0, 0, _] | [192, 88, 99, _] | [198, 18..=19, ..] => Reserved::Special,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Reserved::Documentation,
        [224..=239, ..] => Reserved::Multicast,
        [255, 255, 255, 255] => Reserved::Broadcast,
        [240..=255, ..] => Reserved::Special,
        _ => return None,
    };
    Some(reserved)
}

fn reserved_v6(address: Ipv6Addr) -> Option<Reserved> {
    let words = address.segments();
    let low = Ipv4Addr::from((u32::from(words[6]) << 16) | u32::from(words[7]));
    let reserved = match words {
        [0, 0, 0, 0, 0, 0, 0, 0] => Reserved::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Reserved::Loopback,
        // IPv4-mapped ::ffff:0:0/96 is how a socket spells an IPv4 address; the rest of the low block was never used.
        [0, 0, 0, 0, 0, 0xffff, ..] => return reserved_v4(low),
        [0, 0, 0, 0, 0, 0, ..] => return Some(reserved_v4(low).unwrap_or(Reserved::Special)),
        // NAT64 (RFC 6052): networks without IPv4 reach every IPv4 host like this.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => return reserved_v4(low),
        // 6to4 (RFC 3056): the relay is chosen by the embedded address.
        [0x2002, high, next, ..] => {
            let embedded = Ipv4Addr::from((u32::from(high) << 16) | u32::from(next));
            return Some(reserved_v4(embedded).unwrap_or(Reserved::Special));
        }
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Reserved::Metadata,
        [0xfc00..=0xfdff, ..] => Reserved::UniqueLocal,
        [0xfe80..=0xfebf, ..] => Reserved::LinkLocal,
        [0xff00..=0xffff, ..] => Reserved::Multicast,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Reserved::Documentation,
        // 2001::/23 holds Teredo, ORCHID and benchmarks; nothing in it is a host to talk to.
        [0x2001, 0..=0x01ff, ..] => Reserved::Special,
        // Only 2000::/3 is handed out.
        [0x2000..=0x3fff, ..] => return None,
        _ => Reserved::Special,
    };
    Some(reserved)
}

#[cfg(test)]
mod tests {
    use super::{Reserved::*, *};

    #[test]
    fn what_is_not_public_is_refused() {
        let table = [
            ("127.0.0.1", Loopback),
            ("127.0.0.0", Loopback),
            ("127.1.2.3", Loopback),
            ("127.255.255.255", Loopback),
            ("10.0.0.0", Private),
            ("10.0.0.5", Private),
            ("10.255.255.255", Private),
            ("172.16.0.0", Private),
            ("172.20.1.1", Private),
            ("172.31.255.255", Private),
            ("192.168.0.1", Private),
            ("192.168.255.255", Private),
            ("100.64.0.0", Shared),
            ("100.127.255.255", Shared),
            ("100.100.100.200", Metadata),
            ("169.254.0.1", LinkLocal),
            ("169.254.169.253", LinkLocal),
            ("169.254.169.254", Metadata),
            ("169.254.170.2", Metadata),
            ("168.63.129.16", Metadata),
            ("0.0.0.0", Unspecified),
            ("0.1.2.3", Unspecified),
            ("192.0.0.1", Special),
            ("192.0.0.170", Special),
            ("192.0.2.1", Documentation),
            ("198.51.100.7", Documentation),
            ("203.0.113.255", Documentation),
            ("192.88.99.1", Special),
            ("198.18.0.1", Special),
            ("198.19.255.255", Special),
            ("224.0.0.1", Multicast),
            ("239.255.255.250", Multicast),
            ("240.0.0.1", Special),
            ("255.255.255.254", Special),
            ("255.255.255.255", Broadcast),
            ("::", Unspecified),
            ("::1", Loopback),
            ("::ffff:127.0.0.1", Loopback),
            ("::ffff:10.0.0.5", Private),
            ("::ffff:169.254.169.254", Metadata),
            ("::ffff:0.0.0.0", Unspecified),
            ("::127.0.0.1", Loopback),
            ("::10.1.2.3", Private),
            ("::8.8.8.8", Special),
            ("::ffff:0:8.8.8.8", Special),
            ("64:ff9b::10.0.0.5", Private),
            ("64:ff9b::127.0.0.1", Loopback),
            ("64:ff9b::a9fe:a9fe", Metadata),
            ("64:ff9b:1::8.8.8.8", Special),
            ("2002:7f00:1::", Loopback),
            ("2002:a00:5::1", Private),
            ("2002:a9fe:a9fe::", Metadata),
            ("2002:808:808::1", Special),
            ("2001::1", Special),
            ("2001:0:53aa:64c:0:5efe:102:304", Special),
            ("2001:10::1", Special),
            ("2001:20::1", Special),
            ("2001:2::1", Special),
            ("2001:db8::1", Documentation),
            ("3fff::1", Documentation),
            ("3fff:fff::1", Documentation),
            ("fc00::1", UniqueLocal),
            ("fd12:3456:789a::1", UniqueLocal),
            ("fd00:ec2::254", Metadata),
            ("fe80::1", LinkLocal),
            ("febf::1", LinkLocal),
            ("fec0::1", Special),
            ("ff02::1", Multicast),
            ("ff0e::1", Multicast),
            ("100::1", Special),
            ("4000::1", Special),
            ("5f00::1", Special),
        ];
        for (address, why) in table {
            assert_eq!(reserved(address.parse().unwrap()), Some(why), "{address}");
        }
    }

    #[test]
    fn the_public_internet_is_open_right_up_to_its_edges() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "3ffe::1",
        ] {
            assert_eq!(reserved(address.parse().unwrap()), None, "{address}");
        }
    }
}
