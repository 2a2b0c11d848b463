//! Connections as JSON. Secrets go in and never come out: an answer says that one is set, and how it ends.

use crate::{
    api::{
        extract::{Asked, MaybeSent, Sent},
        openapi::new_connection,
        page::{Page, Window},
    },
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
        waits,
    },
};
use axum::{
    Json as Body,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use towpath_connectors::sdk::connector::{Auth, Connector, Hosts};
use towpath_engine::{
    Json, Object,
    ids::{ConnectionId, PersonId, WorkflowId},
    workflow::Workflow,
};

/// Who may use a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
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
#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ConnectionChange")]
#[serde(deny_unknown_fields)]
pub struct Change {
    #[serde(default)]
    #[schemars(length(max = 100), regex(pattern = form::NAME))]
    pub(crate) name: Option<String>,
    /// Those that change, by their names.
    #[serde(default)]
    pub(crate) fields: Option<Object>,
    #[serde(default)]
    pub(crate) hosts: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) sharing: Option<Sharing>,
    #[serde(default)]
    pub(crate) people: Option<Vec<PersonId>>,
}

#[derive(Default, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ConnectionTest")]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// An address to try, for connections to services that have no connector of their own.
    #[serde(default)]
    url: Option<String>,
}

/// What a test found out.
#[derive(Serialize, JsonSchema)]
pub struct Tested {
    #[schemars(with = "Health")]
    health: &'static str,
    /// What happened, a sentence.
    message: String,
    /// What to do.
    hint: Option<String>,
    /// Whose account it is, where the service says so.
    account: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Only this connector's.
    connector: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    /// How many connections, from 1 to 200; 50 unless given.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
}

/// The services that there are.
#[derive(Serialize, JsonSchema)]
pub struct Services<'a> {
    connectors: Vec<&'a Connector>,
}

/// A connection without its secrets.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Connection")]
pub struct View {
    id: ConnectionId,
    name: String,
    /// The connector's id.
    connector: String,
    /// The name of the service.
    service: String,
    /// Which of the connector's ways to authenticate.
    auth: String,
    /// The public fields.
    fields: Object,
    /// The secret ones: that they are set, and how a long one ends.
    #[schemars(with = "BTreeMap<String, String>")]
    secrets: Object,
    /// Where its secrets may be sent, as patterns.
    hosts: Vec<String>,
    /// Null when they left.
    owner: Option<Named>,
    sharing: Sharing,
    /// Whoever asks may build with it.
    usable: bool,
    /// Whoever asks may change, share and delete it.
    manageable: bool,
    #[schemars(with = "Health")]
    health: String,
    health_words: &'static str,
    health_since: DateTime<Utc>,
    checked_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
    /// Whose account it is at the service.
    account: Option<String>,
    account_id: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
}

