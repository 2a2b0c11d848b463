//! What went wrong on the way to an answer, as a step's error: certainly not done, perhaps done, or nobody knows. The distinction is
//! what retries hang on, so every case here is decided by where it happened, not by how it reads.

use super::{body::Unread, connect::NoConnection};
use hyper_util::client::legacy;
use std::{error::Error, io, time::Duration};
use towpath_engine::error::{ErrorKind, StepError};

/// Who was called, for messages: `api.example.com`, with the port where it isn't the scheme's own.
pub(super) fn place(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The client gave no answer.
pub(super) fn of_client(error: &legacy::Error, place: &str) -> StepError {
    if let Some(refused) = find::<NoConnection>(error) {
        return of_connecting(refused);
    }
    if error.is_connect() {
        return of_tls(error, place);
    }
    let hyper = find::<hyper::Error>(error);
    if hyper.is_some_and(hyper::Error::is_canceled) {
        // The request was handed back: not a byte of it left.
        return StepError::new(ErrorKind::Unavailable, format!("{place} closed the connection before the request was sent."));
    }
    if hyper.is_some_and(|error| error.is_parse_too_large()) {
        return StepError::new(ErrorKind::Uncertain, format!("{place} answered with more headers than 64 KiB or 200 lines."));
    }
    if hyper.is_some_and(hyper::Error::is_parse) {
        return StepError::new(ErrorKind::Uncertain, format!("{place} answered with something that isn't HTTP."));
    }
    StepError::new(ErrorKind::Uncertain, format!("{place} cut the connection before it answered."))
}

/// There is no connection, so nothing was sent.
pub(super) fn of_connecting(error: &NoConnection) -> StepError {
    let kind = match error {
        NoConnection::Blocked { .. } => ErrorKind::Forbidden,
        NoConnection::NoName { .. }
        | NoConnection::NoAddress { .. }
        | NoConnection::Unreachable { .. }
        | NoConnection::TimedOut { .. } => ErrorKind::Unavailable,
    };
    let hint = match error {
        NoConnection::NoName { .. } | NoConnection::NoAddress { .. } => Some("Check how the name in the address is written."),
        NoConnection::Unreachable { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
            Some("Nothing listens there. Check the address and its port, and whether the service is running.")
        }
        _ => None,
    };
    let mut error = StepError::new(kind, error.to_string());
    error.hint = hint.map(Into::into);
    error
}

/// TCP worked and TLS didn't. Nothing was sent.
fn of_tls(error: &legacy::Error, place: &str) -> StepError {
    use rustls::{CertificateError as Certificate, Error as Tls};
    let unavailable = |message: String| StepError::new(ErrorKind::Unavailable, message);
    match find::<Tls>(error) {
        Some(Tls::InvalidCertificate(why)) => {
            let why = match why {
                Certificate::Expired | Certificate::ExpiredContext { .. } => "it has expired".into(),
                Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => "it isn't valid yet".into(),
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => "it is for another name".into(),
                Certificate::UnknownIssuer => "nobody that this server trusts has signed it".into(),
                Certificate::Revoked => "it was revoked".into(),
                other => other.to_string(),
            };
            unavailable(format!("{place} can't be trusted: its certificate was refused because {why}."))
                .hint("An operator can install the authority that signed it on this server.")
        }
        Some(Tls::InvalidMessage(_)) => unavailable(format!("{place} doesn't speak TLS."))
            .hint("If the service has no encryption, its address starts with http://."),
        Some(other) => unavailable(format!("No secure connection to {place}: {other}.")),
        None => unavailable(format!("{place} closed the connection while it was being secured.")),
    }
}

/// The time is over.
pub(super) fn of_time(phase: Phase, place: &str, after: Duration) -> StepError {
    let seconds = after.as_secs_f64().max(0.1);
    let seconds = if seconds < 10.0 { format!("{seconds:.1}") } else { format!("{seconds:.0}") };
    match phase {
        Phase::Connecting => {
            StepError::new(ErrorKind::Unavailable, format!("{place} gave no connection within {seconds} seconds."))
        }
        Phase::Waiting => StepError::new(ErrorKind::Timeout, format!("{place} did not answer within {seconds} seconds.")),
        Phase::Reading => {
            StepError::new(ErrorKind::Timeout, format!("{place} began to answer and did not finish within {seconds} seconds."))
        }
    }
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Connecting,
    Waiting,
    Reading,
}

/// The answer's body was not read to its end.
pub(super) fn of_body(error: &Unread, place: &str, limit: usize) -> StepError {
    match error {
        Unread::TooLarge => StepError::invalid_input(format!(
            "The answer of {place} is larger than {}, so Towpath stopped reading it.",
            size(limit)
        ))
        .hint("Ask the service for less at a time, for example by pages."),
        Unread::Cut(_) => {
            StepError::new(ErrorKind::Uncertain, format!("{place} cut the connection in the middle of its answer."))
        }
        Unread::Garbled(_) => {
            StepError::new(ErrorKind::Uncertain, format!("{place} answered with packed data that can't be unpacked."))
        }
    }
}

fn size(bytes: usize) -> String {
    const MIB: usize = 1024 * 1024;
    if bytes >= MIB && bytes.is_multiple_of(MIB) { format!("{} MiB", bytes / MIB) } else { format!("{bytes} bytes") }
}

/// After a redirect has turned a POST into a GET, the POST was taken: what would be "certainly not done" is no longer.
pub(super) fn after_rewriting(mut error: StepError) -> StepError {
    if matches!(error.kind, ErrorKind::Unavailable) {
        error.kind = ErrorKind::Uncertain;
    }
    error
}

/// The first error of type `E` among an error and its causes, looking into I/O errors too.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| find::<E>(inner)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}
