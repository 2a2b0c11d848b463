//! A form trigger's settings, read from the document. A hosted form shows what can be read; what can't be blocks publishing.

use crate::ingest::questions;
use towpath_connectors::triggers::question::{Question, QuestionKind};
use towpath_engine::{Json, Object};
use url::Url;

#[derive(Clone, Debug)]
pub struct Settings {
    pub title: String,
    pub description: Vec<String>,
    pub questions: Vec<Question>,
    pub submit_label: String,
    pub after: After,
}

/// Where a visitor goes after sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Paragraphs of thanks.
    Message(Vec<String>),
    Redirect(Url),
}

impl Settings {
    pub fn read(input: &Object) -> Self {
        let text = |field: &str| input.get(field).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty());
        let redirect = || {
            let url = Url::parse(text("redirect")?).ok()?;
            (text("after") == Some("redirect") && matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
        };
        Self {
            title: text("title").unwrap_or("Form").to_owned(),
            description: paragraphs(text("description").unwrap_or_default()),
            questions: questions::read(input.get("fields")),
            submit_label: text("submit_label").unwrap_or("Send").to_owned(),
            after: redirect().map_or_else(
                || After::Message(paragraphs(text("thank_you").unwrap_or("Thank you. We have received your answers."))),
                After::Redirect,
            ),
        }
    }

    pub fn has_files(&self) -> bool {
        self.questions.iter().any(|question| question.kind == QuestionKind::File)
    }
}

fn paragraphs(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
