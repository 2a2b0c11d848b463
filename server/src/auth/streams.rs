//! Live streams end with the right to see them. A request is judged once, in front of its handler; a stream lives on after that, so
//! it is judged again whenever somebody lost a session or a role here, and every so often for what another process did.

use super::{Actor, session, token};
use crate::app::App;
use axum::{body::Body, http::header, response::Response};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::sync::watch;

/// How long another process (`towpath user disable`) may stay unnoticed.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// Rung after the commit that took a session or a role away.
#[derive(Clone, Debug)]
pub struct Revocations(watch::Sender<u64>);

impl Default for Revocations {
    fn default() -> Self {
        Self(watch::channel(0).0)
    }
}

impl Revocations {
    /// Every open stream is judged again, now.
    pub fn ring(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// Cuts a live stream when its person may not see it any more. Other answers pass as they are.
pub fn while_allowed(response: Response, app: &App, actor: &Actor) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_none_or(|kind| !kind.as_bytes().starts_with(b"text/event-stream")) {
        return response;
    }
    let lost = lost(app.clone(), actor.clone());
    response.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(lost))))
}

/// Ends when the session is over or worth less than before. A database that doesn't answer takes nothing away.
async fn lost(app: App, actor: Actor) {
    let mut rung = app.auth.revocations.0.subscribe();
    loop {
        let _ = tokio::time::timeout(LOOK_AGAIN, rung.changed()).await;
        let allowed = match &actor.token {
            Some(used) => token::lives(&app, used.id).await,
            None => session::worth(&app, &actor.session).await.map(|now| now.is_some_and(|now| now >= actor.role)),
        };
        match allowed {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(error = ?error.source, "a live stream's session could not be looked at"),
        }
    }
}
