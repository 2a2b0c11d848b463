//! In front of every handler: who is asking, did it come from our own pages, may they. A handler behind [`Guarded`] runs only when
//! its route's rule holds; there is no way to add a route without it.

use super::{
    Actor, csrf,
    permission::{Action, Rule},
    scope::Scope,
    session, streams, token,
    visit::Visit,
};
use crate::{
    api::idempotency,
    app::App,
    metrics::figures,
    problem::{Code, Problem, wants_json},
};
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    handler::Handler,
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::{future::Future, pin::Pin, sync::Arc};

/// Where the figures are.
const METRICS: &str = "/metrics";
/// The longest form that is read to find its token; pages send nothing longer.
const LONGEST_FORM: usize = 1 << 20;

/// What a handler is about to answer.
pub type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler and the rule in front of it. Of one type whatever the handler is, so that what stands in front of handlers is compiled
/// once and not for each of them.
#[derive(Clone)]
pub struct Guarded {
    rule: Rule,
    handler: Arc<dyn Fn(Request, App) -> Answering + Send + Sync>,
}

impl Guarded {
    pub fn new<H: Handler<T, App>, T: 'static>(rule: Rule, handler: H) -> Self {
        Self { rule, handler: Arc::new(move |request, app| Box::pin(handler.clone().call(request, app))) }
    }

    async fn answer(self, request: Request, app: App) -> Response {
        let request = match admit(self.rule, request, &app).await {
            Ok(request) => request,
            Err(response) => return *response,
        };
        let actor = request.extensions().get::<Actor>().cloned();
        let renewed = request.extensions().get::<Renewed>().cloned();
        let key = match (&actor, idempotency::key_of(&request)) {
            (Some(_), Ok(key)) => key,
            (None, _) => None,
            (_, Err(problem)) => return problem.into_response(),
        };
        let handle = |request| (self.handler)(request, app.clone());
        let mut response = match (key, &actor) {
            (Some(key), Some(by)) => idempotency::once(&app, by, key, request, handle).await,
            _ => handle(request).await,
        };
        if let Some(Renewed(cookie)) = renewed
            && !response.headers().contains_key(header::SET_COOKIE)
        {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        let Some(actor) = actor else { return response };
        // The error page keeps the bar of the person who meets it.
        if !response.status().is_success() {
            response.extensions_mut().insert(actor);
            return response;
        }
        streams::while_allowed(response, &app, &actor)
    }
}

impl Handler<Rule, App> for Guarded {
    type Future = Answering;

    fn call(self, request: Request, app: App) -> Self::Future {
        Box::pin(self.answer(request, app))
    }
}

/// The session took a new id: what the answer tells the browser.
#[derive(Clone)]
struct Renewed(HeaderValue);

/// Lets a request through, with its [`Actor`] in the extensions, or answers it.
async fn admit(rule: Rule, request: Request, app: &App) -> Result<Request, Box<Response>> {
    if rule == Rule::Public {
        return Ok(request);
    }
    let (mut parts, mut body) = request.into_parts();
    let visit = match parts.extensions.get::<Visit>() {
        Some(visit) => visit.clone(),
        None => Visit::of(&parts, &app.auth.settings),
    };
    parts.extensions.insert(visit.clone());
    if let Some(text) = token::of_request(&parts.headers).filter(|_| takes_tokens(parts.uri.path())) {
        let actor = token::find(app, &visit, text).await.map_err(refuse)?;
        if let Some(refused) = refused_to_token(rule, &actor, &parts) {
            return Err(refuse_to(refused, actor));
        }
        parts.extensions.insert(actor);
        return Ok(Request::from_parts(parts, body));
    }
    let found = session::find(app, &visit, &parts.headers).await.map_err(refuse)?;
    let actor = found.map(|found| {
        if let Some(cookie) = found.renewed.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            parts.extensions.insert(Renewed(cookie));
        }
        Actor { held: app.engine.is_held(), ..found.actor }
    });
    let changes = csrf::changes_state(&parts.method);
    if changes {
        csrf::check_origin(&parts.headers, &visit, &app.auth.settings).map_err(refuse)?;
    }
    if rule == Rule::Visitor {
        if let Some(actor) = actor {
            parts.extensions.insert(actor);
        }
        return Ok(Request::from_parts(parts, body));
    }
    let Some(actor) = actor else {
        figures().unauthenticated();
        return Err(Box::new(ask_to_sign_in(&parts.method, parts.uri.path(), parts.uri.query(), &parts.headers)));
    };
    if changes {
        let sent = match parts.headers.get(csrf::HEADER) {
            Some(token) => token.to_str().unwrap_or_default().to_owned(),
            None => {
                let (token, read) = token_of_form(&parts.headers, body).await.map_err(refuse)?;
                body = read;
                token
            }
        };
        if !csrf::token_matches(&actor.csrf, &sent) {
            return Err(refuse_to(
                Problem::new(
                    Code::Forbidden,
                    "This page was opened in an earlier session, so nothing was changed. Go back, load the page again and repeat it.",
                ),
                actor,
            ));
        }
    }
    if let Some(refused) = refused_to_person(rule, &actor) {
        figures().denied();
        let mut response = refuse_to(refused, actor);
        if let Some(Renewed(cookie)) = parts.extensions.get::<Renewed>() {
            response.headers_mut().append(header::SET_COOKIE, cookie.clone());
        }
        return Err(response);
    }
    tracing::Span::current().record("workspace", tracing::field::display(&actor.workspace));
    parts.extensions.insert(actor);
    Ok(Request::from_parts(parts, body))
}

