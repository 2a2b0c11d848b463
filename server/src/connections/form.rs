//! What a person filled in, as what is stored: fields checked and told apart into public and secret, hosts read, secrets that weren't
//! entered again kept. A connection that may be used for more addresses than before asks for its secrets again, so that nobody sends
//! to a new place what was entered for an old one.

use super::{Connections, grant, hosts};
use crate::{
    api::extract::VISIBLE,
    problem::{Code, FieldProblem, Problem},
    store::connections::Hints,
};
use serde_json::json;
use std::collections::HashSet;
use towpath_connectors::sdk::{
    attach,
    connector::{Auth, Connector, Hosts},
    scrub, value,
};
use towpath_engine::{
    Json, Object,
    catalogue::{Field, FieldKind},
    ids::{ConnectionId, WorkspaceId},
};

/// Shorter secrets show nothing of themselves.
const SHORTEST_WITH_HINT: usize = 12;
/// The longest secret, and the longest public text, in characters.
pub const LONGEST_SECRET: usize = 20_000;
pub const LONGEST_TEXT: usize = 2_000;
/// The shortest token or key: what is shorter can't be told from other text, so it could not be kept out of what runs show. Passwords
/// are what somebody else chose and may be shorter; see [`towpath_connectors::sdk::scrub`].
pub const SHORTEST_KEY: usize = scrub::SHORTEST;
/// What a name has to match.
pub const NAME: &str = VISIBLE;
/// The most hosts.
const MOST_HOSTS: usize = 50;

/// What was filled in. An absent secret is kept; null takes it away.
pub struct Filled<'a> {
    pub name: &'a str,
    pub fields: &'a Object,
    pub hosts: &'a [String],
}

/// What is there already, when a connection is changed.
pub struct Before<'a> {
    pub fields: &'a Object,
    pub hosts: &'a [String],
    /// The secrets as they are now.
    pub secrets: Object,
}

impl Before<'_> {
    /// Opens the secrets of a connection that is about to be changed.
    pub async fn secrets(connections: &Connections, workspace: WorkspaceId, id: ConnectionId) -> Result<Object, Problem> {
        Ok(grant::open_to_keep(connections, workspace, id).await?)
    }
}

/// What is to be stored.
pub struct Read {
    pub name: String,
    pub fields: Object,
    pub secrets: Object,
    pub hints: Hints,
    pub hosts: Vec<String>,
}

/// Reads a form.
///
/// # Errors
/// Every mistake, beside its field: `name`, `hosts`, or the field's own name.
pub fn read(connector: &Connector, auth: &Auth, filled: &Filled<'_>, before: Option<&Before<'_>>) -> Result<Read, Problem> {
    let mut mistakes = Mistakes::default();
    let name = read_name(filled.name, &mut mistakes);
    let known: HashSet<&str> = auth.fields.iter().map(|field| field.name.as_str()).collect();
    for other in filled.fields.keys().filter(|name| !known.contains(name.as_str())) {
        mistakes.add(other, "There is no such field.");
    }
    let fields = public(auth, filled.fields, &mut mistakes);
    let hosts = match &connector.hosts {
        Hosts::Entered if !auth.fields.iter().any(|field| field.name == "host") => read_hosts(filled.hosts, &mut mistakes),
        _ => Vec::new(),
    };
    let again = before.is_some_and(|before| reaches_further(connector, before, &fields, &hosts));
    let secrets = secret(auth, filled.fields, before, again, &mut mistakes);
    if mistakes.0.is_empty()
        && let Err(error) = attach::attach(&auth.apply, &fields, &secrets)
    {
        let field = grant::secret_fields(auth).next().unwrap_or("name");
        mistakes.add(field, &error.message);
    }
    if !mistakes.0.is_empty() {
        let mut problem = Problem::new(Code::InvalidInput, "The connection is not complete yet.");
        problem.fields = mistakes.0;
        return Err(problem);
    }
    // How a password ends helps to guess it, and people choose the same end again.
    let ends = |name: &str| !name.contains("password");
    let shown = |name: &String, secret: &Json| if ends(name) { hint(secret.as_str().unwrap_or_default()) } else { String::new() };
    let hints = secrets.iter().map(|(name, secret)| (name.clone(), shown(name, secret))).collect();
    Ok(Read { name, fields, secrets, hints, hosts })
}

