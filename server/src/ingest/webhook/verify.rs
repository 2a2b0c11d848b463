//! Is a caller who they say they are? Pure, over the raw bytes, in constant time; whatever is missing or unreadable is a no.

use super::settings::Auth;
use crate::{
    ingest::decide::{Reason, Refusal},
    vault::Secret,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Digest as _;
use subtle::ConstantTimeEq as _;

/// How far a signed time may be from ours, in seconds.
const TOLERANCE: i64 = 300;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A way of signing.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// Where the signature comes.
    pub header: HeaderName,
    pub algorithm: Algorithm,
    pub encoding: Encoding,
    pub list: List,
    /// Where the signed time comes, when not in the signature's own header.
    pub timestamp_header: Option<HeaderName>,
    /// What is signed: text with `{body}`, `{timestamp}` and `{id}` (the header `webhook-id`).
    pub message: String,
    pub secret: SecretForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Hex,
    Base64,
}

/// How signatures stand in their header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    /// One, after a fixed prefix.
    One { prefix: String },
    /// `v1,<base64>` any number of times with spaces between: a sender who changes its secret signs with both.
    Standard,
    /// `t=<time>,v1=<hex>,v1=<hex>`.
    Stripe,
}

/// How the secret's text becomes a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// Its bytes.
    Text,
    /// Base64 after an optional `whsec_`.
    Standard,
}

impl Scheme {
    /// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
    pub fn standard_webhooks() -> Self {
        Self {
            header: HeaderName::from_static("webhook-signature"),
            algorithm: Algorithm::Sha256,
            encoding: Encoding::Base64,
            list: List::Standard,
            timestamp_header: Some(HeaderName::from_static("webhook-timestamp")),
            message: "{id}.{timestamp}.{body}".into(),
            secret: SecretForm::Standard,
        }
    }
}

impl SecretForm {
    /// The key, when the text is one.
    pub fn key(self, secret: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Text => Some(secret.to_vec()),
            Self::Standard => {
                let text = std::str::from_utf8(secret).ok()?.trim();
                BASE64.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok().filter(|key| !key.is_empty())
            }
        }
    }
}

/// What can be said before the body is read: password and token.
pub fn credentials(auth: &Auth, secret: Option<&Secret>, headers: &HeaderMap) -> Result<(), Refusal> {
    if matches!(auth, Auth::None) {
        return Ok(());
    }
    let secret = secret.filter(|secret| !secret.expose().is_empty()).ok_or_else(not_set_up)?;
    match auth {
        Auth::None | Auth::Signed(_) => Ok(()),
        Auth::Basic { user } => {
            let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
                let (scheme, encoded) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("basic").then(|| BASE64.decode(encoded.trim()).ok())?
            });
            let given =
                given.ok_or_else(|| Refusal::new(Reason::Credentials, "No user name and password came with the request."))?;
            let expected = [user.as_bytes(), b":", secret.expose()].concat();
            same(&given, &expected)
                .then_some(())
                .ok_or_else(|| Refusal::new(Reason::Credentials, "The user name or the password was wrong."))
        }
        Auth::Header { name } => {
            let given = headers.get(name).map(HeaderValue::as_bytes);
            let given = given
                .ok_or_else(|| Refusal::new(Reason::Credentials, format!("The header {name} with the token was missing.")))?;
            same(given, secret.expose())
                .then_some(())
                .ok_or_else(|| Refusal::new(Reason::Credentials, format!("The token in the header {name} was wrong.")))
        }
    }
}

/// Compares hashes, so that neither the place of the first difference nor the length of the secret shows in the time it takes.
fn same(given: &[u8], expected: &[u8]) -> bool {
    sha2::Sha256::digest(given).ct_eq(&sha2::Sha256::digest(expected)).into()
}

fn not_set_up() -> Refusal {
    Refusal::new(Reason::NotSetUp, "The trigger asks callers for a secret, and none is set yet. Set it, then send this again.")
}