/// A connection, the people it is shared with and the workflows that use it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConnectionWithUse")]
pub struct Whole {
    #[serde(flatten)]
    view: View,
    people: Vec<Named>,
    used_by: Vec<User>,
    /// Runs that wait until the service takes it again.
    waiting_runs: i64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NamedPerson")]
pub struct Named {
    id: PersonId,
    name: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UsingWorkflow")]
pub struct User {
    workflow: WorkflowId,
    name: String,
    /// In the version that runs, as opposed to the draft alone.
    published: bool,
}

/// `GET /api/v1/connectors`: the services there are, and what their connections ask for.
pub async fn connectors(State(app): State<App>) -> Response {
    Body(Services { connectors: app.registry.connectors().collect() }).into_response()
}

/// `GET /api/v1/connections?connector=`: by name.
pub async fn list(State(app): State<App>, actor: Actor, Asked(filter): Asked<Filter>) -> Result<Body<Page<View>>, Problem> {
    // The database takes no NUL, and no name has one.
    let plain = |text: Option<String>| text.map(|text| text.replace('\0', ""));
    let window = Window::new(plain(filter.after), filter.limit)?;
    let (connector, after) = (plain(filter.connector), window.after.as_deref());
    let rows = connections::list(&app.pool, actor.workspace, actor.person, connector.as_deref(), after, window.rows()).await?;
    Ok(Body(window.page(rows, |row| row.name.clone(), |row| view(&app, &actor, &row))))
}

/// `GET /api/v1/connections/{id}`: one connection, with the workflows that use it and the people it is shared with.
pub async fn get(State(app): State<App>, actor: Actor, Path(id): Path<ConnectionId>) -> Result<Body<Whole>, Problem> {
    Ok(Body(whole(&app, &actor, id).await?))
}

/// `POST /api/v1/connections`: 201 with the new connection. It belongs to whoever made it.
pub async fn post(State(app): State<App>, actor: Actor, Sent(new): Sent<New>) -> Result<(StatusCode, Body<Whole>), Problem> {
    let (connector, auth) = chosen(&app, &new)?;
    form::read(connector, auth, &Filled { name: &new.name, fields: &new.fields, hosts: &new.hosts }, None)?;
    new_connection::fits(connector, auth, &new)?;
    let id = create(&app, &actor, new).await?;
    Ok((StatusCode::CREATED, Body(whole(&app, &actor, id).await?)))
}

/// `PUT /api/v1/connections/{id}`: by its owner or an admin. Another host asks for the secrets again.
pub async fn put(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConnectionId>,
    Sent(change): Sent<Change>,
) -> Result<Body<Whole>, Problem> {
    self::change(&app, &actor, id, change).await?;
    Ok(Body(whole(&app, &actor, id).await?))
}

/// `POST /api/v1/connections/{id}/test`: `{ "health", "message", "hint"?, "account"? }`.
pub async fn test(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ConnectionId>,
    MaybeSent(test): MaybeSent<Test>,
) -> Result<Body<Tested>, Problem> {
    let found = connections::find(&app.pool, actor.workspace, actor.person, id).await?;
    let tested = probe::test(&app.connections, actor.workspace, actor.person, &found, test.url.as_deref()).await;
    let tested = tested.map_err(refused)?;
    Ok(Body(Tested { health: tested.health.name(), message: tested.message, hint: tested.hint, account: tested.account }))
}

/// A test that could not be made.
pub(crate) fn refused(error: towpath_engine::error::StepError) -> Problem {
    use towpath_engine::error::ErrorKind;
    let message = match &error.hint {
        Some(hint) => format!("{} {hint}", error.message),
        None => error.message.clone(),
    };
    match (error.kind, &error.field) {
        (_, Some(field)) => Problem::clash(field.clone(), message),
        (ErrorKind::Unavailable, _) => Problem::new(Code::Unavailable, message),
        (ErrorKind::Forbidden, _) => Problem::new(Code::Forbidden, message),
        _ => Problem::new(Code::Conflict, message),
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
    let (connector, auth) = chosen(app, &new)?;
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

fn chosen<'a>(app: &'a App, new: &New) -> Result<(&'a Connector, &'a Auth), Problem> {
    let connector =
        app.registry.connector(&new.connector).ok_or_else(|| Problem::invalid("connector", "There is no such connector."))?;
    Ok((connector, auth_of(connector, new.auth.as_deref())?))
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
        // What is missing follows from what is there: a clash with it, not a mistake in writing.
        let read = form::read(connector, auth, &Filled { name, fields: &fields, hosts }, Some(&before))
            .map_err(|problem| Problem { code: Code::Conflict, ..problem })?;
        let sealed = seal(app, actor, id, &read).await?;
        let content = content(&read, sealed.as_deref(), sharing);
        connections::update(&mut transaction, actor.workspace, id, &content, now).await.map_err(named_twice)?;
    }
    if let Some(people) = &change.people {
        connections::set_people(&mut transaction, actor.workspace, id, people).await.map_err(not_a_member)?;
    }
    transaction.commit().await?;
    app.connections.changed();
    Ok(())
}

pub(crate) async fn remove(app: &App, actor: &Actor, id: ConnectionId) -> Result<(), Problem> {
    let found = connections::find(&app.pool, actor.workspace, actor.person, id).await?;
    must_manage(actor, &found)?;
    connections::delete(&app.pool, actor.workspace, id).await?;
    app.connections.changed();
    Ok(())
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
            Problem::clash("name", "Another connection has this name. Choose one that tells them apart.")
        }
        other => other.into(),
    }
}

