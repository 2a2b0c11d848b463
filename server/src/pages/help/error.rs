//! The page behind an error's code: what it means, and what to do.

use crate::{
    auth::{Actor, visit::Visit},
    pages,
    problem::{Code, Problem},
};
use axum::{extract::Path, response::Response};
use towpath_web::help::error::ErrorHelp;

/// `GET /help/errors/{code}`
pub async fn show(visit: Visit, actor: Option<Actor>, Path(name): Path<String>) -> Result<Response, Problem> {
    let code = Code::ALL.into_iter().find(|code| code.name() == name).ok_or_else(Problem::not_found)?;
    let (meaning, advice) = texts(code);
    pages::html(&ErrorHelp {
        page: super::page(actor.as_ref(), &visit, code.title()),
        code: code.name(),
        status: code.status().as_u16(),
        meaning,
        advice,
    })
}

/// What a code means, and what to do about it, step by step.
fn texts(code: Code) -> (&'static str, &'static [&'static str]) {
    match code {
        Code::InvalidInput => (
            "Something that was sent can't be used as it is: a field is empty that must not be, an address is mistyped, or a body is not what its type says.",
            &[
                "Read the message beside the field; it says what is expected.",
                "Programs find one entry per field under “fields”.",
            ],
        ),
        Code::NotSignedIn => (
            "The request came without a session, or its session is over. A session ends after 12 hours without use, after 30 days, at sign-out, and when the password is changed elsewhere.",
            &["Sign in again."],
        ),
        Code::Forbidden => (
            "You are signed in, but this is not yours to do: your role in the workspace does not include it, or the request did not come from one of Towpath's own pages.",
            &[
                "Ask an admin of the workspace for a role that includes it.",
                "When the message speaks of an earlier session: load the page again and repeat what you did.",
                "When the message speaks of another site: open Towpath itself. If you came through a proxy, let it pass the Host header on unchanged, or set TOWPATH_PUBLIC_URL.",
            ],
        ),
        Code::NotFound => (
            "There is nothing at this address for you: it was deleted, it never was, or it belongs to a workspace that you are not in. Towpath doesn't say which.",
            &["Go back to the list and look there.", "Check the address for typing mistakes."],
        ),
        Code::Conflict => (
            "What you asked for clashes with what is there: the name is taken, or somebody changed the state in the meantime.",
            &["Load the page again and look at the state as it is now."],
        ),
        Code::StaleRevision => (
            "Somebody else, or you in another tab, changed this workflow after your page had loaded it. Nothing was overwritten.",
            &["The builder takes the other change in by itself. If it does not, load the page again."],
        ),
        Code::MethodNotAllowed => (
            "The address exists, but not for this HTTP method.",
            &["Check which method the address takes: a webhook takes POST unless its settings say otherwise."],
        ),
        Code::TooLarge => (
            "What was sent is larger than this server accepts. Nothing of it was stored.",
            &["Send less at once.", "Whoever runs the server can raise the limit with TOWPATH_MAX_BODY."],
        ),
        Code::UnsupportedMediaType => (
            "The Content-Type header names a kind of content that this address does not take.",
            &["Check the header: programs mostly send application/json."],
        ),
        Code::Misdirected => (
            "The request asked for a host name that this server does not answer under. That protects against pages that point a name of theirs at your machine.",
            &[
                "Use an address that the server printed when it started.",
                "When Towpath is reached under another name, set TOWPATH_PUBLIC_URL to it.",
            ],
        ),
        Code::TooManyRequests => (
            "There were more requests, or more tries to sign in, than are let through in this time.",
            &["Wait as long as the message says. Programs find the seconds in the Retry-After header."],
        ),
        Code::RequestTimeout => (
            "The request did not arrive completely within the time that the server waits for it.",
            &["Send it again.", "On a slow connection, send less at once."],
        ),
        Code::Internal => (
            "Something broke that nobody foresaw. It was written to the server's log under the number of the request.",
            &[
                "Try again; it may have been a moment.",
                "If it stays, tell whoever runs the server, with the number of the request.",
            ],
        ),
        Code::Unavailable => (
            "The server can't do this right now: its database does not answer, it is short of space, or it is just stopping or starting. What was accepted before is safe.",
            &[
                "Try again in a moment. Senders of webhooks are told to do the same.",
                "Whoever runs the server sees the reason at /readyz and in the log.",
            ],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_with_advice() {
        for code in Code::ALL {
            let (meaning, advice) = texts(code);
            assert!(meaning.ends_with('.') && !advice.is_empty() && advice.iter().all(|line| line.ends_with('.')), "{code:?}");
        }
    }
}
