//! Who is asking, and may they.
//!
//! [`visit`] says where a request comes from, by [`forwarded`] also behind proxies, [`session`] who sent it, [`csrf`] whether it came
//! from our own pages, [`permission`] whether they may; [`enforcement`] asks all of them in front of every handler, and [`streams`] goes on asking while a live stream
//! is open. [`password`] and [`throttle`] guard sign-in; [`setup`] makes the first person, [`link`] the secrets of links;
//! [`device`] names browsers. Programs come by a [`token`], which opens what its [`scope`]s say.

pub mod csrf;
pub mod device;
pub mod enforcement;
pub mod forwarded;
pub mod link;
pub mod password;
pub mod permission;
pub mod scope;
pub mod session;
pub mod setup;
pub mod streams;
pub mod throttle;
pub mod token;
pub mod visit;

use crate::{app::App, problem::Problem};
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};
use permission::{Action, Role};
use std::{convert::Infallible, sync::Arc};
use towpath_engine::ids::{PersonId, WorkspaceId};
use towpath_web::layout::{Area, Nav, Page};
use visit::Visit;

/// What sign-in and sessions need beyond the database. One per process; cloning it is cheap.
#[derive(Clone)]
pub struct Auth {
    pub settings: Arc<Settings>,
    pub passwords: password::Passwords,
    pub throttle: Arc<throttle::Throttle>,
    /// Rung whenever somebody lost a session or a role.
    pub revocations: streams::Revocations,
}

/// How people reach this server.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The address that people type, where it differs from the one we listen on.
    pub public_url: Option<url::Url>,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
}

impl Settings {
    /// The address for links that leave this server, without a slash at its end: the public one where it is set, else the one that
    /// the visitor uses.
    pub fn origin(&self, visit: &Visit) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => visit.origin(),
        }
    }
}

impl Auth {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings: Arc::new(settings),
            passwords: password::Passwords::new(),
            throttle: Arc::default(),
            revocations: Default::default(),
        }
    }
}

/// The signed-in person behind a request, in the workspace that the session is in. An extractor on every route whose rule is
/// not public; the route's rule was checked before the handler runs. On a visitor's route take `Option<Actor>`.
#[derive(Clone, Debug)]
pub struct Actor {
    pub person: PersonId,
    pub name: String,
    pub email: String,
    pub workspace: WorkspaceId,
    pub workspace_name: String,
    /// How the workspace writes dates and numbers (BCP 47).
    pub language: String,
    /// Where else the person is a member.
    pub others: Vec<OtherWorkspace>,
    pub role: Role,
    pub instance_owner: bool,
    /// What forms and scripts send back with every change (`csrf` field, or header `x-csrf-token`).
    pub csrf: String,
    /// SHA-256 of the session's id, to tell this session from the person's others. Zeros for a program, which has none.
    pub session: [u8; 32],
    /// The token that a program came by; none for a browser.
    pub token: Option<TokenUse>,
    /// The instance came from a backup, and nothing goes on before its owner decides.
    pub held: bool,
    pub visit: Visit,
}

/// A token at work.
#[derive(Clone, Debug)]
pub struct TokenUse {
    pub id: uuid::Uuid,
    pub scopes: Vec<scope::Scope>,
}

/// A workspace that the person can switch to.
#[derive(Clone, Debug)]
pub struct OtherWorkspace {
    pub id: WorkspaceId,
    pub name: String,
}

impl Actor {
    /// May the actor do this: by the person's role, and for a program also by its token's scopes?
    pub fn may(&self, action: Action) -> bool {
        self.role.may(action) && self.token.as_ref().is_none_or(|token| token.scopes.contains(&scope::Scope::of_action(action)))
    }

    /// The frame of a page: pass it to the view struct's field `page`.
    pub fn page(&self, title: impl Into<String>, area: Area) -> Page {
        Page {
            nav: Some(Nav {
                person: self.name.clone(),
                email: self.email.clone(),
                workspace: self.workspace_name.clone(),
                area,
                csrf: self.csrf.clone(),
                manages: self.role.may(Action::ManageWorkspace),
                manages_people: self.role.may(Action::ManagePeople),
                instance_owner: self.instance_owner,
                language: self.language.clone(),
                others: self.others.iter().map(|other| (other.id.to_string(), other.name.clone())).collect(),
            }),
            held: self.held,
            ..self.visit.page(title)
        }
    }
}

impl FromRequestParts<App> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Problem::new(crate::problem::Code::Internal, "The error was written to the log.")
                .source(anyhow::anyhow!("a public route asked for an actor"))
        })
    }
}

impl OptionalFromRequestParts<App> for Actor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