/// Why the person behind a request may not, if so.
fn refused_to_person(rule: Rule, actor: &Actor) -> Option<Problem> {
    let detail = match rule {
        Rule::May(action) if !actor.role.may(action) => may_not(action),
        Rule::InstanceOwner if !actor.instance_owner => "This is for whoever runs this server. Ask the instance's owner.",
        _ => return None,
    };
    Some(Problem::new(Code::Forbidden, detail))
}

/// Why a program may not, if so: its person must be allowed, and the token made for it.
fn refused_to_token(rule: Rule, actor: &Actor, parts: &Parts) -> Option<Problem> {
    if let Some(refused) = refused_to_person(rule, actor) {
        return Some(refused);
    }
    let needed = if parts.uri.path() == METRICS { Scope::Metrics } else { scope_of(rule, &parts.method)? };
    let has = actor.token.as_ref().is_some_and(|token| token.scopes.contains(&needed));
    (!has).then(|| {
        let detail =
            format!("The token has not the scope \"{}\". Make one that has it under Settings, API tokens.", needed.name());
        Problem::new(Code::Forbidden, detail)
    })
}

/// Tokens open the API, and the figures for a monitoring system.
fn takes_tokens(path: &str) -> bool {
    path.starts_with("/api/v1/") || path == METRICS
}

/// The scope that opens a route of the API to a program.
pub fn scope_of(rule: Rule, method: &Method) -> Option<Scope> {
    match rule {
        Rule::Public | Rule::Visitor => None,
        Rule::SignedIn => Some(Scope::of_method(method)),
        Rule::May(action) => Some(Scope::of_action(action)),
        Rule::InstanceOwner => Some(Scope::Manage),
    }
}

fn refuse(problem: Problem) -> Box<Response> {
    Box::new(problem.into_response())
}

fn refuse_to(problem: Problem, actor: Actor) -> Box<Response> {
    let mut response = problem.into_response();
    response.extensions_mut().insert(actor);
    Box::new(response)
}

/// Programs hear 401; people are led to sign in and back.
fn ask_to_sign_in(method: &Method, path: &str, query: Option<&str>, headers: &HeaderMap) -> Response {
    if wants_json(path, headers) {
        return Problem::new(Code::NotSignedIn, "Your session is over, or there was none. Sign in and try again.")
            .into_response();
    }
    // What was to be changed is lost with the session; a page can be opened again.
    if csrf::changes_state(method) || (path == "/" && query.is_none()) {
        return Redirect::to("/sign-in").into_response();
    }
    let here = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    Redirect::to(&format!("/sign-in?next={}", utf8_percent_encode(&here, NON_ALPHANUMERIC))).into_response()
}

fn may_not(action: Action) -> &'static str {
    match action {
        Action::ViewWorkflows | Action::ViewRuns | Action::ViewConnections | Action::ViewTables => {
            "Ask an admin of this workspace for the role of a viewer."
        }
        Action::OperateRuns => {
            "Starting, replaying and cancelling runs takes the role of an operator. Ask an admin of this workspace."
        }
        Action::EditWorkflows | Action::PublishWorkflows => {
            "Changing workflows takes the role of a builder. Ask an admin of this workspace."
        }
        Action::EditTables => "Changing data tables takes the role of a builder. Ask an admin of this workspace.",
        Action::EditConnections => "Making connections takes the role of a builder. Ask an admin of this workspace.",
        Action::ManageWorkspace => "The settings of a workspace are for its admins. Ask one of them.",
        Action::ManagePeople => "Who works here is for the admins of the workspace to decide. Ask one of them.",
        Action::DeleteWorkspace => "Only an owner may delete the workspace.",
    }
}

/// The field `csrf` of a form, and the body again. Forms with files send the token in the header.
async fn token_of_form(headers: &HeaderMap, body: Body) -> Result<(String, Body), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Ok((String::new(), body));
    }
    let bytes = to_bytes(body, LONGEST_FORM)
        .await
        .map_err(|_| Problem::new(Code::TooLarge, "The form is larger than 1 MB. Shorten the texts in it."))?;
    let token = url::form_urlencoded::parse(&bytes).find(|(name, _)| name == csrf::FIELD).map(|(_, value)| value.into_owned());
    Ok((token.unwrap_or_default(), Body::from(bytes)))
}
