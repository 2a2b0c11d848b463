//! Addresses as people write them: `ada@example.com`, `Ada <ada@example.com>`, several with commas or on lines, or a list. Every
//! address is parsed here, once; what goes on is never the text that came in.

use lettre::message::Mailbox;
use towpath_engine::{Json, Object, error::StepError};

/// The addresses of a field, each as `name <address>` or `address`; empty when the field is.
pub fn list(input: &Object, field: &str) -> Result<Vec<Mailbox>, StepError> {
    let mut addresses = Vec::new();
    collect(input.get(field).unwrap_or(&Json::Null), field, &mut addresses)?;
    Ok(addresses)
}

/// The one address of a field; `None` when it is empty.
pub fn one(input: &Object, field: &str) -> Result<Option<Mailbox>, StepError> {
    let mut addresses = list(input, field)?;
    if addresses.len() > 1 {
        return Err(
            StepError::invalid_input(format!("There are {} addresses where one is wanted.", addresses.len())).field(field)
        );
    }
    Ok(addresses.pop())
}

fn collect(value: &Json, field: &str, addresses: &mut Vec<Mailbox>) -> Result<(), StepError> {
    match value {
        Json::Null => Ok(()),
        Json::String(text) => split(text).into_iter().try_for_each(|part| {
            addresses.push(parse(part, field)?);
            Ok(())
        }),
        Json::Array(values) => values.iter().try_for_each(|value| collect(value, field, addresses)),
        Json::Object(person) => {
            let address = person.get("email").or_else(|| person.get("address")).and_then(Json::as_str);
            let Some(address) = address else {
                return Err(refuse(&value.to_string(), field));
            };
            let mut mailbox = parse(address, field)?;
            mailbox.name =
                person.get("name").and_then(Json::as_str).map(one_line).filter(|name| !name.is_empty()).or(mailbox.name);
            addresses.push(mailbox);
            Ok(())
        }
        other => Err(refuse(&other.to_string(), field)),
    }
}

/// At commas, semicolons and line ends outside quotes and angle brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped, mut bracket) = (Vec::new(), 0, false, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => bracket = true,
            '>' if !quoted => bracket = false,
            ',' | ';' | '\n' | '\r' if !quoted && !bracket => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn parse(text: &str, field: &str) -> Result<Mailbox, StepError> {
    let text = text.trim();
    // "Müller, Ada <…>" and names with other punctuation are written without quotes by most people.
    let (name, address) = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, address)) => (Some(one_line(name.trim().trim_matches('"'))).filter(|name| !name.is_empty()), address.trim()),
        None => (None, text),
    };
    let address = address.parse::<lettre::Address>().map_err(|_| refuse(text, field))?;
    Ok(Mailbox::new(name.map(|name| name.replace("\\\"", "\"")), address))
}

fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn refuse(text: &str, field: &str) -> StepError {
    let shown: String = text.chars().take(100).collect();
    StepError::invalid_input(format!("\"{shown}\" is not an e-mail address."))
        .hint("An address looks like ada@example.com or Ada Lovelace <ada@example.com>; several have commas between them.")
        .field(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Json) -> Result<Vec<String>, StepError> {
        let input = json!({ "to": value });
        Ok(list(input.as_object().unwrap(), "to")?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let table = [
            (json!(null), vec![]),
            (json!(""), vec![]),
            (json!(" , ;\n"), vec![]),
            (json!("ada@example.com"), vec!["ada@example.com"]),
            (
                json!(" ada@example.com, bob@example.com ;c@d.example\n"),
                vec!["ada@example.com", "bob@example.com", "c@d.example"],
            ),
            (json!("Ada <ada@example.com>"), vec!["Ada <ada@example.com>"]),
            (json!("<ada@example.com>"), vec!["ada@example.com"]),
            (json!("\"Lovelace, Ada\" <ada@example.com>, b@c.de"), vec!["\"Lovelace, Ada\" <ada@example.com>", "b@c.de"]),
            (json!(["ada@example.com", ["b@c.de, d@e.fr"], null]), vec!["ada@example.com", "b@c.de", "d@e.fr"]),
            (json!({ "name": "Ada", "email": "ada@example.com" }), vec!["Ada <ada@example.com>"]),
            (json!([{ "address": "ada@example.com" }]), vec!["ada@example.com"]),
            (json!("müller@exämple.de"), vec!["müller@exämple.de"]),
        ];
        for (value, expected) in table {
            assert_eq!(read(value.clone()).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_quoted() {
        for bad in [
            json!("ada"),
            json!("ada@"),
            json!("@example.com"),
            json!("a b@example.com"),
            json!(7),
            json!({ "name": "Ada" }),
            json!("ada@example.com\r\nBcc: eve@example.com"),
            json!("Ada <ada@example.com> eve"),
            json!("ada@example.com bob@example.com"),
        ] {
            let error = read(bad.clone()).unwrap_err();
            assert!(error.message.contains("is not an e-mail address"), "{bad}");
            assert_eq!(error.field.as_deref(), Some("to"));
        }
    }

    #[test]
    fn a_name_is_one_line() {
        let read = read(json!({ "name": "Ada\r\nBcc: eve@example.com", "email": "ada@example.com" })).unwrap();
        assert!(!read[0].contains(['\r', '\n']), "{read:?}");
    }

    #[test]
    fn one_means_one() {
        let input = json!({ "from": "a@b.de, c@d.de" });
        assert!(one(input.as_object().unwrap(), "from").is_err());
    }
}
