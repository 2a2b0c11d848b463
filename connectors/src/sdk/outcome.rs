//! What an HTTP status means for a step: the one table from answers to error kinds. What happens on the way (no connection, a cut, a
//! time-out) is the door's to tell.

use super::HttpResponse;
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode, header};
use std::time::Duration;
use towpath_engine::{
    Json,
    error::{ErrorKind, StepError},
};

/// The longest that another side may make us wait.
pub const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// How much of an answer a message quotes, in characters.
const EXCERPT: usize = 300;

/// `Ok` below 400.
pub fn of(response: &HttpResponse) -> Result<(), StepError> {
    let status = response.status;
    if status.as_u16() < 400 {
        return Ok(());
    }
    let wait = retry_after(&response.headers, response.received);
    let kind = match status.as_u16() {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        409 | 412 => ErrorKind::Conflict,
        // After a redirect that turned a POST into a GET, the POST itself was taken: "come back later" is only about the GET.
        429 if response.rewritten => ErrorKind::Uncertain,
        429 => ErrorKind::RateLimited,
        503 if wait.is_some() && !response.rewritten => ErrorKind::Unavailable,
        500.. => ErrorKind::Uncertain,
        _ => ErrorKind::InvalidInput,
    };
    let host = response.url.host_str().unwrap_or("The service");
    let reason = status.canonical_reason().map(|reason| format!(" {reason}")).unwrap_or_default();
    let quote = excerpt(&response.headers, &response.body);
    let message = match quote {
        Some(quote) => format!("{host} answered {}{reason}: “{quote}”", status.as_u16()),
        None => format!("{host} answered {}{reason}.", status.as_u16()),
    };
    let mut error = StepError::new(kind, message);
    error.hint = hint(status).map(Into::into);
    if matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable) {
        error.retry_after = wait;
    }
    Err(error)
}

fn hint(status: StatusCode) -> Option<&'static str> {
    Some(match status.as_u16() {
        400 | 422 => "Compare what was sent with what the service expects.",
        401 => "The service doesn't accept the sign-in. Check the key, the token or the password in the step.",
        403 => "The sign-in works but may not do this. Give it the right at the service.",
        404 | 410 => "Check the address and the ids in it.",
        405 => "Try another method.",
        413 => "Send less at a time.",
        429 => "The service limits how often it may be called.",
        _ => return None,
    })
}

/// How long `Retry-After` asks to wait: seconds or a date, at most [`LONGEST_WAIT`]. A moment in the past is no wait; what can't be
/// read (a negative number, for example) is `None`.
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds is a long wait all the same.
        return Some(text.parse().map_or(LONGEST_WAIT, Duration::from_secs).min(LONGEST_WAIT));
    }
    let until = DateTime::<Utc>::from(httpdate::parse_http_date(text).ok()?);
    Some((until - now).to_std().unwrap_or_default().min(LONGEST_WAIT))
}

/// What the other side says was wrong, as short text: the message of a JSON answer, the words of a page, or the start of anything
/// else that is text.
pub fn excerpt(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(16 * 1024)]);
    if text.contains('\0') {
        return None;
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let words = if let Some(said) = serde_json::from_slice(body).ok().as_ref().and_then(said) {
        said
    } else if content_type.contains("html") || text.trim_start().starts_with("<!") {
        nanohtml2text::html2text(&text)
    } else {
        text.into_owned()
    };
    let words: Vec<&str> = words.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let words = words.join(" ");
    if words.is_empty() {
        return None;
    }
    match words.char_indices().nth(EXCERPT) {
        Some((end, _)) => Some(format!("{}…", &words[..end])),
        None => Some(words),
    }
}

