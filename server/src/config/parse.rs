//! Readers of single values, shared by the areas.

use ipnet::IpNet;
use std::net::IpAddr;

/// What a reader of a value says: the value, or perhaps a sentence on what exactly is wrong.
pub type Parsed<T> = Result<T, Option<String>>;

/// Texts between commas or spaces.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '\n']).map(str::trim).filter(|item| !item.is_empty())
}

/// `10.0.0.0/8`, or a single address.
pub fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

pub fn networks(text: &str) -> Parsed<Vec<IpNet>> {
    list(text).map(|item| network(item).ok_or_else(|| Some(format!("{item:?} is not an address or a network.")))).collect()
}

/// A count of bytes: `5MiB`, `5M`, `5 MB`, `512k`, `5242880`. Units are powers of 1024.
pub fn bytes(text: &str) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|character: char| character.is_ascii_digit()).len();
    let number: u64 = text[..digits].parse().ok()?;
    let shift = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}
