//! Testing a connection: the connector's own request, or a sign-in at a mail server. It goes through the same door and the same checks
//! as a workflow's calls, on behalf of the person who asks.

use super::{Connections, door, health::Health};
use crate::{
    dispatch::For,
    store::{
        connection_notices,
        connections::{self as stored, Stored},
    },
};
use http::{HeaderMap, Method};
use serde_json::json;
use std::time::{Duration, Instant};
use towpath_connectors::sdk::{HttpBody, HttpRequest, HttpResponse, Redirects, attach, connector::Probe, mask, outcome};
use towpath_engine::{
    Json, Object,
    error::{ErrorKind, StepError},
    expr::{Context, Template},
    ids::{ConnectionId, PersonId, WorkspaceId},
};
use url::Url;
use uuid::Uuid;

/// A person waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// More of an answer than this says nothing more about whether the connection works.
const MOST: usize = 1 << 20;
/// Stands in a test's address where a person says what to call.
const BY_PERSON: &str = "connection.test_url";
const ROOTS: &[&str] = &["response", "connection"];

/// What a test found out.
#[derive(Debug)]
pub struct Tested {
    pub health: Health,
    /// What happened, as a sentence.
    pub message: String,
    pub hint: Option<String>,
    pub account: Option<String>,
}

/// Tests a connection and notes the outcome. `url` is the address to try, for connections whose connector leaves that to the person.
///
/// # Errors
/// When the test could not be made at all: the connection isn't shared with the person, the address is missing or not one of its hosts.
pub async fn test(
    connections: &Connections,
    workspace: WorkspaceId,
    person: PersonId,
    connection: &Stored,
    url: Option<&str>,
) -> Result<Tested, StepError> {
    let whom = For { connection: Some(connection.id), person: Some(person), ..For::workspace(workspace) };
    let began = connections.0.clock.now();
    let connector = connections.0.registry.connector(&connection.connector);
    let probe = connector.and_then(|connector| connector.test.as_ref());
    let (result, account) = match probe {
        Some(probe) => match request(connections, whom, probe, &connection.fields, url).await {
            Ok(account) => (Ok(()), account),
            Err(error) => (Err(error), None),
        },
        None if connection.fields.contains_key("host") => {
            let deadline = Instant::now() + PATIENCE;
            (door::check_mail(connections.clone(), whom, connection.id, deadline).await, None)
        }
        None => {
            return Err(StepError::invalid_input(
                "This connector has no test. Use the connection in a workflow to see whether it works.",
            ));
        }
    };
    let tested = judge(result, account.as_ref())?;
    let noted = connections.found_out(workspace, connection.id, tested.health, Some(&tested.message), began).await;
    let noted = match (noted, account) {
        (Ok(()), Some(Account { id, label })) => {
            stored::set_account(&connections.0.pool, workspace, connection.id, id.as_deref(), label.as_deref()).await
        }
        (noted, _) => noted,
    };
    let noted = match noted {
        Ok(()) if tested.health.is_refused() && connection.owner == Some(person) => {
            connection_notices::told(&connections.0.pool, workspace, connection.id, connections.0.clock.now()).await
        }
        noted => noted,
    };
    noted.map_err(|error| super::unavailable(&error))?;
    Ok(tested)
}

/// Tests a connection on behalf of somebody whose call was refused: does the service not take the connection, or not that call?
/// `None`: there is no test that needs no person.
pub(super) async fn again(connections: &Connections, whom: For, id: ConnectionId) -> Option<Health> {
    let found = super::grant::allowed(connections, whom, id).await.ok()?;
    let probe = connections.0.registry.connector(&found.connector).and_then(|connector| connector.test.as_ref());
    let result = match probe {
        Some(probe) if probe.url.contains(BY_PERSON) => return None,
        Some(probe) => request(connections, whom, probe, &found.fields, None).await.map(drop),
        None if found.fields.contains_key("host") => {
            door::check_mail(connections.clone(), whom, id, Instant::now() + PATIENCE).await
        }
        None => return None,
    };
    judge(result, None).ok().map(|tested| tested.health)
}

