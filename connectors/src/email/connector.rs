//! Connections to mail servers: where the server is, how the way to it is secured, who signs in and who the mail is from.

use crate::sdk::{
    connector::{Auth, Connector, Hosts},
    form::{Change, choice, field},
};
use serde_json::json;
use towpath_engine::catalogue::FieldKind;

pub fn connector() -> Connector {
    Connector {
        id: "email".into(),
        name: "E-mail (SMTP)".into(),
        icon: "mail".into(),
        sentence: "Send mail through a mail server of your choice".into(),
        categories: vec!["communication".into()],
        docs: None,
        auth: vec![smtp()],
        hosts: Hosts::Entered,
        // Its test is a conversation with the mail server, not a request.
        test: None,
    }
}

fn smtp() -> Auth {
    Auth {
        id: "smtp".into(),
        title: "Mail server (SMTP)".into(),
        help:
            "Your mail provider's help has these under “SMTP” or “outgoing mail”. Gmail, Outlook and others want an app password \
               here, not the one you sign in with."
                .into(),
        fields: vec![
            field("host", "Mail server", FieldKind::Text).placeholder("smtp.example.com").required().literal(),
            choice(
                "security",
                "Security",
                &[
                    ("starttls", "STARTTLS (port 587)"),
                    ("tls", "TLS (port 465)"),
                    ("none", "None: only inside a trusted network"),
                ],
            )
            .required(),
            field("port", "Port", FieldKind::Number)
                .help("Without one: 587 for STARTTLS, 465 for TLS, 25 without either.")
                .literal(),
            field("user", "User name", FieldKind::Text).placeholder("shop@example.com").literal(),
            field("password", "Password", FieldKind::Secret).literal(),
            field("from", "Sender", FieldKind::Text)
                .help("What recipients see, unless a step says otherwise.")
                .placeholder("Shop <shop@example.com>")
                .default(json!(""))
                .required()
                .literal(),
        ],
        apply: vec![],
    }
}
