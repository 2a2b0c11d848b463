//! `multipart/form-data`: its fields become an object, its files are stored and become file values.

use super::webhook::request::add;
use crate::store::{self, files};
use axum::body::Bytes;
use futures_util::stream;
use sqlx::PgPool;
use std::convert::Infallible;
use towpath_engine::{Json, Object, ids::WorkspaceId};

/// The most parts of one request.
const MOST_PARTS: usize = 1_000;

/// One part, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub name: String,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Text(String),
    File { name: String, media_type: String, bytes: Bytes },
}

/// The parts of a body; a sentence when it isn't one of this kind.
pub async fn read(content_type: &str, body: Bytes) -> Result<Vec<Part>, String> {
    let wrong = |error: multer::Error| format!("The body says that it is multipart/form-data, and it isn't: {error}.");
    let boundary = multer::parse_boundary(content_type).map_err(wrong)?;
    let mut multipart = multer::Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let mut parts = Vec::new();
    while let Some(field) = multipart.next_field().await.map_err(wrong)? {
        if parts.len() == MOST_PARTS {
            return Err(format!("The body has more than {MOST_PARTS} parts."));
        }
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let media_type = field.content_type().map(ToString::to_string);
        let bytes = field.bytes().await.map_err(wrong)?;
        let content = match (file, std::str::from_utf8(&bytes)) {
            (None, Ok(text)) => Content::Text(text.to_owned()),
            (file, _) => Content::File {
                name: file_name(&file.unwrap_or_default()),
                media_type: media_type.unwrap_or_else(|| "application/octet-stream".into()),
                bytes,
            },
        };
        parts.push(Part { name, content });
    }
    Ok(parts)
}

/// The last part of a path, without control characters: a name to show, never one to open.
fn file_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).take(200).collect();
    if clean.trim().is_empty() { "file".into() } else { clean }
}

/// Stores the files and makes one object of all parts; a name that comes again makes a list.
pub async fn store(pool: &PgPool, workspace: WorkspaceId, parts: Vec<Part>) -> Result<Json, store::Error> {
    let mut object = Object::new();
    for part in parts {
        let value = match part.content {
            Content::Text(text) => Json::String(text),
            Content::File { name, bytes, .. } if bytes.is_empty() && name == "file" => continue,
            Content::File { name, media_type, bytes } => files::insert(pool, workspace, &name, &media_type, &bytes).await?,
        };
        add(&mut object, part.name, value);
    }
    Ok(Json::Object(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--b\r\nContent-Disposition: form-data; \
                        name=\"photo\"; filename=\"C:\\\\me\\\\..\\\\cat.png\"\r\nContent-Type: image/png\r\n\r\n\u{1}png\r\n--b--\r\n";

    #[tokio::test]
    async fn fields_are_text_and_files_are_files_with_a_name_that_is_no_path() {
        let parts = read("multipart/form-data; boundary=b", Bytes::from_static(BODY.as_bytes())).await.unwrap();
        assert_eq!(parts[0], Part { name: "note".into(), content: Content::Text("hello".into()) });
        let Content::File { name, media_type, bytes } = &parts[1].content else { panic!("the second is a file") };
        assert_eq!((name.as_str(), media_type.as_str(), &bytes[..]), ("cat.png", "image/png", &b"\x01png"[..]));
    }

    #[tokio::test]
    async fn a_body_without_its_boundary_is_refused_in_words() {
        for (kind, body) in [
            ("multipart/form-data", BODY),
            ("multipart/form-data; boundary=other", BODY),
            ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ncut"),
        ] {
            let refused = read(kind, Bytes::from_static(body.as_bytes())).await.unwrap_err();
            assert!(refused.starts_with("The body says that it is multipart"), "{refused}");
        }
    }
}
