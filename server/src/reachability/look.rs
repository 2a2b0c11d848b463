//! Collects the facts: calls the public address through the door, asks the database for its time.

use super::echo::Echo;
use crate::{
    clock::Clock,
    config::Config,
    egress::{Egress, Settings, allow::AllowList},
    store::instance,
    tls::{Tls, certificate::Facts as Certificate},
};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Method, header};
use sqlx::PgPool;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use towpath_connectors::sdk::{Http, HttpBody, HttpRequest, Redirects};
use url::Url;

/// How long our own call may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What was found, before it is judged.
#[derive(Clone, Debug)]
pub struct Facts {
    pub public_url: Option<Url>,
    /// The certificate that this process shows, where TLS ends here.
    pub certificate: Option<Arc<Certificate>>,
    /// Our own call; none without a public URL.
    pub loop_back: Option<Result<Arrived, String>>,
    /// Are any proxies trusted?
    pub trusts_proxies: bool,
    /// Is the other end of the loop-back's connection one of them?
    pub peer_is_trusted: bool,
    /// How far the database's clock is ahead of ours, or why it isn't known.
    pub database_ahead: Result<TimeDelta, String>,
}

/// Our call arrived somewhere.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// None: whoever answers there is somebody else.
    pub echo: Option<Echo>,
    /// What the answer was, for the case that it is somebody else's.
    pub status: u16,
    /// How far the clock of whoever answered is ahead of ours.
    pub ahead: Option<TimeDelta>,
}

/// Looks.
pub async fn facts(pool: &PgPool, clock: &Clock, config: &Config, tls: Option<&Tls>) -> Facts {
    let public_url = config.server.public_url.clone();
    let loop_back = match &public_url {
        Some(url) => Some(match instance::secret(pool).await {
            Ok(secret) => call(url, &secret, clock).await,
            Err(_) => Err("The database does not answer, so nothing could be compared.".to_owned()),
        }),
        None => None,
    };
    let peer = loop_back.iter().flatten().find_map(|arrived| Some(arrived.echo.as_ref()?.peer));
    let proxies = &config.server.trusted_proxies;
    Facts {
        public_url,
        certificate: tls.map(Tls::facts),
        peer_is_trusted: peer.is_some_and(|peer| proxies.iter().any(|network| network.contains(&peer))),
        loop_back,
        trusts_proxies: !proxies.is_empty(),
        database_ahead: database_ahead(pool, clock).await,
    }
}

async fn database_ahead(pool: &PgPool, clock: &Clock) -> Result<TimeDelta, String> {
    let before = clock.now();
    let theirs: Result<DateTime<Utc>, _> = sqlx::query_scalar("select clock_timestamp()").fetch_one(pool).await;
    // Between asking and hearing.
    theirs.map(|theirs| theirs - (before + (clock.now() - before) / 2)).map_err(|_| "The database does not answer.".to_owned())
}

/// Calls the public address. Being the setting is its permission: it may lie in the private network.
async fn call(url: &Url, secret: &[u8], clock: &Clock) -> Result<Arrived, String> {
    let nonce = hex::encode(rand::random::<[u8; 16]>());
    let target =
        url.join(&format!("/.well-known/towpath/{nonce}")).map_err(|error| format!("{url} can't be called: {error}."))?;
    let host = url.host_str().unwrap_or_default();
    let allow: AllowList = format!("{host}:{}", url.port_or_known_default().unwrap_or(443)).parse().unwrap_or_default();
    let door = Egress::new(Settings { allow, mail: None }, clock.clone());
    let request = HttpRequest {
        method: Method::GET,
        url: target,
        headers: HeaderMap::new(),
        body: HttpBody::Empty,
        authenticate: false,
        redirects: Redirects::Stop,
        deadline: Instant::now() + LIMIT,
        max_response: 64 << 10,
    };
    let answer = door.send(request).await.map_err(|error| error.message)?;
    let date = answer.headers.get(header::DATE).and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok());
    let echo: Option<Echo> = serde_json::from_slice(&answer.body).ok();
    Ok(Arrived {
        echo: echo.filter(|echo| echo.is_by(secret, &nonce)),
        status: answer.status.as_u16(),
        // The header has whole seconds.
        ahead: date.map(|date| date.to_utc() - answer.received + TimeDelta::milliseconds(500)),
    })
}
