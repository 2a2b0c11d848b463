//! Carries `email.send` out: parse the addresses, load the attachments, hand the message to the door.

use super::address;
use crate::sdk::{
    Action, Attachment, Call, MailMessage, Output,
    value::{self, FileValue},
};
use futures_util::future::BoxFuture;
use lettre::message::Mailbox;
use serde_json::json;
use towpath_engine::{Json, Object, error::StepError};

/// The most recipients of one mail; servers refuse more, and a list this long wants a mailing service.
const MOST_RECIPIENTS: usize = 100;
/// The largest attachments together, in bytes; encoded they stay under the 25 MB that most servers take.
pub const MOST_ATTACHED: u64 = 18 * 1024 * 1024;

/// The action `email.send`.
pub struct SendMail;

impl Action for SendMail {
    fn run<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Output, StepError>> {
        Box::pin(async move {
            let Letter { mut message, files, recipients } = letter(call.input)?;
            if message.from.is_none() {
                let own = call.connection.map(|connection| value::text_field(&connection.fields, "from"));
                message.from = own.filter(|from| !from.is_empty()).or_else(|| call.doors.mail.default_from());
            }
            // The same over tries, so that servers and people recognise a repeat; the domain is the sender's.
            let domain =
                message.from.as_deref().and_then(|from| from.trim_end_matches('>').rsplit_once('@')).map(|(_, domain)| domain);
            message.id = format!("{}@{}", call.key, domain.unwrap_or("towpath.invalid"));
            call.trace.request(show(&message, &files));
            for file in files {
                let bytes = call.doors.files.read(file.id).await?;
                message.attachments.push(Attachment { name: file.name, media_type: file.media_type, bytes });
            }
            let id = message.id.clone();
            let answer = call.doors.mail.send(message, call.deadline).await?;
            call.trace.response(json!({ "answer": answer }));
            Ok(Output { value: json!({ "message_id": id, "accepted": recipients }) })
        })
    }

    fn preview(&self, input: &Object) -> Result<Json, StepError> {
        let letter = letter(input)?;
        Ok(show(&letter.message, &letter.files))
    }
}

struct Letter {
    message: MailMessage,
    files: Vec<FileValue>,
    /// Addresses only, in the order to, cc, bcc.
    recipients: Vec<String>,
}

fn letter(input: &Object) -> Result<Letter, StepError> {
    let [to, cc, bcc, reply_to] = ["to", "cc", "bcc", "reply_to"].map(|field| address::list(input, field));
    let (to, cc, bcc, reply_to) = (to?, cc?, bcc?, reply_to?);
    if to.is_empty() {
        return Err(StepError::invalid_input("The mail has no recipient: the field To is empty.").field("to"));
    }
    let recipients: Vec<String> = to.iter().chain(&cc).chain(&bcc).map(|mailbox| mailbox.email.to_string()).collect();
    if recipients.len() > MOST_RECIPIENTS {
        return Err(StepError::invalid_input(format!(
            "The mail has {} recipients; one mail takes {MOST_RECIPIENTS} at most.",
            recipients.len()
        ))
        .field("to"));
    }
    let html = Some(value::text_field(input, "html")).filter(|html| !html.trim().is_empty());
    let written = Some(value::text_field(input, "text")).filter(|text| !text.trim().is_empty());
    let text = written.or_else(|| html.as_deref().map(nanohtml2text::html2text));
    let files = attachments(input)?;
    let message = MailMessage {
        id: String::new(),
        from: address::one(input, "from")?.as_ref().map(Mailbox::to_string),
        to: written_out(&to),
        cc: written_out(&cc),
        bcc: written_out(&bcc),
        reply_to: written_out(&reply_to),
        subject: value::text_field(input, "subject").split_whitespace().collect::<Vec<_>>().join(" "),
        text: Some(text.unwrap_or_default()),
        html,
        attachments: Vec::new(),
    };
    Ok(Letter { message, files, recipients })
}

fn written_out(mailboxes: &[Mailbox]) -> Vec<String> {
    mailboxes.iter().map(Mailbox::to_string).collect()
}

fn attachments(input: &Object) -> Result<Vec<FileValue>, StepError> {
    let mut files = Vec::new();
    gather(input.get("attachments").unwrap_or(&Json::Null), &mut files)?;
    let total: u64 = files.iter().map(|file| file.size).sum();
    if total > MOST_ATTACHED {
        return Err(StepError::invalid_input(format!(
            "The attachments are {} MiB together; a mail takes {} MiB at most.",
            total.div_ceil(1024 * 1024),
            MOST_ATTACHED / (1024 * 1024)
        ))
        .hint("Send a link to the files instead.")
        .field("attachments"));
    }
    Ok(files)
}

