//! A whole application on a database of its own, and people in it.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgPool, postgres::PgConnectOptions, postgres::PgPoolOptions};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};
use tower::ServiceExt;
use towpath_engine::ids::WorkspaceId;
use towpath_server::{
    app::{self, App},
    auth::{permission::Role, setup},
    clock::Clock,
    config::{Config, Environment},
    database::Database,
    routes,
    shutdown::Shutdown,
};

/// An application, and a clock that stands still until it is moved.
pub struct House {
    pub app: App,
    pub router: Router,
    now: Arc<Mutex<DateTime<Utc>>>,
    /// The data directory; gone with the house.
    _data: Folder,
}

struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    /// The cookie that the answer sets, as the browser sends it back; none when it sets none or takes one away.
    pub fn cookie(&self) -> Option<String> {
        let set = self.headers.get(header::SET_COOKIE)?.to_str().unwrap();
        let pair = set.split(';').next().unwrap();
        (!pair.ends_with('=')).then(|| pair.to_owned())
    }
}

/// A browser: it keeps its cookie and sends the token of the page it saw.
#[derive(Clone, Default)]
pub struct Browser {
    pub cookie: String,
    pub csrf: String,
}

pub const PASSWORD: &str = "a barge on the towpath";

impl House {
    pub async fn build(pool: PgPoolOptions, options: PgConnectOptions) -> Self {
        Self::with(pool, options, &[]).await
    }

    /// A house with settings of its own.
    pub async fn with(pool: PgPoolOptions, options: PgConnectOptions, settings: &[(&str, &str)]) -> Self {
        Self::try_with(pool, options, settings).await.unwrap()
    }

    /// A house that may not start.
    pub async fn try_with(pool: PgPoolOptions, options: PgConnectOptions, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let pool = pool.max_connections(4).connect_with(options.clone()).await.unwrap();
        let data = std::env::temp_dir().join(format!("towpath-web-test-{}", uuid::Uuid::new_v4()));
        let mut environment = Environment::default();
        environment.variables.insert("TOWPATH_DATA".into(), data.display().to_string());
        environment.variables.insert("DATABASE_URL".into(), "postgres://unused".into());
        for (name, value) in settings {
            environment.variables.insert((*name).into(), (*value).into());
        }
        let config = Config::read(environment).unwrap();
        let mut app = app::assemble(config, Database { options, pool }, None, Shutdown::default()).await?;
        #[allow(clippy::disallowed_methods, reason = "where the movable clock begins")]
        let now = Arc::new(Mutex::new(Utc::now()));
        let read = Arc::clone(&now);
        app.clock = Clock::from_fn(move || *read.lock().unwrap());
        let router = routes::all().into_router(&app);
        Ok(Self { app, router, now, _data: Folder(data) })
    }

    pub fn pool(&self) -> &PgPool {
        &self.app.pool
    }

    pub fn pass(&self, time: TimeDelta) {
        *self.now.lock().unwrap() += time;
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (mut parts, body) = request.into_parts();
        if parts.extensions.get::<ConnectInfo<SocketAddr>>().is_none() {
            parts.extensions.insert(ConnectInfo(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000)));
        }
        parts.headers.entry(header::HOST).or_insert(header::HeaderValue::from_static("localhost"));
        let response = self.router.clone().oneshot(Request::from_parts(parts, body)).await.unwrap();
        let (parts, body) = response.into_parts();
        // A stream goes on for ever; its head is all that is asked here.
        let streams =
            parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let bytes = if streams { Default::default() } else { to_bytes(body, 10 << 20).await.unwrap() };
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// Makes the owner by the first-start page.
    pub async fn owner(&self) -> Browser {
        let token = setup::new_token(self.pool()).await.unwrap().unwrap();
        let form = [
            ("token", token.as_str()),
            ("name", "Olive"),
            ("email", "olive@example.com"),
            ("password", PASSWORD),
            ("time_zone", "UTC"),
        ];
        let answer = self.form(&Browser::default(), "/setup", &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        self.arrive(answer.cookie().unwrap()).await
    }

    /// Adds a person to the first workspace and signs them in.
    pub async fn person(&self, email: &str, role: Role) -> Browser {
        setup::add_person(self.pool(), email, "Somebody", role, PASSWORD).await.unwrap();
        self.sign_in(email, PASSWORD).await.expect("the password is right")
    }

    /// A workspace of its own, with its owner signed in.
    pub async fn neighbour(&self, email: &str) -> (WorkspaceId, Browser) {
        setup::add_person(self.pool(), email, "Neighbour", Role::Owner, PASSWORD).await.unwrap();
        let workspace = WorkspaceId::new();
        sqlx::query("insert into workspace (id, name) values ($1, 'Next door')")
            .bind(workspace.0)
            .execute(self.pool())
            .await
            .unwrap();
        sqlx::query(
            "update member set workspace_id = $1, role = 'owner' where person_id = (select id from person where email = $2)",
        )
        .bind(workspace.0)
        .bind(email)
        .execute(self.pool())
        .await
        .unwrap();
        (workspace, self.sign_in(email, PASSWORD).await.unwrap())
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Option<Browser> {
        let answer = self.form(&Browser::default(), "/sign-in", &[("email", email), ("password", password)]).await;
        Some(self.arrive(answer.cookie()?).await)
    }

    /// Reads the token from a page.
    pub async fn arrive(&self, cookie: String) -> Browser {
        let page = self.get(&Browser { cookie: cookie.clone(), csrf: String::new() }, "/settings").await;
        let csrf = page.body.split_once("name=\"csrf-token\" content=\"").expect("a signed-in page").1.split('"').next().unwrap();
        Browser { cookie, csrf: csrf.to_owned() }
    }

    pub async fn get(&self, browser: &Browser, path: &str) -> Answer {
        self.send(browser.request(Method::GET, path).header(header::ACCEPT, "text/html").body(Body::empty()).unwrap()).await
    }

    /// Sends a form as a page of ours does: with the token.
    pub async fn form(&self, browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).append_pair("csrf", &browser.csrf).finish();
        let request = browser
            .request(Method::POST, path)
            .header(header::ACCEPT, "text/html")
            .header(header::ORIGIN, "http://localhost")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }
}

impl Browser {
    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let request = Request::builder().method(method).uri(path);
        if self.cookie.is_empty() { request } else { request.header(header::COOKIE, &self.cookie) }
    }
}
