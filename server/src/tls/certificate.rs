//! What a certificate says: for whom, by whom, how long. It is read to be shown and to be renewed in time; it is not verified here.

use chrono::{DateTime, Utc};
use std::net::{Ipv4Addr, Ipv6Addr};
use x509_parser::{extensions::GeneralName, prelude::FromDer, x509::X509Name};

/// What people want to know of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// Who signed it.
    pub issuer: String,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    /// Nobody but itself signed it.
    pub self_signed: bool,
}

impl Facts {
    /// Reads a certificate in DER form; `None` when it isn't one.
    pub fn of(der: &[u8]) -> Option<Self> {
        let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(der).ok()?;
        let alternative = certificate.subject_alternative_name().ok().flatten();
        let names = alternative.iter().flat_map(|extension| &extension.value.general_names).filter_map(name).collect();
        Some(Self {
            names,
            issuer: words(certificate.issuer()),
            from: DateTime::from_timestamp(certificate.validity().not_before.timestamp(), 0)?,
            until: DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0)?,
            self_signed: certificate.issuer().as_raw() == certificate.subject().as_raw(),
        })
    }

    /// Is the certificate for this name? A `*` stands for one label, as in browsers.
    pub fn covers(&self, name: &str) -> bool {
        self.names.iter().any(|covered| match covered.strip_prefix("*.") {
            Some(rest) => {
                name.split_once('.').is_some_and(|(label, parent)| !label.is_empty() && parent.eq_ignore_ascii_case(rest))
            }
            None => covered.eq_ignore_ascii_case(name),
        })
    }

    /// Whole days that are left; below zero when it has expired.
    pub fn days_left(&self, now: DateTime<Utc>) -> i64 {
        (self.until - now).num_seconds().div_euclid(86_400)
    }

    /// When a new one is asked for: after two thirds of its life.
    pub fn renewal(&self) -> DateTime<Utc> {
        self.from + (self.until - self.from) * 2 / 3
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(four) => Some(Ipv4Addr::from(four).to_string()),
            Err(_) => Some(Ipv6Addr::from(<[u8; 16]>::try_from(*bytes).ok()?).to_string()),
        },
        _ => None,
    }
}

/// The issuer's common name and organization, as far as it has them.
fn words(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().next().and_then(|part| part.as_str().ok());
    let organization = name.iter_organization().next().and_then(|part| part.as_str().ok());
    match (common, organization) {
        (Some(common), Some(organization)) if common != organization => format!("{common} ({organization})"),
        (Some(only), _) | (None, Some(only)) => only.to_owned(),
        (None, None) => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_says_for_whom_by_whom_and_how_long() {
        let mut parameters = rcgen::CertificateParams::new([
            "flows.example.com".to_owned(),
            "*.hooks.example.com".to_owned(),
            "10.1.2.3".to_owned(),
        ])
        .unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "A workshop");
        parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2026, 4, 1);
        let certificate = parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        let facts = Facts::of(certificate.der()).unwrap();
        assert_eq!(facts.names, ["flows.example.com", "*.hooks.example.com", "10.1.2.3"]);
        assert_eq!((facts.issuer.as_str(), facts.self_signed), ("A workshop", true));
        assert_eq!(facts.renewal().to_rfc3339(), "2026-03-02T00:00:00+00:00");
        assert_eq!(facts.days_left("2026-03-31T12:00:00Z".parse().unwrap()), 0);
        assert_eq!(facts.days_left("2026-04-01T00:00:01Z".parse().unwrap()), -1);
        for (name, covered) in [
            ("flows.example.com", true),
            ("FLOWS.example.com", true),
            ("a.hooks.example.com", true),
            ("a.b.hooks.example.com", false),
            ("hooks.example.com", false),
            (".hooks.example.com", false),
            ("10.1.2.3", true),
        ] {
            assert_eq!(facts.covers(name), covered, "{name}");
        }
        assert!(Facts::of(b"no certificate").is_none());
    }
}