fn gather(value: &Json, files: &mut Vec<FileValue>) -> Result<(), StepError> {
    match value {
        Json::Null => Ok(()),
        Json::String(text) if text.trim().is_empty() => Ok(()),
        Json::Array(values) => values.iter().try_for_each(|value| gather(value, files)),
        other => {
            files.push(FileValue::of(other).ok_or_else(|| {
                StepError::invalid_input(
                    "An attachment must be a file from an earlier step, such as a form's upload or a download.",
                )
                .field("attachments")
            })?);
            Ok(())
        }
    }
}

/// The mail as the run page and the preview show it.
fn show(message: &MailMessage, files: &[FileValue]) -> Json {
    let mut shown = Object::new();
    let from = message.from.clone().unwrap_or_else(|| "(the sender that this installation was set up with)".into());
    shown.insert("from".into(), from.into());
    for (name, addresses) in [("to", &message.to), ("cc", &message.cc), ("bcc", &message.bcc), ("reply_to", &message.reply_to)] {
        if !addresses.is_empty() {
            shown.insert(name.into(), addresses.join(", ").into());
        }
    }
    shown.insert("subject".into(), message.subject.clone().into());
    for (name, text) in [("text", &message.text), ("html", &message.html)] {
        if let Some(text) = text {
            shown.insert(name.into(), cut(text).into());
        }
    }
    if !files.is_empty() {
        let names = files.iter().map(|file| Json::from(format!("{} ({}, {} bytes)", file.name, file.media_type, file.size)));
        shown.insert("attachments".into(), names.collect());
    }
    Json::Object(shown)
}

/// At most 16 KiB of a text.
fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(16 * 1024);
    if end < text.len() { format!("{}… (the first 16 KiB of {} bytes)", &text[..end], text.len()) } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_engine::ids::FileId;

    fn read(input: Json) -> Result<Letter, StepError> {
        letter(input.as_object().unwrap())
    }

    #[test]
    fn a_subject_is_one_line_whatever_came_in() {
        let letter = read(json!({ "to": "a@b.de", "subject": "Hello\r\nBcc: eve@example.com\n\n x" })).unwrap();
        assert_eq!(letter.message.subject, "Hello Bcc: eve@example.com x");
    }

    #[test]
    fn html_alone_gets_a_plain_version() {
        let letter =
            read(json!({ "to": "a@b.de", "subject": "x", "html": "<p>Hello <b>Ada</b></p><p>Bye</p>", "text": " " })).unwrap();
        let text = letter.message.text.unwrap();
        assert!(text.contains("Hello Ada") && text.contains("Bye") && !text.contains('<'), "{text}");
        assert!(letter.message.html.is_some());
    }

    #[test]
    fn recipients_are_those_of_all_three_fields() {
        let letter = read(json!({ "to": "A <a@b.de>", "cc": "c@d.de", "bcc": ["e@f.de"], "subject": "x" })).unwrap();
        assert_eq!(letter.recipients, ["a@b.de", "c@d.de", "e@f.de"]);
        assert_eq!(letter.message.to, ["A <a@b.de>"]);
    }

    #[test]
    fn a_mail_without_a_recipient_or_with_too_much_is_refused() {
        let file = |size| FileValue { id: FileId::new(), name: "a".into(), media_type: "text/plain".into(), size }.to_json();
        let many = vec!["a@b.de"; 101];
        let table = [
            (json!({ "to": "", "subject": "x" }), "to", "no recipient"),
            (json!({ "to": many, "subject": "x" }), "to", "101 recipients"),
            (json!({ "to": "a@b.de", "attachments": [file(10 << 20), file(9 << 20)] }), "attachments", "19 MiB"),
            (json!({ "to": "a@b.de", "attachments": "hello" }), "attachments", "must be a file"),
            (json!({ "to": "a@b.de", "from": "x@y.de, z@y.de" }), "from", "one is wanted"),
        ];
        for (input, field, words) in table {
            let error = read(input).err().unwrap();
            assert_eq!(error.field.as_deref(), Some(field));
            assert!(error.message.contains(words), "{}", error.message);
        }
    }
}