/// The last four characters of a long secret; nothing of a short one.
pub fn hint(text: &str) -> String {
    let count = text.chars().count();
    if count < SHORTEST_WITH_HINT { String::new() } else { text.chars().skip(count - 4).collect() }
}

#[derive(Default)]
struct Mistakes(Vec<FieldProblem>);

impl Mistakes {
    fn add(&mut self, field: &str, message: &str) {
        self.0.push(FieldProblem { field: field.to_owned(), message: message.to_owned() });
    }
}

/// A name as a person typed it.
pub fn read_name_alone(name: &str) -> Result<String, Problem> {
    let mut mistakes = Mistakes::default();
    let name = read_name(name, &mut mistakes);
    match mistakes.0.pop() {
        Some(mistake) => Err(Problem::invalid("name", mistake.message)),
        None => Ok(name),
    }
}

fn read_name(name: &str, mistakes: &mut Mistakes) -> String {
    if name.chars().count() > 100 {
        mistakes.add("name", "A name has at most 100 characters.");
    }
    let name = name.split(|c: char| c.is_control()).collect::<String>().trim().to_owned();
    if name.is_empty() {
        mistakes.add("name", "Give the connection a name, so that people recognise it.");
    }
    name
}

fn read_hosts(entered: &[String], mistakes: &mut Mistakes) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    for text in entered.iter().flat_map(|text| text.split([',', '\n', ' ', ';'])).map(str::trim).filter(|text| !text.is_empty()) {
        match text.parse::<hosts::Pattern>() {
            Ok(pattern) if !hosts.contains(&pattern.to_string()) => hosts.push(pattern.to_string()),
            Ok(_) => {}
            Err(error) => mistakes.add("hosts", &error.to_string()),
        }
    }
    if hosts.is_empty() && !mistakes.0.iter().any(|mistake| mistake.field == "hosts") {
        mistakes.add("hosts", "Name the host that the secret may be sent to, such as api.example.com.");
    }
    if hosts.len() > MOST_HOSTS {
        mistakes.add("hosts", "A connection has at most 50 hosts.");
    }
    hosts
}

fn public(auth: &Auth, filled: &Object, mistakes: &mut Mistakes) -> Object {
    let mut fields = Object::new();
    for field in auth.fields.iter().filter(|field| field.kind != FieldKind::Secret) {
        let given =
            filled.get(&field.name).filter(|value| !is_blank(value)).or(field.default.as_ref().filter(|it| !is_blank(it)));
        match given {
            None if field.required => mistakes.add(&field.name, &format!("Fill in “{}”.", field.title)),
            None => {}
            Some(value) => match read_public(field, value) {
                Ok(value) => {
                    fields.insert(field.name.clone(), value);
                }
                Err(message) => mistakes.add(&field.name, &message),
            },
        }
    }
    fields
}

fn read_public(field: &Field, given: &Json) -> Result<Json, String> {
    let fits = match field.kind {
        FieldKind::Number => given.is_string() || given.is_u64(),
        FieldKind::Boolean => given.is_string() || given.is_boolean(),
        FieldKind::Choice { .. } => true,
        _ => given.is_string(),
    };
    if !fits {
        return Err("This is written as text.".into());
    }
    let text = value::text(given);
    if text.chars().count() > LONGEST_TEXT || text.chars().any(|c| c.is_control()) {
        return Err("This is one line of at most 2,000 characters.".into());
    }
    let text = text.trim();
    match &field.kind {
        FieldKind::Number => match text.parse::<u64>() {
            Ok(number) => Ok(json!(number)),
            Err(_) => Err("Write a whole number.".into()),
        },
        FieldKind::Boolean => match text {
            "true" | "on" => Ok(json!(true)),
            "false" | "" => Ok(json!(false)),
            _ => Err("This is on or off.".into()),
        },
        FieldKind::Choice { options } => match options.iter().find(|option| value::text(&option.value) == text) {
            Some(option) => Ok(option.value.clone()),
            None => Err("Choose one of the options.".into()),
        },
        _ if field.name == "host" => {
            let parsed = text.parse::<hosts::Pattern>().map_err(|error| error.to_string())?;
            let host = parsed.to_string();
            if host.starts_with("*.") || host.contains(':') && !host.starts_with('[') {
                return Err("Write the host alone, such as mail.example.com. The port has a field of its own.".into());
            }
            Ok(json!(host.trim_matches(['[', ']'])))
        }
        _ => Ok(json!(text)),
    }
}

