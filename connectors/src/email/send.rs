//! What the operation `email.send` says about itself.

use crate::sdk::form::{Change, field};
use serde_json::json;
use towpath_engine::catalogue::{Category, ConnectionNeed, Effect, EffectRule, FieldKind, Operation, Role};

pub fn operation() -> Operation {
    Operation {
        name: "email.send".into(),
        role: Role::Action,
        connector: "email".into(),
        connection: Some(ConnectionNeed { connector: "email".into(), required: false }),
        title: "E-mail".into(),
        sentence: "Send an e-mail".into(),
        keywords: ["mail", "smtp", "message", "notify", "notification", "alert", "newsletter", "attachment"].map(Into::into).to_vec(),
        icon: "mail".into(),
        category: Category::Connect,
        inputs: vec![
            field("to", "To", FieldKind::Emails)
                .help("Several addresses with commas between them.")
                .placeholder("ada@example.com")
                .required(),
            field("subject", "Subject", FieldKind::Text).placeholder("Your order").required(),
            field("text", "Message", FieldKind::Multiline),
            field("attachments", "Attachments", FieldKind::Files).help("Files from earlier steps."),
            field("html", "Message as HTML", FieldKind::Html)
                .help("For formatted mail. If the message above is empty, a plain version is made from this one.")
                .advanced(),
            field("cc", "Copy to (Cc)", FieldKind::Emails).advanced(),
            field("bcc", "Hidden copy to (Bcc)", FieldKind::Emails).help("The other recipients don't see these.").advanced(),
            field("reply_to", "Answers go to (Reply-To)", FieldKind::Emails).advanced(),
            field("from", "From", FieldKind::Text)
                .help("Without one, the sender of the connection, or the address that this installation was set up with.")
                .placeholder("Shop <orders@example.com>")
                .advanced(),
        ],
        effect: Some(EffectRule::Always(Effect::Unsafe)),
        sample: json!({ "message_id": "5b6c1f0e-6f8e-5d33-9a5c-6f0f2c1f8a11@example.com", "accepted": ["ada@example.com"] }),
        help: "Sends a mail through the mail server of its connection; without one, through the server that this installation was set up \
               with. What it answers is the mail's id and the addresses that the server accepted."
            .into(),
    }
}
