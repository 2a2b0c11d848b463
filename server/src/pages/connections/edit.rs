//! The form of a connection. Secrets are never in it: an empty field keeps what is there.

use crate::{
    api::connections::{Change, Sharing, allowed_hosts, change, manages, used_by},
    app::App,
    auth::{Actor, permission::Action},
    connections::health::Health,
    pages,
    problem::{Code, Problem},
    store::{
        connections::{self, Stored},
        waits,
    },
};
use axum::{
    extract::{Form, Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, SecondsFormat, Utc};
use std::collections::HashMap;
use towpath_connectors::sdk::{
    connector::{Auth, Connector, Hosts},
    value,
};
use towpath_engine::{
    Object,
    catalogue::{Field, FieldKind as Kind},
    ids::{ConnectionId, PersonId},
};
use towpath_web::{
    connections::{
        edit::{Edit, Existing, FieldKind, FieldView, HostsView, Test},
        list::tone,
    },
    layout::Area,
};

/// What a browser sent.
pub struct Sent {
    pub connector: String,
    pub auth: String,
    pub name: String,
    pub hosts: String,
    pub people: Vec<PersonId>,
    for_everybody: bool,
    fields: HashMap<String, String>,
}

impl Sent {
    pub fn of(pairs: Vec<(String, String)>) -> Self {
        let mut sent = Self {
            connector: String::new(),
            auth: String::new(),
            name: String::new(),
            hosts: String::new(),
            people: Vec::new(),
            for_everybody: false,
            fields: HashMap::new(),
        };
        for (name, value) in pairs {
            match name.as_str() {
                "connector" => sent.connector = value,
                "auth" => sent.auth = value,
                "name" => sent.name = value,
                "hosts" => sent.hosts = value,
                "sharing" => sent.for_everybody = value == "everybody",
                "person" => sent.people.extend(value.parse::<PersonId>()),
                other => {
                    if let Some(field) = other.strip_prefix("f_") {
                        sent.fields.insert(field.to_owned(), value);
                    }
                }
            }
        }
        sent
    }

    pub fn sharing(&self) -> Sharing {
        if self.for_everybody { Sharing::Everybody } else { Sharing::People }
    }

    /// The fields of the form; secrets that were left empty are left out, and so kept.
    pub fn fields(&self, auth: &Auth) -> Object {
        let mut fields = Object::new();
        for field in &auth.fields {
            let given = self.fields.get(&field.name);
            match (&field.kind, given) {
                (Kind::Secret, Some(text)) if text.is_empty() => {}
                (Kind::Boolean, given) => {
                    fields.insert(field.name.clone(), given.is_some_and(|text| text == "true").into());
                }
                (_, Some(text)) => {
                    fields.insert(field.name.clone(), text.clone().into());
                }
                (_, None) => {}
            }
        }
        fields
    }
}

/// `GET /connections/{connection}`
pub async fn show(State(app): State<App>, actor: Actor, Path(id): Path<ConnectionId>) -> Result<Response, Problem> {
    let found = connections::find(&app.pool, actor.workspace, actor.person, id).await?;
    shown(&app, &actor, &found, None, None).await
}

/// The page of a connection that is there, with what was sent and what is wrong with it.
pub(super) async fn shown(
    app: &App,
    actor: &Actor,
    found: &Stored,
    sent: Option<&Sent>,
    problem: Option<Problem>,
) -> Result<Response, Problem> {
    let of = of(app, found)?;
    form(app, actor, Some(found), of, sent, problem).await
}

fn of<'a>(app: &'a App, found: &Stored) -> Result<(&'a Connector, &'a Auth), Problem> {
    let connector = app.registry.connector(&found.connector);
    let auth = connector.and_then(|connector| connector.auth.iter().find(|auth| auth.id == found.auth));
    connector.zip(auth).ok_or_else(|| {
        Problem::new(Code::Conflict, "This connection belongs to a connector that this server doesn't have. Install it again.")
    })
}

