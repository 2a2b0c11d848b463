//! Who belongs where: invitations, roles, leaving, accounts, workspaces. Pages and the API both act through here, so a rule holds for
//! both. What may be done is decided by [`rules`], which knows no database; the rest carries it out in transactions.

pub mod accounts;
pub mod invite;
pub mod join;
pub mod languages;
pub mod members;
pub mod rules;
pub mod tokens;
pub mod workspaces;

use crate::{
    app::App,
    dispatch::For,
    problem::{FieldProblem, Problem},
};
use std::time::{Duration, Instant};
use towpath_connectors::sdk::MailMessage;
use towpath_engine::ids::WorkspaceId;

/// How long a person waits for a mail to be handed over before the page says that it was not.
const MAIL_PATIENCE: Duration = Duration::from_secs(15);

/// What became of the mail that carries a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mailed {
    Sent,
    /// This server has no way to send mail.
    NotSetUp,
    /// Why not, in a sentence.
    Failed(String),
}

/// A link with its secret in it: shown once, to copy.
#[derive(Clone, Debug)]
pub struct Link {
    pub url: String,
    pub mailed: Mailed,
}

/// Sends a mail of the instance's own.
async fn mail(app: &App, workspace: WorkspaceId, id: String, to: &str, subject: String, text: String) -> Mailed {
    if app.config.mail.smtp.is_none() {
        return Mailed::NotSetUp;
    }
    let doors = (app.doors)(For::workspace(workspace));
    let message = MailMessage { id, to: vec![to.to_owned()], subject, text: Some(text), ..MailMessage::default() };
    match doors.mail.send(message, Instant::now() + MAIL_PATIENCE).await {
        Ok(_) => Mailed::Sent,
        Err(error) => Mailed::Failed(error.message),
    }
}

/// Text from outside in one line of a mail: no line breaks, no other controls.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// A name of a person or a workspace, as typed.
///
/// # Errors
/// `InvalidInput` at `field` unless it has 1 to 200 characters.
pub fn checked_name(field: &'static str, name: &str) -> Result<String, Problem> {
    if name.chars().count() > 200 {
        return Err(Problem::invalid(field, "Use at most 200 characters."));
    }
    let name = one_line(name);
    if name.is_empty() { Err(Problem::invalid(field, "Write a name.")) } else { Ok(name) }
}

/// An e-mail address as typed, in lower case.
///
/// # Errors
/// `InvalidInput` at `email` unless mail could be sent there.
pub fn checked_email(email: &str) -> Result<String, Problem> {
    let email = email.trim().to_lowercase();
    if is_email(&email) { Ok(email) } else { Err(Problem::invalid("email", "Write an address such as ada@example.com.")) }
}

/// Is this an e-mail address that can be stored?
pub fn is_email(text: &str) -> bool {
    let text = text.trim();
    (3..=254).contains(&text.len()) && text.parse::<lettre::Address>().is_ok()
}

/// The mistake of a problem at a field, where it names one.
pub fn mistake(problem: &Problem) -> Option<&FieldProblem> {
    problem.fields.first()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_outside_stays_in_its_line() {
        assert_eq!(one_line("Ada\r\nBcc: all@example.com"), "Ada  Bcc: all@example.com");
        assert!(checked_name("name", " \n ").is_err() && checked_name("name", &"x".repeat(201)).is_err());
        assert_eq!(checked_name("name", " Ada ").unwrap(), "Ada");
    }

    #[test]
    fn addresses_are_kept_in_lower_case() {
        assert_eq!(checked_email(" Ada@Example.com ").unwrap(), "ada@example.com");
        for wrong in ["", "ada", "ada@", "a b@example.com", "ada@example.com\nBcc: x@y.z"] {
            assert!(checked_email(wrong).is_err(), "{wrong:?}");
        }
    }
}
