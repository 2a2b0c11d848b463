//! The form trigger: a run starts when somebody submits a hosted form.

use crate::sdk::form::{Change, choice, field};
use serde_json::json;
use towpath_engine::catalogue::{Category, FieldKind, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "form".into(),
        role: Role::Trigger,
        connector: "towpath".into(),
        connection: None,
        title: "Form".into(),
        sentence: "When somebody submits a form".into(),
        keywords: ["survey", "questionnaire", "contact", "signup", "registration", "request", "page", "public", "upload"]
            .map(Into::into)
            .to_vec(),
        icon: "form".into(),
        category: Category::Start,
        inputs: vec![
            field("title", "Title of the form", FieldKind::Text).placeholder("Contact us").required().literal(),
            field("description", "Introduction", FieldKind::Multiline)
                .help("A few words above the questions.")
                .placeholder("We answer within one working day.")
                .literal(),
            field("fields", "Questions", FieldKind::FormFields)
                .help("Visitors meet them in this order.")
                .default(json!([
                    { "name": "name", "label": "Your name", "kind": "text", "required": true },
                    { "name": "email", "label": "Your e-mail address", "kind": "email", "required": true },
                    { "name": "message", "label": "Your message", "kind": "long_text", "required": true }
                ]))
                .required()
                .literal(),
            field("submit_label", "Text on the button", FieldKind::Text).default(json!("Send")).literal(),
            choice("after", "After sending", &[("message", "Show a thank-you message"), ("redirect", "Open another page")]),
            field("thank_you", "Thank-you message", FieldKind::Multiline)
                .default(json!("Thank you. We have received your answers."))
                .literal()
                .show_if("after", &["message"]),
            field("redirect", "Page to open", FieldKind::Text)
                .placeholder("https://shop.example/thank-you")
                .required()
                .literal()
                .show_if("after", &["redirect"]),
        ],
        effect: None,
        sample: json!({
            "submitted": "2026-03-02T09:41:00Z",
            "body": { "name": "Ada Lovelace", "email": "ada@example.com", "message": "Do you deliver to Turin?" }
        }),
        help:
            "Towpath hosts a page with your questions. It works on phones and without scripts; share its address or link to it. \
               Each submission starts a run with the answers."
                .into(),
    }
}