fn secret(auth: &Auth, filled: &Object, before: Option<&Before<'_>>, again: bool, mistakes: &mut Mistakes) -> Object {
    let mut secrets = Object::new();
    for field in auth.fields.iter().filter(|field| field.kind == FieldKind::Secret) {
        let kept = before.and_then(|before| before.secrets.get(&field.name)).and_then(Json::as_str);
        let given = match filled.get(&field.name) {
            Some(Json::Null) => Some(String::new()),
            Some(Json::String(text)) => Some(tidy(field, text)).filter(|text| !text.is_empty()),
            Some(_) => {
                mistakes.add(&field.name, "This is written as text.");
                continue;
            }
            None => None,
        };
        let given_now = given.as_ref().is_some_and(|text| !text.is_empty());
        let secret = match (given, kept) {
            (Some(given), _) => given,
            (None, Some(_)) if again => {
                mistakes.add(
                    &field.name,
                    "The connection may now be used for another host, so enter this again: what was entered for one place is \
                     never sent to another.",
                );
                continue;
            }
            (None, Some(kept)) => kept.to_owned(),
            (None, None) => String::new(),
        };
        if secret.is_empty() {
            if field.required {
                mistakes.add(&field.name, &format!("Fill in “{}”.", field.title));
            }
        } else if secret.chars().count() > LONGEST_SECRET {
            mistakes.add(&field.name, "This is longer than any secret: at most 20,000 characters.");
        } else if given_now && is_key(field) && secret.chars().count() < SHORTEST_KEY {
            mistakes.add(
                &field.name,
                "This is shorter than 8 characters, and no service issues keys that short. Copy it whole. A key of one's own that is \
                 this short is guessed in a moment, and could not be kept out of the log of a run: make a longer one.",
            );
        } else {
            secrets.insert(field.name.clone(), secret.into());
        }
    }
    secrets
}

/// Is it a token or a key, as opposed to a password that somebody chose, or a header that may hold anything?
pub fn is_key(field: &Field) -> bool {
    field.kind == FieldKind::Secret && ["token", "key", "secret"].iter().any(|end| field.name.ends_with(end))
}

/// As people paste it: with a line break at its end, blanks around it, the word Bearer before it. A password is left as it is.
fn tidy(field: &Field, text: &str) -> String {
    let text = text.trim_matches(['\r', '\n']);
    if field.name.contains("password") {
        return text.to_owned();
    }
    let text = text.trim();
    match text.split_once(' ') {
        Some((word, rest)) if word.eq_ignore_ascii_case("bearer") => rest.trim().to_owned(),
        _ => text.to_owned(),
    }
}

