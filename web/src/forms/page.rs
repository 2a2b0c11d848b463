//! A form's questions, empty or with what was typed and what is wrong with it.

use askama::Template;

#[derive(Template)]
#[template(path = "forms/page.html")]
pub struct Page {
    pub title: String,
    /// Paragraphs under the title.
    pub description: Vec<String>,
    /// A sentence above the questions: the form is paused, or this is a preview.
    pub note: Option<String>,
    /// Why nothing was sent, when that isn't about one field.
    pub problem: Option<String>,
    pub action: String,
    /// Files travel in another kind of body.
    pub has_files: bool,
    pub fields: Vec<Field>,
    pub submit_label: String,
    /// Says when this page was made; see the server's `form`.
    pub token: String,
}

/// One question.
pub struct Field {
    /// Of the control; `<id>-help` and `<id>-error` belong to it.
    pub id: String,
    pub name: String,
    pub label: String,
    pub help: String,
    pub required: bool,
    pub error: Option<String>,
    pub control: Control,
}

pub enum Control {
    /// An `<input>` of this type.
    Line {
        kind: &'static str,
        value: String,
        complete: &'static str,
    },
    Lines {
        value: String,
    },
    /// Few options, all in sight.
    Radios(Vec<Choice>),
    Select(Vec<Choice>),
    File,
    Consent {
        checked: bool,
    },
}

pub struct Choice {
    pub id: String,
    pub text: String,
    pub chosen: bool,
}

impl Page {
    /// The fields that have to be looked at again.
    pub fn wrong(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.error.is_some())
    }

    pub fn has_optional(&self) -> bool {
        self.fields.iter().any(|field| !field.required)
    }
}

impl Field {
    /// A group of boxes has a legend; everything else has a label.
    pub fn is_group(&self) -> bool {
        matches!(self.control, Control::Radios(_))
    }

    pub fn is_consent(&self) -> bool {
        matches!(self.control, Control::Consent { .. })
    }

    /// The ids of what describes the control, for `aria-describedby`; empty when nothing does.
    pub fn described_by(&self) -> String {
        let help = (!self.help.is_empty()).then(|| format!("{}-help", self.id));
        let error = self.error.is_some().then(|| format!("{}-error", self.id));
        help.into_iter().chain(error).collect::<Vec<_>>().join(" ")
    }

    /// Where a link to this field leads.
    pub fn target(&self) -> &str {
        match &self.control {
            Control::Radios(choices) => choices.first().map_or(&self.id, |choice| &choice.id),
            _ => &self.id,
        }
    }
}