/// `POST /connections/{connection}`
pub async fn submit(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConnectionId>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let found = connections::find(&app.pool, actor.workspace, actor.person, id).await?;
    let (connector, auth) = of(&app, &found)?;
    let sent = Sent::of(pairs);
    let fields = sent.fields(auth);
    // Another name or other people say nothing about whether it works.
    let same = auth.fields.iter().all(|field| match (fields.get(&field.name), &field.kind) {
        (given, Kind::Secret) => given.is_none(),
        (given, _) => given.map(value::text).unwrap_or_default() == value::text_field(&found.fields, &field.name),
    });
    let hosts: Vec<String> = sent.hosts.split_whitespace().map(str::to_owned).collect();
    let entered = matches!(connector.hosts, Hosts::Entered) && !sent.hosts.is_empty();
    let touched = !same || (entered && hosts != found.hosts);
    let wanted = Change {
        name: Some(sent.name.clone()),
        fields: touched.then_some(fields),
        hosts: (touched && entered).then(|| vec![sent.hosts.clone()]),
        sharing: Some(sent.sharing()),
        people: Some(sent.people.clone()),
    };
    match change(&app, &actor, id, wanted).await {
        Ok(()) => Ok(Redirect::to(&format!("/connections/{id}?done=saved")).into_response()),
        Err(problem) if !problem.fields.is_empty() => shown(&app, &actor, &found, Some(&sent), Some(problem)).await,
        Err(problem) => Err(problem),
    }
}

/// The form, empty, filled with what is there, or with what was sent and its mistakes.
pub(super) async fn form(
    app: &App,
    actor: &Actor,
    found: Option<&Stored>,
    (connector, auth): (&Connector, &Auth),
    sent: Option<&Sent>,
    problem: Option<Problem>,
) -> Result<Response, Problem> {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mistakes = problem.map(|problem| problem.fields).unwrap_or_default();
    let wrong = |field: &str| mistakes.iter().find(|it| it.field == field).map(|it| it.message.clone());
    let people = people(app, actor, found, sent).await?;
    let known: Vec<&str> =
        auth.fields.iter().map(|field| field.name.as_str()).chain(["name", "hosts", "people", "url"]).collect();
    let name = sent.map(|sent| sent.name.clone()).or_else(|| found.map(|found| found.name.clone())).unwrap_or_default();
    let title = if found.is_some() { name.clone() } else { format!("New connection for {}", connector.name) };
    let view = Edit {
        page: actor.page(title, Area::Connections),
        existing: match found {
            Some(found) => Some(existing(app, actor, connector, found, &wrong).await?),
            None => None,
        },
        connector: connector.id.clone(),
        service: connector.name.clone(),
        icon: connector.icon.clone(),
        docs: connector.docs.clone(),
        ways: connector.auth.iter().map(|auth| (auth.id.clone(), auth.title.clone())).collect(),
        auth: auth.id.clone(),
        auth_title: auth.title.clone(),
        help: auth.help.clone(),
        name,
        name_error: wrong("name"),
        fields: auth.fields.iter().map(|it| field(it, found, sent, wrong(&it.name))).collect(),
        hosts: hosts(connector, auth, found, sent, wrong("hosts")),
        for_everybody: sent.map_or_else(|| found.is_none_or(|found| found.for_everybody), |sent| sent.for_everybody),
        people,
        people_error: wrong("people"),
        own: found.is_none_or(|found| found.owner == Some(actor.person)),
        manages: found.is_none_or(|found| manages(actor, found)) && actor.role.may(Action::EditConnections),
        mistake: mistakes.iter().find(|it| !known.contains(&it.field.as_str())).map(|it| it.message.clone()),
    };
    Ok((status, pages::html(&view)?).into_response())
}