/// What can be said once the body is there: its signature.
pub fn signature(
    auth: &Auth,
    secret: Option<&Secret>,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let Auth::Signed(scheme) = auth else { return Ok(()) };
    let secret = secret.filter(|secret| !secret.expose().is_empty()).ok_or_else(not_set_up)?;
    let key = scheme.secret.key(secret.expose()).ok_or_else(|| {
        Refusal::new(
            Reason::NotSetUp,
            "The secret that is set is not one of this scheme: it should be whsec_ and base64. Set it again.",
        )
    })?;
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let given = text(&scheme.header).ok_or_else(|| {
        Refusal::new(Reason::Signature, format!("The header {} with the signature was missing.", scheme.header))
    })?;
    let (signatures, inner_time) = scheme.signatures(given);

    let timestamp = match (&scheme.timestamp_header, &scheme.list) {
        (Some(name), _) => Some(
            text(name).ok_or_else(|| Refusal::new(Reason::Timestamp, format!("The header {name} with the time was missing.")))?,
        ),
        (None, List::Stripe) => Some(
            inner_time.ok_or_else(|| Refusal::new(Reason::Timestamp, format!("The header {} held no time.", scheme.header)))?,
        ),
        (None, _) => None,
    };
    let id = headers.get("webhook-id").map(HeaderValue::as_bytes);
    if scheme.list == List::Standard && id.is_none() {
        return Err(Refusal::new(Reason::Signature, "The header webhook-id was missing."));
    }
    let parts = scheme.parts(id.unwrap_or_default(), timestamp.unwrap_or_default().as_bytes(), body);
    if !signatures.iter().any(|given| scheme.algorithm.verifies(&key, &parts, given)) {
        return Err(Refusal::new(Reason::Signature, "The signature does not fit the body and the secret."));
    }
    // Only after the signature: a stranger learns nothing about our clock.
    timestamp.map_or(Ok(()), |timestamp| fresh(timestamp, now))
}

fn fresh(timestamp: &str, now: DateTime<Utc>) -> Result<(), Refusal> {
    let seconds: i64 = timestamp
        .parse()
        .map_err(|_| Refusal::new(Reason::Timestamp, "The signed time was not a number of seconds since 1970."))?;
    // Some senders sign milliseconds.
    let seconds = if seconds.unsigned_abs() > 100_000_000_000 { seconds / 1000 } else { seconds };
    let apart = now.timestamp().saturating_sub(seconds);
    if apart.unsigned_abs() <= TOLERANCE.unsigned_abs() {
        return Ok(());
    }
    let when = if apart > 0 { "ago" } else { "ahead of this server's clock" };
    Err(Refusal::new(
        Reason::Timestamp,
        format!("It was signed {} seconds {when}; more than five minutes are not accepted.", apart.unsigned_abs()),
    ))
}

impl Scheme {
    /// The signatures in the header's text, decoded, and the time beside them.
    fn signatures<'t>(&self, given: &'t str) -> (Vec<Vec<u8>>, Option<&'t str>) {
        let mut time = None;
        let texts: Vec<&str> = match &self.list {
            List::One { prefix } => given.strip_prefix(prefix.as_str()).into_iter().collect(),
            List::Standard => given.split_whitespace().filter_map(|item| item.strip_prefix("v1,")).collect(),
            List::Stripe => {
                let pairs = || given.split(',').filter_map(|pair| pair.trim().split_once('='));
                time = pairs().find(|(name, _)| *name == "t").map(|(_, value)| value);
                pairs().filter(|(name, _)| *name == "v1").map(|(_, value)| value).collect()
            }
        };
        // A header full of signatures must not make us compute for ever.
        let decoded = texts.into_iter().take(10).filter_map(|text| match self.encoding {
            Encoding::Hex => hex::decode(text).ok(),
            Encoding::Base64 => BASE64.decode(text).ok(),
        });
        (decoded.collect(), time)
    }

    /// The signed message in pieces, so that the body isn't copied.
    fn parts<'p>(&'p self, id: &'p [u8], timestamp: &'p [u8], body: &'p [u8]) -> Vec<&'p [u8]> {
        let mut parts: Vec<&[u8]> = Vec::new();
        let mut rest = self.message.as_str();
        while !rest.is_empty() {
            let known = [("{body}", body), ("{timestamp}", timestamp), ("{id}", id)];
            let next =
                known.into_iter().filter_map(|(name, value)| rest.find(name).map(|at| (at, name, value))).min_by_key(|it| it.0);
            let Some((at, name, value)) = next else {
                parts.push(rest.as_bytes());
                break;
            };
            parts.extend([&rest.as_bytes()[..at], value]);
            rest = &rest[at + name.len()..];
        }
        parts
    }
}

impl Algorithm {
    fn verifies(self, key: &[u8], parts: &[&[u8]], given: &[u8]) -> bool {
        macro_rules! verify {
            ($hash:ty) => {{
                let mut mac = Hmac::<$hash>::new_from_slice(key).expect("a key of any length will do");
                parts.iter().for_each(|part| mac.update(part));
                mac.verify_slice(given).is_ok()
            }};
        }
        match self {
            Self::Sha1 => verify!(sha1::Sha1),
            Self::Sha256 => verify!(sha2::Sha256),
            Self::Sha512 => verify!(sha2::Sha512),
        }
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