fn is_blank(value: &Json) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn reaches_further(connector: &Connector, before: &Before<'_>, fields: &Object, entered: &[String]) -> bool {
    let old = hosts::effective(&connector.hosts, before.hosts, before.fields).unwrap_or_default();
    match hosts::effective(&connector.hosts, entered, fields) {
        Ok(new) => hosts::widens(&old, &new),
        // What can't be read is a mistake of its own.
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_connectors::registry::Registry;

    fn filled(
        connector: &str,
        auth: &str,
        fields: Json,
        hosts: &[&str],
        before: Option<(Json, &[&str], Json)>,
    ) -> Result<Read, Vec<String>> {
        let registry = Registry::built_in();
        let connector = registry.connector(connector).unwrap();
        let auth = connector.auth.iter().find(|it| it.id == auth).unwrap();
        let object = |value: &Json| value.as_object().unwrap().clone();
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (fields, hosts) = (object(&fields), list(hosts));
        let before = before.map(|(fields, hosts, secrets)| (object(&fields), list(hosts), object(&secrets)));
        let before = before.as_ref().map(|(fields, hosts, secrets)| Before { fields, hosts, secrets: secrets.clone() });
        read(connector, auth, &Filled { name: " CRM ", fields: &fields, hosts: &hosts }, before.as_ref())
            .map_err(|problem| problem.fields.into_iter().map(|it| format!("{}: {}", it.field, it.message)).collect())
    }

    #[test]
    fn secrets_are_told_apart_and_tidied_as_people_paste_them() {
        let read =
            filled("http", "bearer", json!({ "token": " Bearer abcdefgh12345678\n" }), &["https://api.example.com/v1"], None);
        let read = read.unwrap();
        assert_eq!((read.name.as_str(), read.hosts.as_slice()), ("CRM", ["api.example.com".to_owned()].as_slice()));
        assert_eq!(read.secrets["token"], "abcdefgh12345678");
        assert_eq!(read.hints["token"], "5678");
        assert!(read.fields.is_empty());
        let read = filled("http", "basic", json!({ "user": "me", "password": " short " }), &["a.example b.example:8443"], None);
        let read = read.unwrap();
        assert_eq!((&read.fields["user"], &read.secrets["password"]), (&json!("me"), &json!(" short ")));
        assert_eq!(read.hints["password"], "", "nothing of a password is shown");
        assert_eq!(read.hosts, ["a.example", "b.example:8443"]);
        let read = filled("http", "basic", json!({ "user": "me", "password": "a long password of hers" }), &["a.example"], None);
        assert_eq!(read.unwrap().hints["password"], "", "however long it is");
    }

    #[test]
    fn every_mistake_is_said_beside_its_field() {
        let mistakes = filled("http", "api_key_header", json!({ "header": " ", "other": 1 }), &["*"], None).err().unwrap();
        assert!(mistakes[0].starts_with("other:") && mistakes[1].starts_with("hosts:") && mistakes[2].starts_with("key:"));
        assert_eq!(mistakes.len(), 3, "{mistakes:?}: the header has a default");
        let mistakes = filled("http", "bearer", json!({ "token": "a\u{7}b" }), &[], None).err().unwrap();
        assert!(mistakes[0].starts_with("hosts: Name the host"), "{mistakes:?}");
        let mistakes = filled("http", "bearer", json!({ "token": "line\nbreak-in-the-middle" }), &["a.example"], None);
        let mistakes = mistakes.err().unwrap();
        assert!(mistakes[0].starts_with("token:") && !mistakes[0].contains("break-in"), "{mistakes:?}");
        let mail = json!({ "host": "mail.example.com:25", "security": "maybe", "port": "x" });
        let mistakes = filled("email", "smtp", mail, &[], None).err().unwrap();
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
    }

    #[test]
    fn another_host_asks_for_the_secrets_again() {
        let before = || Some((json!({}), ["a.example"].as_slice(), json!({ "token": "kept-secret-1234" })));
        let kept = filled("http", "bearer", json!({}), &["a.example"], before()).unwrap();
        assert_eq!(kept.secrets["token"], "kept-secret-1234");
        let mistakes = filled("http", "bearer", json!({}), &["a.example", "evil.example"], before()).err().unwrap();
        assert!(mistakes[0].starts_with("token: The connection may now be used for another host"), "{mistakes:?}");
        let read = filled("http", "bearer", json!({ "token": "new-secret" }), &["evil.example"], before()).unwrap();
        assert_eq!(read.secrets["token"], "new-secret", "the old one is nowhere near the new host");
        let mail = |host: &str| json!({ "host": host, "security": "starttls", "from": "a@b.example" });
        let before = || Some((mail("mail.example.com"), [].as_slice(), json!({ "password": "kept-secret-1234" })));
        assert!(filled("email", "smtp", mail("mail.example.com"), &[], before()).is_ok());
        assert!(filled("email", "smtp", mail("evil.example"), &[], before()).is_err());
    }

    #[test]
    fn a_key_is_not_shorter_than_what_can_be_kept_out_of_a_log() {
        let mistakes = filled("http", "bearer", json!({ "token": "abc1234" }), &["a.example"], None).err().unwrap();
        assert!(mistakes[0].starts_with("token: This is shorter than 8"), "{mistakes:?}");
        assert!(filled("http", "bearer", json!({ "token": "abc12345" }), &["a.example"], None).is_ok());
        assert!(filled("http", "basic", json!({ "user": "me", "password": "abc" }), &["a.example"], None).is_ok());
        // One from before this rule is kept.
        let before = Some((json!({}), ["a.example"].as_slice(), json!({ "token": "abc" })));
        assert!(filled("http", "bearer", json!({}), &["a.example"], before).is_ok());
    }

    #[test]
    fn null_takes_an_optional_secret_away() {
        let before = Some((json!({ "user": "me" }), ["a.example"].as_slice(), json!({ "password": "p" })));
        let read = filled("http", "basic", json!({ "user": "me", "password": null }), &["a.example"], before).unwrap();
        assert!(read.secrets.is_empty() && read.hints.is_empty());
    }
}
