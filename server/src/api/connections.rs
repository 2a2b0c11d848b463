//! Connections as JSON. Secrets go in and never come out: an answer says that one is set, and how it ends.

use crate::{
    api::extract::Sent,
    app::App,
    auth::{Actor, permission::Role},
    connections::{
        bind,
        form::{self, Before, Filled, Read},
        grant,
        health::Health,
        probe,
    },
    problem::{Code, Problem},
    store::{
        self, bindings,
        connections::{self, Content, Stored},
    },
};
use axum::{
    Json as Body,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use towpath_connectors::sdk::connector::{Auth, Connector, Hosts};
use towpath_engine::{
    Json, Object,
    ids::{ConnectionId, PersonId, WorkflowId},
    workflow::Workflow,
};

/// Connections on one page.
const PAGE: i64 = 100;

/// Who may use a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    Everybody,
    /// Its owner, and those who are listed.
    #[default]
    People,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct New {
    /// The id of the connector: `http`, `email`, `slack`.
    pub(crate) connector: String,
    /// Which of its ways to authenticate; may be left out where there is one only.
    #[serde(default)]
    pub(crate) auth: Option<String>,
    pub(crate) name: String,
    /// The fields of the way to authenticate, secret ones too.
    #[serde(default)]
    pub(crate) fields: Object,
    /// For connectors that leave it to the owner: where the secrets may be sent, such as `api.example.com`.
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    #[serde(default)]
    pub(crate) sharing: Sharing,
    /// With whom it is shared, for `people`.
    #[serde(default)]
    pub(crate) people: Vec<PersonId>,
}

/// A change; what is left out stays as it is. A secret that is null is taken away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) fields: Option<Object>,
    #[serde(default)]
    pub(crate) hosts: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) sharing: Option<Sharing>,
    #[serde(default)]
    pub(crate) people: Option<Vec<PersonId>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// An address to try, for connections to services that have no connector of their own.
    #[serde(default)]
    url: Option<String>,
}

#[derive(Deserialize)]
pub struct Filter {
    /// Only this connector's.
    connector: Option<String>,
    /// The name of the last one of the page before.
    after: Option<String>,
}

/// `GET /api/v1/connectors`: the services there are, and what their connections ask for.
pub async fn connectors(State(app): State<App>) -> Body<Json> {
    let listed: Vec<&Connector> = app.registry.connectors().collect();
    Body(json!({ "connectors": listed }))
}

/// `GET /api/v1/connections?connector=&after=`: by name, a hundred at a time.
pub async fn list(State(app): State<App>, actor: Actor, Query(filter): Query<Filter>) -> Result<Body<Json>, Problem> {
    // The database takes no NUL, and no name has one.
    let plain = |text: Option<String>| text.map(|text| text.replace('\0', ""));
    let (connector, after) = (plain(filter.connector), plain(filter.after));
    let (connector, after) = (connector.as_deref(), after.as_deref());
    let mut listed = connections::list(&app.pool, actor.workspace, actor.person, connector, after, PAGE + 1).await?;
    let more = listed.len() > PAGE as usize;
    listed.truncate(PAGE as usize);
    let after = listed.last().filter(|_| more).map(|last| last.name.clone());
    let shown: Vec<Json> = listed.iter().map(|it| view(&app, &actor, it)).collect();
    Ok(Body(json!({ "connections": shown, "after": after })))
}

/// `GET /api/v1/connections/{id}`: one connection, with the workflows that use it and the people it is shared with.
pub async fn get(State(app): State<App>, actor: Actor, Path(id): Path<ConnectionId>) -> Result<Body<Json>, Problem> {
    Ok(Body(whole(&app, &actor, id).await?))
}

/// `POST /api/v1/connections`: 201 with the new connection. It belongs to whoever made it.
pub async fn post(State(app): State<App>, actor: Actor, Sent(new): Sent<New>) -> Result<(StatusCode, Body<Json>), Problem> {
    let id = create(&app, &actor, new).await?;
    Ok((StatusCode::CREATED, Body(whole(&app, &actor, id).await?)))
}

/// `PUT /api/v1/connections/{id}`: by its owner or an admin. Another host asks for the secrets again.
pub async fn put(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConnectionId>,
    Sent(change): Sent<Change>,
) -> Result<Body<Json>, Problem> {
    self::change(&app, &actor, id, change).await?;
    Ok(Body(whole(&app, &actor, id).await?))
}

/// `POST /api/v1/connections/{id}/test`: `{ "health", "message", "hint"?, "account"? }`.
pub async fn test(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConnectionId>,
    Body(test): Body<Test>,
) -> Result<Body<Json>, Problem> {
    let found = connections::find(&app.pool, actor.workspace, actor.person, id).await?;
    let tested = probe::test(&app.connections, actor.workspace, actor.person, &found, test.url.as_deref()).await;
    let tested = tested.map_err(refused)?;
    Ok(Body(json!({
        "health": tested.health.name(),
        "message": tested.message,
        "hint": tested.hint,
        "account": tested.account,
    })))
}

