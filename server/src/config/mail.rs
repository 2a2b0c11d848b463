//! The mail server through which the instance sends.

use super::{
    Secret, parse,
    reader::Reader,
    setting::{Area, Setting},
};
use url::Url;

pub const AREA: Area = Area { title: "Mail", settings: &[&SMTP] };

const SMTP: Setting = Setting {
    name: "TOWPATH_SMTP_URL",
    default: "not set: no mail is sent, and steps that send some say so",
    allowed: "a URL such as smtps://user:password@mail.example.com:465?from=towpath@example.com (or smtp:// with \
              ?tls=required for STARTTLS), with an address to send from",
    about: "The mail server. `from` is the sender where a step names none; write `%2B` for a plus sign and `%40` for the `@` in \
            a user's name. `smtps` is TLS from the start (465); `smtp` with `tls=required` is STARTTLS (587); plain `smtp` sends in the \
            clear and is meant for a relay on the same machine.",
    secret: true,
    from_file: true,
    only_environment: false,
};

/// A mail server and who sends.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Scheme, user, password, host, port and `tls`, as `lettre`'s `from_url` takes them; without `from`.
    pub url: Secret,
    pub from: lettre::message::Mailbox,
}

#[derive(Clone, Debug, Default)]
pub struct MailConfig {
    pub smtp: Option<Smtp>,
}

impl MailConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { smtp: reader.read(&SMTP, smtp) }
    }
}

fn smtp(text: &str) -> parse::Parsed<Smtp> {
    let mut url = Url::parse(text).map_err(|_| None)?;
    if !matches!(url.scheme(), "smtp" | "smtps") {
        return Err(Some("It must begin with smtp:// or smtps://.".to_owned()));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Some("It names no host.".to_owned()));
    }
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let from = pairs.iter().find(|(name, _)| name == "from").map(|(_, value)| value.as_str());
    let from = from.ok_or_else(|| Some("It names no sender (?from=…).".to_owned()))?;
    let from = from.parse().map_err(|_| Some("What it says after from= is not a mail address.".to_owned()))?;
    if let Some((name, _)) = pairs.iter().find(|(name, _)| name != "from" && name != "tls") {
        return Err(Some(format!("It may have from and tls after the question mark, not {name:?}.")));
    }
    url.set_query(None);
    if let Some((_, tls)) = pairs.iter().find(|(name, _)| name == "tls") {
        if url.scheme() == "smtps" || !matches!(tls.as_str(), "required" | "opportunistic") {
            return Err(Some("tls may be required or opportunistic, with smtp:// only.".to_owned()));
        }
        url.query_pairs_mut().append_pair("tls", tls);
    }
    Ok(Smtp { url: Secret::new(url.as_str()), from })
}
