//! From an answer to what expressions see: `{ status, headers, body }`. JSON is taken apart, text is decoded by its charset, anything
//! else becomes a file.

use crate::sdk::{Files, HttpResponse, StepTrace};
use http::{HeaderMap, header};
use mime::Mime;
use serde_json::json;
use towpath_engine::{Json, Object, error::StepError};
use url::Url;

/// The value of an answer; a binary body is stored first.
pub async fn value(response: &HttpResponse, files: &dyn Files, trace: &StepTrace) -> Result<Json, StepError> {
    let body = match read(&response.headers, &response.body) {
        Body::Nothing => Json::Null,
        Body::Value(value, notes) => {
            notes.into_iter().for_each(|note| trace.log(note));
            value
        }
        Body::Text(text) => Json::String(text),
        Body::Binary(media_type) => {
            files.write(file_name(&response.headers, &response.url), media_type, response.body.clone()).await?
        }
    };
    Ok(json!({ "status": response.status.as_u16(), "headers": headers(&response.headers), "body": body }))
}

/// Names in lower case. Several headers of one name are one text with commas, except `set-cookie`, which is always a list.
fn headers(headers: &HeaderMap) -> Json {
    let mut object = Object::new();
    for name in headers.keys() {
        let mut values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let value =
            if *name == header::SET_COOKIE { values.collect() } else { values.by_ref().collect::<Vec<_>>().join(", ").into() };
        object.insert(name.as_str().into(), value);
    }
    Json::Object(object)
}

#[derive(Debug, PartialEq)]
enum Body {
    Nothing,
    Value(Json, Vec<String>),
    Text(String),
    /// With its media type.
    Binary(String),
}

fn read(headers: &HeaderMap, bytes: &[u8]) -> Body {
    if bytes.is_empty() {
        return Body::Nothing;
    }
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media: Option<Mime> = declared.and_then(|text| text.parse().ok());
    let charset = media.as_ref().and_then(|media| media.get_param(mime::CHARSET)).map(|charset| charset.as_str().to_owned());
    match &media {
        Some(media) if is_json(media) => json_or_text(bytes, charset.as_deref()),
        Some(media) if is_text(media) => Body::Text(decode(bytes, charset.as_deref())),
        Some(media) => Body::Binary(media.essence_str().to_owned()),
        // Nothing was declared: what reads as text is text, and what starts like JSON may be JSON.
        None => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => {
                if text.trim_start().starts_with(['{', '[']) {
                    json_or_text(bytes, None)
                } else {
                    Body::Text(text.to_owned())
                }
            }
            _ => Body::Binary("application/octet-stream".into()),
        },
    }
}

fn is_json(media: &Mime) -> bool {
    media.subtype() == mime::JSON || media.suffix() == Some(mime::JSON) || media.essence_str().ends_with("x-json")
}

fn is_text(media: &Mime) -> bool {
    media.type_() == mime::TEXT
        || media.suffix() == Some(mime::XML)
        || (media.type_() == mime::APPLICATION
            && matches!(
                media.subtype().as_str(),
                "xml"
                    | "x-www-form-urlencoded"
                    | "javascript"
                    | "x-ndjson"
                    | "ndjson"
                    | "yaml"
                    | "x-yaml"
                    | "toml"
                    | "sql"
                    | "graphql"
            ))
}

/// JSON is UTF-8, whatever its charset says; what isn't JSON after all is text, and so is what nests too deep to be stored inside a
/// step's output.
fn json_or_text(bytes: &[u8], charset: Option<&str>) -> Body {
    use towpath_engine::json::{STORED_DEPTH, check_depth, read};
    match read(bytes) {
        Ok(read) if check_depth(&read.value, STORED_DEPTH - 1).is_ok() => Body::Value(read.value, read.notes),
        _ => Body::Text(decode(bytes, charset)),
    }
}

/// By the byte order mark, else the declared charset, else UTF-8, else windows-1252 (which is what browsers take Latin-1 for).
fn decode(bytes: &[u8], charset: Option<&str>) -> String {
    let declared = charset.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    let encoding = declared
        .unwrap_or_else(|| if std::str::from_utf8(bytes).is_ok() { encoding_rs::UTF_8 } else { encoding_rs::WINDOWS_1252 });
    encoding.decode(bytes).0.into_owned()
}

/// What a stored answer is called: as its `Content-Disposition` says, else the end of its address.
fn file_name(headers: &HeaderMap, url: &Url) -> String {
    let disposition =
        headers.get(header::CONTENT_DISPOSITION).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let named = disposition.as_deref().and_then(name_of_disposition);
    let from_path = || {
        let last = url.path_segments()?.rfind(|segment| !segment.is_empty())?;
        Some(percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned())
    };
    let name = named.or_else(from_path).unwrap_or_default();
    // A name, not a path, and nothing that a terminal or a file system takes for something else.
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
    let name = name.trim().trim_start_matches('.').to_owned();
    if name.is_empty() { "download".into() } else { name }
}