/// A test that could not be made.
pub(crate) fn refused(error: towpath_engine::error::StepError) -> Problem {
    use towpath_engine::error::ErrorKind;
    let message = match &error.hint {
        Some(hint) => format!("{} {hint}", error.message),
        None => error.message.clone(),
    };
    match (error.kind, &error.field) {
        (_, Some(field)) => Problem::invalid(field.clone(), message),
        (ErrorKind::Unavailable, _) => Problem::new(Code::Unavailable, message),
        (ErrorKind::Forbidden, _) => Problem::new(Code::Forbidden, message),
        _ => Problem::new(Code::InvalidInput, message),
    }
}

/// `DELETE /api/v1/connections/{id}`: by its owner or an admin. Steps that use it fail from now on, and say why.
pub async fn delete(State(app): State<App>, actor: Actor, Path(id): Path<ConnectionId>) -> Result<StatusCode, Problem> {
    remove(&app, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// May this person change, share and delete the connection?
pub(crate) fn manages(actor: &Actor, connection: &Stored) -> bool {
    connection.owner == Some(actor.person) || actor.role >= Role::Admin
}

fn must_manage(actor: &Actor, connection: &Stored) -> Result<(), Problem> {
    if manages(actor, connection) {
        return Ok(());
    }
    let owner = connection.owner_name.as_deref().unwrap_or("somebody who has left");
    Err(Problem::new(Code::Forbidden, format!("This connection belongs to {owner}. Its owner and admins can change it.")))
}

pub(crate) async fn create(app: &App, actor: &Actor, new: New) -> Result<ConnectionId, Problem> {
    let connector =
        app.registry.connector(&new.connector).ok_or_else(|| Problem::invalid("connector", "There is no such connector."))?;
    let auth = auth_of(connector, new.auth.as_deref())?;
    let filled = Filled { name: &new.name, fields: &new.fields, hosts: &new.hosts };
    let read = form::read(connector, auth, &filled, None)?;
    let (id, now) = (ConnectionId::new(), app.clock.now());
    let sealed = seal(app, actor, id, &read).await?;
    let mut transaction = app.pool.begin().await?;
    let content = content(&read, sealed.as_deref(), new.sharing);
    let at = (connector.id.as_str(), auth.id.as_str());
    connections::insert(&mut transaction, actor.workspace, id, at, actor.person, &content, now).await.map_err(named_twice)?;
    connections::set_people(&mut transaction, actor.workspace, id, &new.people).await.map_err(not_a_member)?;
    transaction.commit().await?;
    Ok(id)
}

fn auth_of<'a>(connector: &'a Connector, id: Option<&str>) -> Result<&'a Auth, Problem> {
    let found = match (id, connector.auth.as_slice()) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(id), all) => all.iter().find(|auth| auth.id == id),
    };
    found.ok_or_else(|| {
        let ways: Vec<&str> = connector.auth.iter().map(|auth| auth.id.as_str()).collect();
        Problem::invalid("auth", format!("Choose a way to sign in: {}.", ways.join(", ")))
    })
}

pub(crate) async fn change(app: &App, actor: &Actor, id: ConnectionId, change: Change) -> Result<(), Problem> {
    let found = connections::find(&app.pool, actor.workspace, actor.person, id).await?;
    must_manage(actor, &found)?;
    let sharing = change.sharing.unwrap_or(if found.for_everybody { Sharing::Everybody } else { Sharing::People });
    let name = change.name.as_deref().unwrap_or(&found.name);
    let now = app.clock.now();
    let mut transaction = app.pool.begin().await?;
    if change.fields.is_none() && change.hosts.is_none() {
        let name = form::read_name_alone(name)?;
        let everybody = sharing == Sharing::Everybody;
        connections::set_name_and_sharing(&mut transaction, actor.workspace, id, &name, everybody, now)
            .await
            .map_err(named_twice)?;
    } else {
        let connector = app.registry.connector(&found.connector).ok_or_else(|| {
            Problem::new(Code::Conflict, "This connection belongs to a connector that this server doesn't have.")
        })?;
        let auth = auth_of(connector, Some(&found.auth))?;
        let secrets = Before::secrets(&app.connections, actor.workspace, id).await?;
        let before = Before { fields: &found.fields, hosts: &found.hosts, secrets };
        // Public fields that are left out stay as they are.
        let mut fields = found.fields.clone();
        fields.extend(change.fields.unwrap_or_default());
        let hosts = change.hosts.as_deref().unwrap_or(&found.hosts);
        let read = form::read(connector, auth, &Filled { name, fields: &fields, hosts }, Some(&before))?;
        let sealed = seal(app, actor, id, &read).await?;
        let content = content(&read, sealed.as_deref(), sharing);
        connections::update(&mut transaction, actor.workspace, id, &content, now).await.map_err(named_twice)?;
    }
    if let Some(people) = &change.people {
        connections::set_people(&mut transaction, actor.workspace, id, people).await.map_err(not_a_member)?;
    }
    transaction.commit().await?;
    Ok(())
}

