//! What programs send, read with care: a mistake names the field and says what was expected there.

use crate::{
    app::App,
    problem::{Code, FieldProblem, Problem},
};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::IntoResponse,
};
use http_body::Body as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a name has to match, as a pattern: something that can be seen.
pub const VISIBLE: &str = r"[^\s\u0000-\u001f\u007f-\u009f]";

/// A body of JSON.
pub struct Sent<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        must_be_json(request.headers())?;
        read(&whole(request, app).await?).map(Self)
    }
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if is_json(kind) {
        return Ok(());
    }
    Err(Problem::new(
        Code::UnsupportedMediaType,
        "This address takes JSON. Send the body with the header \"Content-Type: application/json\".",
    ))
}

async fn whole(request: Request, app: &App) -> Result<Bytes, Problem> {
    Bytes::from_request(request, app).await.map_err(|rejection| {
        let status = rejection.into_response().status();
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::TooLarge, "The body is larger than this address takes."),
            _ => Problem::new(Code::InvalidInput, "The body did not arrive whole. Send it again."),
        }
    })
}

/// A body of JSON that may be left out.
pub struct MaybeSent<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<App> for MaybeSent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        let (parts, body) = request.into_parts();
        let bytes = whole(Request::from_parts(parts.clone(), body), app).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        must_be_json(&parts.headers)?;
        read(&bytes).map(Self)
    }
}

/// The part of the address after the question mark.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map(Self).map_err(|error| {
            let field = field_of(error.path().to_string(), &error.inner().to_string());
            at(field, error.inner().to_string())
        })
    }
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Reads a body; the problem names the path of the field that is wrong.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    read_as_written(bytes).or_else(|problem| match serde_json::from_slice(bytes).ok().and_then(whole_numbers) {
        Some(value) => serde_json::from_value(value).map_err(|_| problem),
        None => Err(problem),
    })
}

/// The same with `3.0` as `3`: one number to JSON, and some languages write it so. Nothing when there is none.
fn whole_numbers(mut value: Value) -> Option<Value> {
    fn tidy(value: &mut Value) -> bool {
        match value {
            Value::Number(number) => {
                let Some(float) = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0) else { return false };
                // Beyond this a double is no exact number any more.
                if float.abs() > 9_007_199_254_740_992.0 {
                    return false;
                }
                #[allow(clippy::cast_possible_truncation, reason = "it is whole and within the bounds")]
                let whole = float as i64;
                *number = whole.into();
                true
            }
            // All of them, also after the first.
            Value::Array(items) => items.iter_mut().filter_map(|item| tidy(item).then_some(())).count() > 0,
            Value::Object(fields) => fields.values_mut().filter_map(|item| tidy(item).then_some(())).count() > 0,
            _ => false,
        }
    }
    tidy(&mut value).then_some(value)
}

fn read_as_written<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Serde would take a list for the fields of a struct, in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(at("body".into(), "Send an object with the fields by their names, not a list".into()));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() {
            let said = without_place(&inner);
            at(field_of(path, &said), said)
        } else {
            Problem::new(Code::InvalidInput, format!("The body is not JSON: {inner}."))
        }
    })?;
    json.end().map_err(|error| Problem::new(Code::InvalidInput, format!("The body is not JSON: {error}.")))?;
    Ok(value)
}

/// Reads a part of a body that was taken as any JSON; the problem names the path below `at`.
pub fn read_value<T: DeserializeOwned>(place: &str, value: Value) -> Result<T, Problem> {
    let tidied = whole_numbers(value.clone());
    let read = serde_path_to_error::deserialize(value);
    if let (Err(_), Some(tidied)) = (&read, tidied)
        && let Ok(read) = serde_json::from_value(tidied)
    {
        return Ok(read);
    }
    read.map_err(|error| {
        let path = error.path().to_string();
        let said = without_place(error.inner());
        let field = match field_of(path, &said).as_str() {
            "body" => place.to_owned(),
            inner => format!("{place}.{inner}"),
        };
        at(field, said)
    })
}

/// The message without " at line 1 column 17", which says nothing to whoever made the body with a program.
fn without_place(error: &serde_json::Error) -> String {
    let said = error.to_string();
    match said.rsplit_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => said,
    }
}

/// The path of the mistake. A field that is missing is named itself, not what it is missing from.
fn field_of(path: String, said: &str) -> String {
    let path = if path == "." { String::new() } else { path };
    match said.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        Some(missing) if path.is_empty() => missing.to_owned(),
        Some(missing) => format!("{path}.{missing}"),
        None if path.is_empty() => "body".to_owned(),
        None => path,
    }
}

fn at(field: String, said: String) -> Problem {
    let mut sentence = said.replace('`', "\"");
    if let Some(first) = sentence.get(..1) {
        sentence = format!("{}{}", first.to_uppercase(), &sentence[1..]);
    }
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    let mut problem = Problem::new(Code::InvalidInput, format!("At \"{field}\": {sentence}"));
    problem.fields.push(FieldProblem { field, message: sentence });
    problem
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        name: String,
        #[serde(default)]
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        amount: u8,
    }

    fn wrong(body: &str) -> (String, String) {
        let problem = read::<Order>(body.as_bytes()).unwrap_err();
        let field = problem.fields.first().map_or_else(String::new, |it| it.field.clone());
        (field, problem.detail.into_owned())
    }

    #[test]
    fn a_mistake_names_the_field_and_what_was_expected() {
        let (field, said) = wrong(r#"{"name": "A", "lines": [{"amount": 1}, {"amount": "two"}]}"#);
        assert_eq!(field, "lines[1].amount");
        assert!(said.contains("expected u8"), "{said}");
        assert_eq!(wrong(r#"{"lines": []}"#).0, "name");
        assert_eq!(wrong(r#"{"name": "A", "lines": [{}]}"#).0, "lines[0].amount");
        let (field, said) = wrong(r#"{"name": "A", "nmae": "B"}"#);
        assert_eq!(field, "nmae");
        assert!(said.contains("expected"), "{said}");
        assert_eq!(wrong("[]").0, "body");
        assert_eq!(wrong(r#" ["A", []]"#).0, "body", "fields without their names");
    }

    #[test]
    fn what_is_no_json_is_said_to_be_none() {
        for body in ["", "{", r#"{"name": "A"} {}"#, "name=A"] {
            assert!(wrong(body).1.contains("not JSON") || body.is_empty(), "{body}");
        }
        let order = read::<Order>(br#"{"name": "A", "lines": [{"amount": 2}]}"#).unwrap();
        assert_eq!((order.name.as_str(), order.lines[0].amount), ("A", 2));
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let order = read::<Order>(br#"{"name": "A", "lines": [{"amount": 2.0}, {"amount": 3e0}]}"#).unwrap();
        assert_eq!((order.lines[0].amount, order.lines[1].amount), (2, 3));
        assert_eq!(wrong(r#"{"name": "A", "lines": [{"amount": 2.5}]}"#).0, "lines[0].amount");
        assert_eq!(wrong(r#"{"name": "A", "lines": [{"amount": 256.0}]}"#).0, "lines[0].amount");
        let free: Value = read(br#"{"price": 2.0}"#).unwrap();
        assert_eq!(free.to_string(), r#"{"price":2.0}"#, "data stays as it is");
    }

    #[test]
    fn only_json_is_taken_as_json() {
        assert!(is_json("application/json; charset=utf-8") && is_json("application/merge-patch+json"));
        assert!(!is_json("text/plain") && !is_json("") && !is_json("application/x-www-form-urlencoded"));
    }
}