async fn existing(
    app: &App,
    actor: &Actor,
    connector: &Connector,
    found: &Stored,
    wrong: &impl Fn(&str) -> Option<String>,
) -> Result<Existing, Problem> {
    let used = used_by(app, actor, &[found.id]).await?.remove(&found.id).unwrap_or_default();
    let time = |at: Option<DateTime<Utc>>| at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let first_host = allowed_hosts(Some(connector), found).into_iter().find(|host| !host.starts_with('*'));
    let test = match &connector.test {
        Some(probe) if probe.url.contains("connection.test_url") => {
            Test::Address { url: first_host.map(|host| format!("https://{host}/")).unwrap_or_default(), error: wrong("url") }
        }
        Some(_) => Test::Button,
        None if found.fields.contains_key("host") => Test::Button,
        None => Test::None,
    };
    Ok(Existing {
        id: found.id.to_string(),
        owner: found.owner_name.clone().unwrap_or_else(|| "Nobody any more".to_owned()),
        health: Health::from_name(&found.health).words(),
        tone: tone(&found.health),
        checked_at: time(found.checked_at),
        last_error: found.last_error.clone(),
        waiting: waits::for_connection(&app.pool, actor.workspace, found.id).await?,
        account: found.account_label.clone(),
        used_at: time(found.used_at),
        used_by: used.into_iter().map(|it| (it.workflow.to_string(), it.name, it.published)).collect(),
        test,
        usable: found.usable && actor.role.may(Action::EditConnections),
    })
}

fn field(it: &Field, found: Option<&Stored>, sent: Option<&Sent>, error: Option<String>) -> FieldView {
    let kind = match &it.kind {
        Kind::Secret => FieldKind::Secret,
        Kind::Number => FieldKind::Number,
        Kind::Boolean => FieldKind::Switch,
        Kind::Multiline => FieldKind::Multiline,
        Kind::Choice { options } => {
            FieldKind::Choice(options.iter().map(|it| (value::text(&it.value), it.title.clone())).collect())
        }
        _ => FieldKind::Text,
    };
    let secret = matches!(kind, FieldKind::Secret);
    let kept = || match found {
        Some(found) => Some(value::text_field(&found.fields, &it.name)),
        None => it.default.as_ref().map(value::text),
    };
    let hint = found.and_then(|found| found.hints.get(&it.name));
    FieldView {
        name: it.name.clone(),
        title: it.title.clone(),
        help: it.help.clone(),
        required: it.required,
        placeholder: it.placeholder.clone(),
        value: match sent.and_then(|sent| sent.fields.get(&it.name)) {
            _ if secret => String::new(),
            Some(text) => text.clone(),
            None => kept().unwrap_or_default(),
        },
        set: hint.map(|end| if end.is_empty() { "Set".to_owned() } else { format!("Set, ends in {end}") }),
        kind,
        error,
    }
}

fn hosts(connector: &Connector, auth: &Auth, found: Option<&Stored>, sent: Option<&Sent>, error: Option<String>) -> HostsView {
    let named = auth.fields.iter().any(|field| field.name == "host");
    match &connector.hosts {
        Hosts::Entered if !named => HostsView::Entered {
            text: match (sent, found) {
                (Some(sent), _) => sent.hosts.clone(),
                (None, Some(found)) => found.hosts.join("\n"),
                (None, None) => String::new(),
            },
            error,
        },
        _ => HostsView::Fixed(found.map(|found| allowed_hosts(Some(connector), found)).unwrap_or_default()),
    }
}

/// Everybody else in the workspace, and whether it is shared with them.
async fn people(
    app: &App,
    actor: &Actor,
    found: Option<&Stored>,
    sent: Option<&Sent>,
) -> Result<Vec<(String, String, String, bool)>, Problem> {
    let chosen = match (sent, found) {
        (Some(sent), _) => sent.people.clone(),
        (None, Some(found)) => connections::people(&app.pool, actor.workspace, found.id).await?,
        (None, None) => Vec::new(),
    };
    let owner = found.map_or(Some(actor.person), |found| found.owner);
    let members = connections::members(&app.pool, actor.workspace).await?;
    let others = members.into_iter().filter(|it| Some(it.person) != owner);
    Ok(others.map(|it| (it.person.to_string(), it.name, it.email, chosen.contains(&it.person))).collect())
}
