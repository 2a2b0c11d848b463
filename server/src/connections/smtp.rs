//! A mail connection's fields as the door's mail settings.

use super::Granted;
use crate::egress::mail::{MailSettings, Security, SignIn, Whose};
use towpath_connectors::sdk::value;
use towpath_engine::{Object, error::StepError};

/// The port that a connection names, else the one that its security usually has.
pub(super) fn port(fields: &Object) -> u16 {
    let standard = match value::text_field(fields, "security").as_str() {
        "tls" => 465,
        "none" => 25,
        _ => 587,
    };
    value::text_field(fields, "port").trim().parse().ok().filter(|port| *port > 0).unwrap_or(standard)
}

/// Where mail goes, without a sign-in.
///
/// # Errors
/// A sentence that names the field with the mistake.
pub(super) fn settings(name: &str, fields: &Object) -> Result<MailSettings, StepError> {
    let text = |field: &str| value::text_field(fields, field).trim().to_owned();
    let from = text("from").parse().map_err(|_| {
        StepError::invalid_input(format!("The connection “{name}” has no sender that is an e-mail address.")).field("from")
    })?;
    Ok(MailSettings::of_connection(Whose::Connection(name.to_owned()), text("host"), port(fields), security(fields), from))
}

fn security(fields: &Object) -> Security {
    match value::text_field(fields, "security").as_str() {
        "tls" => Security::Tls,
        "none" => Security::None,
        _ => Security::StartTls,
    }
}

/// Where mail goes, and who signs in.
pub(super) fn opened(granted: &Granted) -> Result<MailSettings, StepError> {
    let mut settings = settings(&granted.name, &granted.fields)?;
    let user = value::text_field(&granted.fields, "user");
    let password = value::text_field(&granted.secrets, "password");
    settings.sign_in = (!user.trim().is_empty()).then(|| SignIn { user: user.trim().to_owned(), password });
    Ok(settings)
}
