//! The setting `TOWPATH_SMTP_URL`, or a mail connection in its place: which server sends the mail, how the way to it is secured, and who the sender is.

use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use std::{fmt, str::FromStr};
use url::{Host, Url};

/// The name of the setting, for messages.
pub const SETTING: &str = "TOWPATH_SMTP_URL";

/// `smtp://user:password@host:port?from=Shop%20<orders@example.com>` or `smtps://…`.
///
/// `smtps` is TLS from the start (port 465). `smtp` (port 587) demands STARTTLS, so that neither mail nor password travels in clear;
/// towards this machine itself it takes STARTTLS when it is offered and does without otherwise. `?tls=required`, `?tls=opportunistic`
/// and `?tls=none` say it outright; the last is for a relay inside a network that is trusted as a whole.
#[derive(Clone)]
pub struct MailSettings {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub sign_in: Option<SignIn>,
    /// For messages that name no sender: `from`, else the user name where it is an address.
    pub from: Mailbox,
    /// What we call ourselves in EHLO.
    pub hello: String,
    pub whose: Whose,
}

/// Who decided on a mail server, and so who can mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// An operator, in [`SETTING`].
    Setting,
    /// The owner of the connection of this name.
    Connection(String),
}

impl Whose {
    /// What to do when the server can't be used like this.
    pub(super) fn hint(&self, setting: &str, connection: &str) -> String {
        match self {
            Self::Setting => format!("An operator {setting} in {SETTING}."),
            Self::Connection(name) => format!("Its owner {connection} in the connection “{name}”."),
        }
    }
}

impl MailSettings {
    /// A connection's server, without a sign-in.
    pub(crate) fn of_connection(whose: Whose, host: String, port: u16, security: Security, from: Mailbox) -> Self {
        let hello = Some(from.email.domain().to_owned()).filter(|domain| domain.is_ascii()).unwrap_or_else(|| "localhost".into());
        Self { host, port, security, sign_in: None, from, hello, whose }
    }
}

/// How the way to the server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS, or nothing is sent.
    StartTls,
    /// STARTTLS where it is offered.
    Offered,
    /// Never.
    None,
}

/// A user name and its password. Neither is ever printed.
#[derive(Clone)]
pub struct SignIn {
    pub user: String,
    pub password: String,
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{} ({:?}, {})",
            self.host,
            self.port,
            self.security,
            if self.sign_in.is_some() { "signs in" } else { "no sign-in" }
        )
    }
}

/// A setting that can't be used. Its text never holds the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSetting(pub String);

impl FromStr for MailSettings {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |what: &str| BadSetting(what.to_owned());
        let url = Url::parse(text.trim()).map_err(|error| BadSetting(format!("It is not an address: {error}.")))?;
        let host = match url.host().ok_or_else(|| bad("It names no host."))? {
            // Other schemes than http leave names as they are written.
            Host::Domain(name) => percent_decode_str(name).decode_utf8_lossy().into_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        if host.is_empty() {
            return Err(bad("It names no host."));
        }
        let loopback = host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        let (mut security, standard_port) = match url.scheme() {
            "smtps" => (Security::Tls, 465),
            "smtp" if loopback => (Security::Offered, 587),
            "smtp" => (Security::StartTls, 587),
            other => return Err(BadSetting(format!("It begins with {other}://; it must begin with smtp:// or smtps://."))),
        };
        let (mut from, mut hello) = (None, None);
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("tls", _) if url.scheme() == "smtps" => {
                    return Err(bad("smtps:// is always TLS; tls= is for smtp:// only."));
                }
                ("tls", "required") => security = Security::StartTls,
                ("tls", "opportunistic") => security = Security::Offered,
                ("tls", "none") => security = Security::None,
                ("tls", _) => return Err(bad("tls may be required, opportunistic or none.")),
                ("from", value) => {
                    from = Some(value.parse().map_err(|_| bad("What it says after from= is not a mail address."))?);
                }
                ("hello", value) if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()) => {
                    hello = Some(value.to_owned());
                }
                (other, _) => {
                    return Err(BadSetting(format!("It may have from, tls and hello after the question mark, not {other:?}.")));
                }
            }
        }
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let sign_in = (!url.username().is_empty())
            .then(|| SignIn { user: decode(url.username()), password: decode(url.password().unwrap_or_default()) });
        // Most accounts are called like their address.
        let from: Option<Mailbox> = from.or_else(|| sign_in.as_ref()?.user.parse().ok());
        let from = from.ok_or_else(|| bad("It names no sender (?from=…)."))?;
        let domain = || Some(from.email.domain().to_owned()).filter(|domain| domain.is_ascii());
        let hello = hello.or_else(domain).unwrap_or_else(|| "localhost".into());
        Ok(Self { host, port: url.port().unwrap_or(standard_port), security, sign_in, from, hello, whose: Whose::Setting })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> MailSettings {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_way_is_secured_unless_somebody_says_otherwise() {
        let table = [
            ("smtp://mail.example.com?from=a@b.de", 587, Security::StartTls),
            ("smtp://mail.example.com:25?from=a@b.de", 25, Security::StartTls),
            ("smtps://mail.example.com?from=a@b.de", 465, Security::Tls),
            ("smtp://10.0.0.5?from=a@b.de", 587, Security::StartTls),
            ("smtp://localhost:1025?from=a@b.de", 1025, Security::Offered),
            ("smtp://127.0.0.1:1025?from=a@b.de", 1025, Security::Offered),
            ("smtp://[::1]:1025?from=a@b.de", 1025, Security::Offered),
            ("smtp://localhost:1025?tls=required&from=a@b.de", 1025, Security::StartTls),
            ("smtp://mail.internal:25?tls=none&from=a@b.de", 25, Security::None),
            ("smtp://mail.internal:25?tls=opportunistic&from=a@b.de", 25, Security::Offered),
        ];
        for (text, port, security) in table {
            let settings = read(text);
            assert_eq!((settings.port, settings.security), (port, security), "{text}");
        }
    }

    #[test]
    fn user_password_and_sender_are_read_with_their_odd_characters() {
        let settings = read("smtp://ada%40example.com:p%40ss%2Fw%3Ard@mail.example.com");
        let sign_in = settings.sign_in.as_ref().unwrap();
        assert_eq!((sign_in.user.as_str(), sign_in.password.as_str()), ("ada@example.com", "p@ss/w:rd"));
        assert_eq!(settings.from.to_string(), "ada@example.com");
        assert_eq!(settings.hello, "example.com");
        assert!(!format!("{settings:?}").contains("p@ss"));
        let settings = read("smtps://u:p@mail.example.com?from=Shop%20%3Corders@shop.example%3E&hello=towpath.shop.example");
        assert_eq!(settings.from.to_string(), "Shop <orders@shop.example>");
        assert_eq!(settings.hello, "towpath.shop.example");
    }

    #[test]
    fn a_mistake_is_told_without_the_password() {
        for bad in [
            "mail.example.com",
            "smtp://localhost",
            "smtp://user:secretpw@mail.example.com",
            "http://u:secretpw@mail.example.com",
            "smtp://",
            "smtp://u:secretpw@mail.example.com?tls=maybe",
            "smtps://u:secretpw@mail.example.com?tls=none",
            "smtp://u:secretpw@mail.example.com?from=nobody",
            "smtp://u:secretpw@mail.example.com?form=a@b.de",
            "smtp://u:secretpw@mail.example.com:99999",
        ] {
            let error = bad.parse::<MailSettings>().unwrap_err().to_string();
            assert!(!error.contains("secretpw"), "{bad}: {error}");
        }
    }
}