fn not_a_member(error: store::Error) -> Problem {
    match error {
        store::Error::Conflict(_) => Problem::clash("people", "A connection can only be shared with members of the workspace."),
        other => other.into(),
    }
}

/// A connection as the API shows it.
fn view(app: &App, actor: &Actor, it: &Stored) -> View {
    let connector = app.registry.connector(&it.connector);
    let secrets: Object = it
        .hints
        .iter()
        .map(|(name, hint)| {
            let shown = if hint.is_empty() { "set".to_owned() } else { format!("set, ends in {hint}") };
            (name.clone(), shown.into())
        })
        .collect();
    View {
        id: it.id,
        name: it.name.clone(),
        connector: it.connector.clone(),
        service: connector.map_or(&it.connector, |connector| &connector.name).clone(),
        auth: it.auth.clone(),
        fields: it.fields.clone(),
        secrets,
        hosts: allowed_hosts(connector, it),
        owner: it.owner.map(|id| Named { id, name: it.owner_name.clone().unwrap_or_default() }),
        sharing: if it.for_everybody { Sharing::Everybody } else { Sharing::People },
        usable: it.usable,
        manageable: manages(actor, it),
        health: it.health.clone(),
        health_words: Health::from_name(&it.health).words(),
        health_since: it.health_since,
        checked_at: it.checked_at,
        last_error: it.last_error.clone(),
        account: it.account_label.clone(),
        account_id: it.account_id.clone(),
        created_at: it.created_at,
        updated_at: it.updated_at,
        used_at: it.used_at,
    }
}

/// Where its secrets may be sent, as patterns.
pub(crate) fn allowed_hosts(connector: Option<&Connector>, it: &Stored) -> Vec<String> {
    let hosts = connector.map_or(&Hosts::Entered, |connector| &connector.hosts);
    let patterns = crate::connections::hosts::effective(hosts, &it.hosts, &it.fields).unwrap_or_default();
    patterns.iter().map(ToString::to_string).collect()
}

async fn whole(app: &App, actor: &Actor, id: ConnectionId) -> Result<Whole, Problem> {
    let found = connections::find(&app.pool, actor.workspace, actor.person, id).await?;
    let shared: Vec<PersonId> = connections::people(&app.pool, actor.workspace, id).await?;
    let members = connections::members(&app.pool, actor.workspace).await?;
    let people = members.into_iter().filter(|it| shared.contains(&it.person));
    let used = used_by(app, actor, &[id]).await?.remove(&id).unwrap_or_default();
    let waiting_runs = waits::for_connection(&app.pool, actor.workspace, id).await?;
    Ok(Whole {
        view: view(app, actor, &found),
        people: people.map(|it| Named { id: it.person, name: it.name }).collect(),
        used_by: used.into_iter().map(|it| User { workflow: it.workflow, name: it.name, published: it.published }).collect(),
        waiting_runs,
    })
}

/// A workflow that names a connection.
pub(crate) struct UsedBy {
    pub workflow: WorkflowId,
    pub name: String,
    /// In the version that runs, as opposed to the draft alone.
    pub published: bool,
}

/// For each of the connections the workflows whose draft or running version names it; in one query, and each document is read once.
pub(crate) async fn used_by(
    app: &App,
    actor: &Actor,
    ids: &[ConnectionId],
) -> Result<HashMap<ConnectionId, Vec<UsedBy>>, Problem> {
    let mut used: HashMap<ConnectionId, Vec<UsedBy>> = HashMap::new();
    for it in bindings::workflows(&app.pool, actor.workspace, ids).await? {
        let read = |document: Json| serde_json::from_value::<Workflow>(document).ok();
        let (draft, running) = (read(it.draft), it.published.and_then(read));
        for id in it.connections {
            let published = running.as_ref().is_some_and(|document| bind::names(document, id));
            if published || draft.as_ref().is_some_and(|document| bind::names(document, id)) {
                used.entry(id).or_default().push(UsedBy { workflow: it.workflow, name: it.name.clone(), published });
            }
        }
    }
    Ok(used)
}
