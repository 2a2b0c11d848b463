//! From a mail as data to the bytes that travel and the envelope around them. Every address is parsed and every header is written by
//! the library, so nothing in a value can become a header of its own.

use super::setting::MailSettings;
use chrono::{DateTime, Utc};
use lettre::{
    Message,
    address::Envelope,
    message::{
        Attachment, Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType},
    },
};
use towpath_connectors::sdk::MailMessage;
use towpath_engine::error::StepError;

/// The largest mail, encoded, in bytes.
const MOST: usize = 26 * 1024 * 1024;

/// What is sent, and to whom.
pub(super) struct Composed {
    pub envelope: Envelope,
    pub bytes: Vec<u8>,
}

pub(super) fn compose(message: &MailMessage, settings: &MailSettings, now: DateTime<Utc>) -> Result<Composed, StepError> {
    let from = match &message.from {
        Some(from) => mailbox(from, "from")?,
        None => settings.from.clone(),
    };
    let mut recipients = Vec::new();
    let mut builder = Message::builder().date(now.into()).from(from.clone()).subject(message.subject.clone());
    if !message.id.is_empty() {
        builder = builder.message_id(Some(format!("<{}>", message.id)));
    }
    for (field, addresses) in [("to", &message.to), ("cc", &message.cc), ("bcc", &message.bcc), ("reply_to", &message.reply_to)] {
        for address in addresses {
            let mailbox = mailbox(address, field)?;
            if field != "reply_to" {
                recipients.push(mailbox.email.clone());
            }
            builder = match field {
                "to" => builder.to(mailbox),
                "cc" => builder.cc(mailbox),
                "reply_to" => builder.reply_to(mailbox),
                // In the envelope only.
                _ => builder,
            };
        }
    }
    let envelope = Envelope::new(Some(from.email), recipients)
        .map_err(|_| StepError::invalid_input("The mail has no recipient.").field("to"))?;
    let text = SinglePart::plain(message.text.clone().unwrap_or_default());
    let built = match (&message.html, message.attachments.is_empty()) {
        (None, true) => builder.singlepart(text),
        (Some(html), true) => builder.multipart(alternative(text, html)),
        (None, false) => builder.multipart(attach(MultiPart::mixed().singlepart(text), message)),
        (Some(html), false) => builder.multipart(attach(MultiPart::mixed().multipart(alternative(text, html)), message)),
    };
    let built = built.map_err(|error| StepError::invalid_input(format!("The mail can't be written: {error}.")))?;
    let bytes = built.formatted();
    if bytes.len() > MOST {
        return Err(StepError::invalid_input(format!("The mail is larger than {} MiB.", MOST / (1024 * 1024)))
            .hint("Send a link to the files instead.")
            .field("attachments"));
    }
    Ok(Composed { envelope, bytes })
}

fn mailbox(text: &str, field: &str) -> Result<Mailbox, StepError> {
    text.parse().map_err(|_| StepError::invalid_input(format!("\"{text}\" is not an e-mail address.")).field(field))
}

fn alternative(text: SinglePart, html: &str) -> MultiPart {
    MultiPart::alternative().singlepart(text).singlepart(SinglePart::html(html.to_owned()))
}

fn attach(mut mixed: MultiPart, message: &MailMessage) -> MultiPart {
    for attachment in &message.attachments {
        let media_type = ContentType::parse(&attachment.media_type)
            .unwrap_or_else(|_| ContentType::parse("application/octet-stream").expect("a media type that is known to parse"));
        let name: String = attachment.name.chars().map(|c| if c.is_control() { '_' } else { c }).collect();
        // A file is bytes: in any other encoding its line ends would be the mail's.
        let body = Body::new_with_encoding(attachment.bytes.to_vec(), ContentTransferEncoding::Base64).unwrap_or_else(Body::new);
        mixed = mixed.singlepart(Attachment::new(name).body(body, media_type));
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_connectors::sdk;

    const SETTINGS: &str = "smtp://localhost?from=me@example.com";

    fn now() -> DateTime<Utc> {
        "2026-03-02T09:41:00Z".parse().unwrap()
    }

    fn message() -> MailMessage {
        MailMessage {
            id: "k@example.com".into(),
            from: Some("Shop <shop@example.com>".into()),
            to: vec!["Ada <ada@example.com>".into()],
            subject: "Hello".into(),
            text: Some("Hi".into()),
            ..MailMessage::default()
        }
    }

    fn written(message: &MailMessage) -> String {
        let settings = SETTINGS.parse().unwrap();
        String::from_utf8(compose(message, &settings, now()).unwrap().bytes).unwrap()
    }

    /// The header lines, folded ones joined.
    fn head(text: &str) -> Vec<String> {
        text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").split("\r\n").map(Into::into).collect()
    }

    #[test]
    fn nothing_in_a_value_becomes_a_header() {
        let evil = "x\r\nBcc: eve@example.com\r\n\r\nbody";
        let mut mail = message();
        mail.subject = evil.into();
        mail.attachments.push(sdk::Attachment { name: evil.into(), media_type: evil.into(), bytes: "a".into() });
        let text = written(&mail);
        let head = head(&text);
        assert!(head.iter().all(|line| !line.to_ascii_lowercase().starts_with("bcc")), "{head:#?}");
        assert!(!text.contains("\r\nBcc:"), "{text}");
        let names: Vec<&str> = head.iter().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(names, ["Date", "From", "Subject", "Message-ID", "To", "MIME-Version", "Content-Type"], "{head:#?}");
        for field in ["from", "to", "cc", "bcc", "reply_to"] {
            let mut mail = message();
            let address = "ada@example.com>\r\nBcc: <eve@example.com".to_owned();
            match field {
                "from" => mail.from = Some(address),
                "to" => mail.to.push(address),
                "cc" => mail.cc.push(address),
                "bcc" => mail.bcc.push(address),
                _ => mail.reply_to.push(address),
            }
            assert!(compose(&mail, &SETTINGS.parse().unwrap(), now()).is_err(), "{field}");
        }
    }

    #[test]
    fn hidden_recipients_are_in_the_envelope_only() {
        let mut mail = message();
        mail.bcc.push("Eve <eve@example.com>".into());
        mail.reply_to.push("desk@example.com".into());
        let composed = compose(&mail, &SETTINGS.parse().unwrap(), now()).unwrap();
        let to: Vec<String> = composed.envelope.to().iter().map(ToString::to_string).collect();
        assert_eq!(to, ["ada@example.com", "eve@example.com"]);
        let text = String::from_utf8(composed.bytes).unwrap();
        assert!(!text.contains("eve@example.com") && text.contains("Reply-To: desk@example.com"));
        assert!(text.contains("Message-ID: <k@example.com>"));
    }

    #[test]
    fn a_mail_without_a_sender_takes_the_settings() {
        let mail = MailMessage { from: None, ..message() };
        assert!(written(&mail).contains("From: me@example.com"));
    }

    #[test]
    fn text_html_and_files_are_nested_as_readers_expect() {
        let mut mail = message();
        mail.html = Some("<p>Hi</p>".into());
        assert!(written(&mail).contains("multipart/alternative"));
        mail.attachments.push(sdk::Attachment { name: "ü.csv".into(), media_type: "text/csv".into(), bytes: "a,b".into() });
        let text = written(&mail);
        assert!(text.find("multipart/mixed").unwrap() < text.find("multipart/alternative").unwrap());
        assert!(
            text.contains("Content-Disposition: attachment; filename*0*=utf-8''%C3%BC.csv") || text.contains("%C3%BC.csv"),
            "{text}"
        );
    }
}
