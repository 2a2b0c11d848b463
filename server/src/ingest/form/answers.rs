//! What a visitor sent: read from either kind of body, checked question by question, and made into an event.

use super::Settings;
use crate::{
    ingest::{
        multipart::{self, Content},
        questions,
    },
    store::{self, files},
};
use axum::body::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use sha2::Digest as _;
use sqlx::PgPool;
use std::collections::HashMap;
use towpath_connectors::triggers::question::{Question, QuestionKind};
use towpath_engine::{
    Json, Object,
    event::{Event, Head},
    ids::WorkspaceId,
};

/// The fields of a submission as they came.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    texts: HashMap<String, String>,
    files: HashMap<String, File>,
}

#[derive(Clone, Debug)]
struct File {
    name: String,
    media_type: String,
    bytes: Bytes,
}

impl Sent {
    /// Reads a body of either kind that browsers send; a sentence when it is neither.
    pub async fn read(content_type: &str, body: Bytes) -> Result<Self, String> {
        let mut sent = Self::default();
        if content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
            for part in multipart::read(content_type, body).await? {
                match part.content {
                    Content::Text(text) => sent.text(part.name, text),
                    // A browser sends an empty file when none was chosen.
                    Content::File { bytes, .. } if bytes.is_empty() => {}
                    Content::File { name, media_type, bytes } => {
                        sent.files.entry(part.name).or_insert(File { name, media_type, bytes });
                    }
                }
            }
        } else {
            for (name, text) in url::form_urlencoded::parse(&body) {
                sent.text(name.into_owned(), text.into_owned());
            }
        }
        Ok(sent)
    }

    fn text(&mut self, name: String, text: String) {
        self.texts.entry(name).or_insert(text);
    }

    /// What was typed into a field.
    pub fn typed(&self, name: &str) -> &str {
        self.texts.get(name).map(String::as_str).unwrap_or_default()
    }

    pub fn has_file(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// Tells this submission from another one of the same page.
    pub fn digest(&self, settings: &Settings) -> String {
        let mut hash = sha2::Sha256::new();
        for question in &settings.questions {
            let text = self.typed(&question.name);
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
            if let Some(file) = self.files.get(&question.name) {
                hash.update(sha2::Sha256::digest(&file.bytes));
            }
        }
        hex::encode(&hash.finalize()[..16])
    }
}

/// Answers with their types; files are still to be stored.
pub struct Answers<'a> {
    values: Vec<(&'a Question, Option<Json>)>,
    sent: &'a Sent,
}

/// Checks every answer. What is wrong, by the question's name.
pub fn check<'a>(settings: &'a Settings, sent: &'a Sent) -> Result<Answers<'a>, HashMap<String, String>> {
    let mut wrong = HashMap::new();
    let mut values = Vec::new();
    for question in &settings.questions {
        let answered = match question.kind {
            QuestionKind::File if question.required && !sent.has_file(&question.name) => Err(questions::missing(question)),
            QuestionKind::File => Ok(None),
            _ => questions::answer(question, sent.typed(&question.name)),
        };
        match answered {
            Ok(value) => values.push((question, value)),
            Err(message) => {
                wrong.insert(question.name.clone(), message);
            }
        }
    }
    if wrong.is_empty() { Ok(Answers { values, sent }) } else { Err(wrong) }
}

impl Answers<'_> {
    /// Stores the files and makes the event. Every question has its key; what was left empty is null.
    pub async fn event(self, pool: &PgPool, workspace: WorkspaceId, now: DateTime<Utc>) -> Result<Event, store::Error> {
        let mut body = Object::new();
        for (question, value) in self.values {
            let value = match self.sent.files.get(&question.name).filter(|_| question.kind == QuestionKind::File) {
                Some(file) => files::insert(pool, workspace, &file.name, &file.media_type, &file.bytes).await?,
                None => value.unwrap_or(Json::Null),
            };
            body.insert(question.name.clone(), value);
        }
        let mut meta = Object::new();
        meta.insert("submitted".into(), now.to_rfc3339_opts(SecondsFormat::Secs, true).into());
        Ok(Event { head: Head { meta, parsed: Some(Json::Object(body)), ..Head::default() }, body: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settings() -> Settings {
        Settings::read(
            json!({ "fields": [
                { "name": "name", "label": "Name", "required": true },
                { "name": "age", "label": "Age", "kind": "number" },
                { "name": "ok", "label": "Agree", "kind": "consent", "required": true },
                { "name": "cv", "label": "CV", "kind": "file", "required": true },
            ] })
            .as_object()
            .unwrap(),
        )
    }

    async fn sent(body: &'static str) -> Sent {
        let kind = if body.starts_with("--b") { "multipart/form-data; boundary=b" } else { "application/x-www-form-urlencoded" };
        Sent::read(kind, Bytes::from_static(body.as_bytes())).await.unwrap()
    }

    #[tokio::test]
    async fn every_wrong_answer_is_said_at_once() {
        let settings = settings();
        let sent = sent("name=+&age=old").await;
        let wrong = check(&settings, &sent).err().unwrap();
        let mut names: Vec<_> = wrong.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["age", "cv", "name", "ok"]);
    }

    #[tokio::test]
    async fn the_digest_tells_answers_apart_and_knows_the_same_ones_again() {
        let settings = settings();
        let digest = async |body| sent(body).await.digest(&settings);
        assert_eq!(digest("name=Ada&age=1").await, digest("age=1&name=Ada&other=x").await);
        assert_ne!(digest("name=Ada&age=1").await, digest("name=Ada1&age=").await);
    }

    #[sqlx::test(migrations = "../migrations")]
    async fn answers_get_their_types_and_files_are_stored(pool: PgPool) {
        let settings = settings();
        let body = "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda\r\n--b\r\nContent-Disposition: form-data; name=\"ok\"\r\n\r\nyes\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n";
        let sent = sent(body).await;
        let answers = check(&settings, &sent).ok().unwrap();
        let event = answers.event(&pool, WorkspaceId::new(), DateTime::UNIX_EPOCH).await.unwrap();
        let value = event.to_value();
        assert_eq!(value["submitted"], "1970-01-01T00:00:00Z");
        assert_eq!(value["body"]["name"], "Ada");
        assert_eq!(value["body"]["age"], Json::Null);
        assert_eq!(value["body"]["ok"], true);
        assert_eq!((&value["body"]["cv"]["name"], &value["body"]["cv"]["size"]), (&json!("cv.txt"), &json!(5)));
        let stored = sqlx::query_scalar!("select bytes from file").fetch_one(&pool).await.unwrap();
        assert_eq!(stored, b"hello");
    }
}
