//! The mail server through which the instance sends.

use super::{
    reader::Reader,
    setting::{Area, Setting},
};
use crate::egress::mail::{BadSetting, MailSettings, SETTING};

pub const AREA: Area = Area { title: "Mail", settings: &[&SMTP] };

const SMTP: Setting = Setting {
    name: SETTING,
    default: "not set: no mail is sent, and steps that send some say so",
    allowed: "a URL such as smtps://user:password@mail.example.com?from=towpath@example.com or \
              smtp://mail.internal:25?tls=none&from=towpath@example.com",
    about: "The mail server. `from` is the sender where a step names none; a user name that is an address does as well. Write `%40` for \
            the `@` in a user's name and `%2B` for a plus sign. `smtps` is TLS from the start (port 465). `smtp` (port 587) demands \
            STARTTLS, except towards this machine itself, where it takes it if it is offered; `tls=required`, `tls=opportunistic` and \
            `tls=none` say it outright, the last for a relay in a network that is trusted as a whole. `hello` is the name that this \
            server gives itself. The server may be in the private network: being this setting is its permission.",
    secret: true,
    from_file: true,
    only_environment: false,
};

#[derive(Clone, Debug, Default)]
pub struct MailConfig {
    pub smtp: Option<MailSettings>,
}

impl MailConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { smtp: reader.read(&SMTP, |text| text.parse().map_err(|bad: BadSetting| Some(bad.to_string()))) }
    }
}
