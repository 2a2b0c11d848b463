//! TLS in this process: a certificate from files, or from an authority that speaks ACME.

use super::{
    reader::Reader,
    server::{Listen, listen},
    setting::{Area, Setting},
};
use crate::tls::{acme, files::Files};
use std::path::{Path, PathBuf};
use url::{Host, Url};

pub const AREA: Area =
    Area { title: "TLS", settings: &[&CERTIFICATE, &KEY, &ACME_EMAIL, &ACME_DIRECTORY, &ACME_ROOT, &HTTP_LISTEN] };

const CERTIFICATE: Setting = Setting {
    name: "TOWPATH_TLS_CERT",
    default: "not set: Towpath speaks plain http, for this machine or behind a proxy",
    allowed: "the absolute path of a PEM file",
    about: "The server's certificate, followed by those between it and its authority. Towpath then speaks https (HTTP/2 and HTTP/1.1) on \
            `TOWPATH_LISTEN`. When the file changes the new certificate is used within seconds, without a restart.",
    secret: false,
    from_file: false,
    only_environment: false,
};

const KEY: Setting = Setting {
    name: "TOWPATH_TLS_KEY",
    default: "not set",
    allowed: "the absolute path of a PEM file",
    about: "The certificate's private key, without a passphrase.",
    secret: false,
    from_file: false,
    only_environment: false,
};

const ACME_EMAIL: Setting = Setting {
    name: "TOWPATH_ACME_EMAIL",
    default: "not set: no certificate is asked for",
    allowed: "an e-mail address",
    about: "With it Towpath gets its certificate by itself, for the name in `TOWPATH_PUBLIC_URL` (which must be https), and renews it. The \
            authority checks the name by connecting to its port 443, so `TOWPATH_LISTEN` is 443 then unless it says otherwise. Setting it \
            accepts the authority's terms of service.",
    secret: false,
    from_file: false,
    only_environment: false,
};

const ACME_DIRECTORY: Setting = Setting {
    name: "TOWPATH_ACME_DIRECTORY",
    default: "Let's Encrypt's",
    allowed: "an https URL",
    about: "The directory of another certificate authority that speaks ACME.",
    secret: false,
    from_file: false,
    only_environment: false,
};

const ACME_ROOT: Setting = Setting {
    name: "TOWPATH_ACME_ROOT",
    default: "not set: the system's authorities",
    allowed: "the absolute path of a PEM file",
    about: "Who signed the certificate of `TOWPATH_ACME_DIRECTORY` itself, where that is your own authority.",
    secret: false,
    from_file: false,
    only_environment: false,
};

const HTTP_LISTEN: Setting = Setting {
    name: "TOWPATH_HTTP_LISTEN",
    default: "not set: nobody listens for plain http",
    allowed: "a port (80), or an address and a port (0.0.0.0:80)",
    about: "With TLS, a second listener that sends browsers on from http to https, and answers a certificate authority that proves the \
            name over http.",
    secret: false,
    from_file: false,
    only_environment: false,
};

/// Where the certificate comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Plain http.
    #[default]
    None,
    Files(Files),
    Acme(acme::Settings),
}

#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    pub source: Source,
    /// The listener that sends browsers on to https.
    pub http_listen: Option<Listen>,
}

impl TlsConfig {
    pub(super) fn read(reader: &mut Reader, public_url: Option<&Url>) -> Self {
        let certificate = reader.read(&CERTIFICATE, absolute);
        let key = reader.read(&KEY, absolute);
        let email = reader.read(&ACME_EMAIL, email);
        let directory = reader.read(&ACME_DIRECTORY, directory);
        let root = reader.read(&ACME_ROOT, absolute);
        let http_listen = reader.read(&HTTP_LISTEN, listen);
        let source = match (certificate, key, email) {
            (Some(certificate), Some(key), None) => Source::Files(Files { certificate, key }),
            (None, None, None) => Source::None,
            (None, None, Some(email)) => match name(public_url) {
                Ok(name) => Source::Acme(acme::Settings {
                    email,
                    directory: directory.unwrap_or_else(|| acme::DIRECTORY.to_owned()),
                    root,
                    name,
                    http: http_listen.is_some(),
                }),
                Err(mistake) => {
                    reader.refuse(mistake);
                    Source::None
                }
            },
            (_, _, Some(_)) => {
                reader.refuse(
                    "TOWPATH_ACME_EMAIL asks for a certificate, and TOWPATH_TLS_CERT or TOWPATH_TLS_KEY names one; keep one of the two \
                     ways."
                        .to_owned(),
                );
                Source::None
            }
            (certificate, _, None) => {
                let (set, missing) = if certificate.is_some() { (&CERTIFICATE, &KEY) } else { (&KEY, &CERTIFICATE) };
                // What is wrong in the other one has been said.
                if !reader.is_set(missing) {
                    reader.refuse(format!("{} is set and {} is not; TLS needs both.", set.name, missing.name));
                }
                Source::None
            }
        };
        if http_listen.is_some() && source == Source::None && !reader.has_mistakes() {
            reader.refuse(format!(
                "{} is set, but Towpath has no https to send anybody on to. Set {} and {}, or {}, or leave it out.",
                HTTP_LISTEN.name, CERTIFICATE.name, KEY.name, ACME_EMAIL.name
            ));
        }
        Self { source, http_listen }
    }

    /// Does Towpath speak https itself?
    pub fn is_on(&self) -> bool {
        self.source != Source::None
    }
}

fn absolute(text: &str) -> super::parse::Parsed<PathBuf> {
    let path = Path::new(text);
    if path.is_absolute() { Ok(path.to_owned()) } else { Err(None) }
}

fn email(text: &str) -> super::parse::Parsed<String> {
    match text.split_once('@') {
        Some((user, host)) if !user.is_empty() && host.contains('.') && !text.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        _ => Err(None),
    }
}

fn directory(text: &str) -> super::parse::Parsed<String> {
    Url::parse(text).ok().filter(|url| url.scheme() == "https").map(|url| url.to_string()).ok_or(None)
}

/// The name that an authority can certify.
fn name(public_url: Option<&Url>) -> Result<String, String> {
    let needed = "TOWPATH_ACME_EMAIL needs TOWPATH_PUBLIC_URL to be an https address";
    let url = public_url.ok_or_else(|| format!("{needed}, such as https://towpath.example.com; it is not set."))?;
    match url.host() {
        _ if url.scheme() != "https" => Err(format!("{needed}; it is {url}.")),
        Some(Host::Domain(name)) if name.contains('.') && !name.ends_with(".localhost") => Ok(name.to_owned()),
        _ => Err(format!("{needed} with a name that the whole internet knows; {url} has none.")),
    }
}