/// Whose account it is, as the service says.
struct Account {
    id: Option<String>,
    label: Option<String>,
}

fn judge(result: Result<(), StepError>, account: Option<&Account>) -> Result<Tested, StepError> {
    let account = account.and_then(|account| account.label.clone());
    match result {
        Ok(()) => Ok(Tested { health: Health::Works, message: "The connection works.".into(), hint: None, account }),
        Err(error) => {
            let health = match error.kind {
                ErrorKind::Unauthorized => Health::Expired,
                ErrorKind::Forbidden if error.hint.is_none() => Health::MissingScope,
                // A guard of ours said no: that is about the test, not about the connection.
                ErrorKind::Forbidden | ErrorKind::Internal => return Err(error),
                ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Uncertain => Health::Unreachable,
                ErrorKind::InvalidInput | ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::RateLimited => Health::Untested,
            };
            Ok(Tested { health, message: error.message, hint: error.hint, account: None })
        }
    }
}

async fn request(
    connections: &Connections,
    whom: For,
    probe: &Probe,
    fields: &Object,
    url: Option<&str>,
) -> Result<Option<Account>, StepError> {
    let mut fields = fields.clone();
    if probe.url.contains(BY_PERSON) {
        let url = url.map(str::trim).filter(|url| !url.is_empty()).ok_or_else(|| {
            StepError::invalid_input("Write an address of the service that only works when one is signed in.").field("url")
        })?;
        fields.insert("test_url".into(), url.into());
    }
    let address = attach::public_text(&probe.url, &fields)?;
    let url = Url::parse(address.trim()).ok().filter(|url| matches!(url.scheme(), "https" | "http")).ok_or_else(|| {
        StepError::invalid_input(format!("\"{}\" is not a whole address; it begins with https://.", address.trim())).field("url")
    })?;
    let doors = connections.doors(whom);
    let request = HttpRequest {
        method: Method::from_bytes(probe.method.as_bytes()).unwrap_or(Method::GET),
        url,
        headers: HeaderMap::new(),
        body: HttpBody::Empty,
        authenticate: true,
        redirects: Redirects::Follow,
        deadline: Instant::now() + PATIENCE,
        max_response: MOST,
    };
    let response = doors.http.send(request).await?;
    read(probe, fields, &response)
}

/// What the answer says, by the connector's own expressions.
fn read(probe: &Probe, fields: Object, response: &HttpResponse) -> Result<Option<Account>, StepError> {
    let text = String::from_utf8_lossy(&response.body);
    let body = serde_json::from_slice::<Json>(&response.body).unwrap_or_else(|_| text.into());
    let value = json!({ "status": response.status.as_u16(), "headers": mask::headers(&response.headers), "body": body });
    let roots = Object::from_iter([("response".to_owned(), value), ("connection".to_owned(), fields.into())]);
    let context = Context::named(roots, Uuid::nil(), response.received);
    let of = |template: &Option<String>| {
        let template = Template::compile_named(&template.as_deref()?.into(), ROOTS).ok()?;
        template.resolve(&context).ok().flatten()
    };
    outcome::of(response).map_err(|mut error| {
        // What to do about a step's input says nothing about a connection; the kind says enough.
        error.hint = None;
        error
    })?;
    match (&probe.success, of(&probe.success)) {
        (None, _) | (Some(_), Some(Json::Bool(true))) => {}
        _ => {
            let said = body_words(&context);
            return Err(StepError::new(ErrorKind::Unauthorized, format!("The service did not accept the connection{said}.")));
        }
    }
    let words = |template| of(template).map(|value| towpath_connectors::sdk::value::text(&value)).filter(|text| !text.is_empty());
    Ok(Some(Account { id: words(&probe.account_id), label: words(&probe.account_label) }))
}

/// What services that answer 200 to everything say instead.
fn body_words(context: &Context) -> String {
    let template = Template::compile_named(&"{{ response.body.error }}".into(), ROOTS);
    match template.and_then(|template| template.resolve(context)) {
        Ok(Some(Json::String(text))) if !text.is_empty() && text.len() <= 200 => format!(": “{text}”"),
        _ => String::new(),
    }
}