/// RFC 6266: `filename*=UTF-8''…` before `filename="…"`.
fn name_of_disposition(text: &str) -> Option<String> {
    let mut plain = None;
    for parameter in text.split(';').skip(1) {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "filename*" => {
                let (charset, rest) = value.split_once('\'')?;
                let encoded = rest.split_once('\'').map_or(rest, |(_language, encoded)| encoded);
                let bytes: Vec<u8> = percent_encoding::percent_decode_str(encoded).collect();
                return Some(decode(&bytes, Some(charset)));
            }
            "filename" => plain = Some(value.to_owned()),
            _ => {}
        }
    }
    plain.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(content_type: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())])
    }

    #[test]
    fn a_body_is_what_its_type_says() {
        let table: [(&str, &[u8], Body); 13] = [
            ("application/json", b"", Body::Nothing),
            ("application/json", b"{\"a\":1}", Body::Value(json!({ "a": 1 }), vec![])),
            ("application/problem+json; charset=utf-8", b"[1]", Body::Value(json!([1]), vec![])),
            ("application/json", b"not json", Body::Text("not json".into())),
            ("text/plain", b"{\"a\":1}", Body::Text("{\"a\":1}".into())),
            ("text/plain; charset=iso-8859-1", b"caf\xe9", Body::Text("café".into())),
            ("text/plain", b"caf\xe9", Body::Text("café".into())),
            ("text/plain", "café".as_bytes(), Body::Text("café".into())),
            ("text/plain; charset=shift_jis", b"\x93\xfa\x96{", Body::Text("日本".into())),
            ("text/csv; charset=utf-16le", b"a\0b\0", Body::Text("ab".into())),
            ("application/xml", b"<a/>", Body::Text("<a/>".into())),
            ("image/png", b"\x89PNG", Body::Binary("image/png".into())),
            ("application/pdf; x=y", b"%PDF", Body::Binary("application/pdf".into())),
        ];
        for (content_type, bytes, expected) in table {
            assert_eq!(read(&typed(content_type), bytes), expected, "{content_type}");
        }
    }

    #[test]
    fn a_body_without_a_type_is_what_it_looks_like() {
        let none = HeaderMap::new();
        assert_eq!(read(&none, b" {\"a\":1}"), Body::Value(json!({ "a": 1 }), vec![]));
        assert_eq!(read(&none, b"{a"), Body::Text("{a".into()));
        assert_eq!(read(&none, b"42"), Body::Text("42".into()));
        assert_eq!(read(&none, b"\x00\x01"), Body::Binary("application/octet-stream".into()));
        assert_eq!(read(&none, b"\xff\xfe\xfa"), Body::Binary("application/octet-stream".into()));
    }

    #[test]
    fn a_file_has_a_name_and_never_a_path() {
        let url: Url = "https://x.example/reports/March%202026.pdf?x=1".parse().unwrap();
        let table = [
            ("", "March 2026.pdf"),
            ("attachment; filename=\"a b.pdf\"", "a b.pdf"),
            ("attachment; filename=plain.pdf; size=3", "plain.pdf"),
            ("attachment; filename=\"x.pdf\"; filename*=UTF-8''%e2%82%ac%20rates.pdf", "€ rates.pdf"),
            ("attachment; filename=\"../../etc/passwd\"", "passwd"),
            ("attachment; filename=\"C:\\\\temp\\\\x.exe\"", "x.exe"),
            ("attachment; filename=\"..\"", "download"),
            ("attachment; filename*=UTF-8''a%0d%0ab.txt", "ab.txt"),
        ];
        for (disposition, expected) in table {
            let mut headers = HeaderMap::new();
            if !disposition.is_empty() {
                headers.insert(header::CONTENT_DISPOSITION, disposition.parse().unwrap());
            }
            assert_eq!(file_name(&headers, &url), expected, "{disposition}");
        }
        assert_eq!(file_name(&HeaderMap::new(), &"https://x.example/".parse().unwrap()), "download");
    }

    #[test]
    fn headers_of_one_name_are_one_text_and_cookies_are_a_list() {
        let mut map = HeaderMap::new();
        for (name, value) in [("X-A", "1"), ("x-a", "2"), ("Set-Cookie", "a=1"), ("set-cookie", "b=2")] {
            map.append(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
        }
        assert_eq!(headers(&map), json!({ "x-a": "1, 2", "set-cookie": ["a=1", "b=2"] }));
    }
}