/// Where JSON answers usually say what was wrong.
fn said(body: &Json) -> Option<String> {
    let places = [
        "/error/message",
        "/message",
        "/error_description",
        "/detail",
        "/errors/0/message",
        "/errors/0/detail",
        "/error/description",
        "/error",
        "/title",
        "/errors/0",
        "/msg",
        "/reason",
    ];
    places.iter().find_map(|place| body.pointer(place)?.as_str().filter(|text| !text.trim().is_empty()).map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-03-02T09:41:00Z".parse().unwrap()
    }

    type Headers = &'static [(&'static str, &'static str)];

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> HttpResponse {
        HttpResponse {
            status: StatusCode::from_u16(status).unwrap(),
            url: "https://api.example/x".parse().unwrap(),
            headers: headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
            body: body.as_bytes().into(),
            took: Duration::ZERO,
            received: now(),
            rewritten: false,
            cut: None,
        }
    }

    fn kind(status: u16, headers: &[(&'static str, &str)]) -> ErrorKind {
        of(&answer(status, headers, "")).unwrap_err().kind
    }

    #[test]
    fn every_status_has_its_kind() {
        for status in [200, 201, 204, 302, 304, 399] {
            assert!(of(&answer(status, &[], "")).is_ok(), "{status}");
        }
        let table = [
            (400, ErrorKind::InvalidInput),
            (401, ErrorKind::Unauthorized),
            (402, ErrorKind::InvalidInput),
            (403, ErrorKind::Forbidden),
            (404, ErrorKind::NotFound),
            (405, ErrorKind::InvalidInput),
            (409, ErrorKind::Conflict),
            (410, ErrorKind::NotFound),
            (412, ErrorKind::Conflict),
            (422, ErrorKind::InvalidInput),
            (429, ErrorKind::RateLimited),
            (500, ErrorKind::Uncertain),
            (502, ErrorKind::Uncertain),
            (503, ErrorKind::Uncertain),
            (504, ErrorKind::Uncertain),
            (599, ErrorKind::Uncertain),
            (999, ErrorKind::Uncertain),
        ];
        for (status, expected) in table {
            assert_eq!(kind(status, &[]), expected, "{status}");
        }
        assert_eq!(kind(503, &[("retry-after", "5")]), ErrorKind::Unavailable);
        assert_eq!(kind(503, &[("retry-after", "soon")]), ErrorKind::Uncertain);
        assert_eq!(kind(500, &[("retry-after", "5")]), ErrorKind::Uncertain);
    }

    #[test]
    fn after_a_post_was_taken_come_back_later_is_no_leave_to_send_it_again() {
        for status in [429, 503] {
            let response = HttpResponse { rewritten: true, ..answer(status, &[("retry-after", "5")], "") };
            assert_eq!(of(&response).unwrap_err().kind, ErrorKind::Uncertain);
        }
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_capped() {
        let day = Some(LONGEST_WAIT);
        let table = [
            ("0", Some(Duration::ZERO)),
            ("120", Some(Duration::from_secs(120))),
            (" 120 ", Some(Duration::from_secs(120))),
            ("86401", day),
            ("99999999999999999999999999", day),
            ("-5", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
            ("Mon, 02 Mar 2026 09:42:30 GMT", Some(Duration::from_secs(90))),
            ("Mon, 02 Mar 2026 09:00:00 GMT", Some(Duration::ZERO)),
            ("Tue, 02 Mar 2027 09:00:00 GMT", day),
        ];
        for (text, expected) in table {
            let response = answer(429, &[("retry-after", text)], "");
            assert_eq!(retry_after(&response.headers, now()), expected, "{text:?}");
            assert_eq!(of(&response).unwrap_err().retry_after, expected, "{text:?}");
        }
    }

    #[test]
    fn a_message_quotes_what_the_other_side_said() {
        let table: [(Headers, &'static str, &str); 6] = [
            (
                &[],
                r#"{"error":{"message":"No such customer: 7","code":4}}"#,
                "api.example answered 400 Bad Request: “No such customer: 7”",
            ),
            (&[], r#"{"message":"Nope"}"#, "api.example answered 400 Bad Request: “Nope”"),
            (&[], "bad\r\n\tthing", "api.example answered 400 Bad Request: “bad thing”"),
            (
                &[("content-type", "text/html")],
                "<html><body><h1>Oh no</h1></body></html>",
                "api.example answered 400 Bad Request: “Oh no”",
            ),
            (&[], "", "api.example answered 400 Bad Request."),
            (&[], "\0\0\0", "api.example answered 400 Bad Request."),
        ];
        for (headers, body, expected) in table {
            assert_eq!(of(&answer(400, headers, body)).unwrap_err().message, expected);
        }
        let long = of(&answer(400, &[], Box::leak("ä".repeat(1000).into_boxed_str()))).unwrap_err().message;
        assert!(long.chars().count() < 400 && long.contains('…'));
    }
}