pub(crate) async fn remove(app: &App, actor: &Actor, id: ConnectionId) -> Result<(), Problem> {
    let found = connections::find(&app.pool, actor.workspace, actor.person, id).await?;
    must_manage(actor, &found)?;
    Ok(connections::delete(&app.pool, actor.workspace, id).await?)
}

async fn seal(app: &App, actor: &Actor, id: ConnectionId, read: &Read) -> Result<Option<Vec<u8>>, Problem> {
    if read.secrets.is_empty() {
        return Ok(None);
    }
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&read.secrets).map_err(Problem::internal)?);
    Ok(Some(app.vault.seal(grant::place(actor.workspace, id), &plain).await?))
}

fn content<'a>(read: &'a Read, sealed: Option<&'a [u8]>, sharing: Sharing) -> Content<'a> {
    Content {
        name: &read.name,
        fields: &read.fields,
        secret_sealed: sealed,
        hints: &read.hints,
        hosts: &read.hosts,
        for_everybody: sharing == Sharing::Everybody,
    }
}

fn named_twice(error: store::Error) -> Problem {
    match error {
        store::Error::Conflict(name) if name == "connection_name" => {
            Problem::invalid("name", "Another connection has this name. Choose one that tells them apart.")
        }
        other => other.into(),
    }
}

fn not_a_member(error: store::Error) -> Problem {
    match error {
        store::Error::Conflict(_) => Problem::invalid("people", "A connection can only be shared with members of the workspace."),
        other => other.into(),
    }
}

/// A connection as the API shows it.
fn view(app: &App, actor: &Actor, it: &Stored) -> Json {
    let connector = app.registry.connector(&it.connector);
    let secrets: Object = it
        .hints
        .iter()
        .map(|(name, hint)| {
            let shown = if hint.is_empty() { "set".to_owned() } else { format!("set, ends in {hint}") };
            (name.clone(), shown.into())
        })
        .collect();
    json!({
        "id": it.id,
        "name": it.name,
        "connector": it.connector,
        "service": connector.map_or(it.connector.as_str(), |connector| connector.name.as_str()),
        "auth": it.auth,
        "fields": it.fields,
        "secrets": secrets,
        "hosts": allowed_hosts(connector, it),
        "owner": it.owner.map(|id| json!({ "id": id, "name": it.owner_name })),
        "sharing": if it.for_everybody { Sharing::Everybody } else { Sharing::People },
        "usable": it.usable,
        "manageable": manages(actor, it),
        "health": it.health,
        "health_words": Health::from_name(&it.health).words(),
        "health_since": it.health_since,
        "checked_at": it.checked_at,
        "last_error": it.last_error,
        "account": it.account_label,
        "account_id": it.account_id,
        "created_at": it.created_at,
        "updated_at": it.updated_at,
        "used_at": it.used_at,
    })
}

/// Where its secrets may be sent, as patterns.
pub(crate) fn allowed_hosts(connector: Option<&Connector>, it: &Stored) -> Vec<String> {
    let hosts = connector.map_or(&Hosts::Entered, |connector| &connector.hosts);
    let patterns = crate::connections::hosts::effective(hosts, &it.hosts, &it.fields).unwrap_or_default();
    patterns.iter().map(ToString::to_string).collect()
}

async fn whole(app: &App, actor: &Actor, id: ConnectionId) -> Result<Json, Problem> {
    let found = connections::find(&app.pool, actor.workspace, actor.person, id).await?;
    let mut shown = view(app, actor, &found);
    let shared: Vec<PersonId> = connections::people(&app.pool, actor.workspace, id).await?;
    let members = connections::members(&app.pool, actor.workspace).await?;
    shown["people"] =
        members.iter().filter(|it| shared.contains(&it.person)).map(|it| json!({ "id": it.person, "name": it.name })).collect();
    let used = used_by(app, actor, id).await?;
    shown["used_by"] =
        used.iter().map(|it| json!({ "workflow": it.workflow, "name": it.name, "published": it.published })).collect();
    Ok(shown)
}

/// A workflow that names a connection.
pub(crate) struct UsedBy {
    pub workflow: WorkflowId,
    pub name: String,
    /// In the version that runs, as opposed to the draft alone.
    pub published: bool,
}

/// The workflows whose draft or running version names the connection.
pub(crate) async fn used_by(app: &App, actor: &Actor, id: ConnectionId) -> Result<Vec<UsedBy>, Problem> {
    let names = |document: Json| serde_json::from_value::<Workflow>(document).is_ok_and(|it| bind::names(&it, id));
    let bound = bindings::workflows(&app.pool, actor.workspace, id).await?;
    let used = bound.into_iter().filter_map(|it| {
        let published = it.published.is_some_and(names);
        (published || names(it.draft)).then_some(UsedBy { workflow: it.workflow, name: it.name, published })
    });
    Ok(used.collect())
}
