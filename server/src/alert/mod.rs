//! Somebody hears of a failure: one message per workflow and ten minutes, by mail or to a URL, as the workspace set it. It tells
//! of every failure once, also of those that happened while the server was down. The owner of a connection hears once that its
//! service refuses it.

mod message;

use crate::{
    clock::Clock,
    dispatch::{For, OpenDoors},
    live::{Change, Heard, Live},
    store::{
        alerts::{self, Due},
        connection_notices,
    },
};
use chrono::TimeDelta;
use message::Message;
use sqlx::PgPool;
use std::time::{Duration, Instant};
use towpath_connectors::sdk::{Doors, HttpBody, HttpRequest, MailMessage, Redirects};
use towpath_engine::{error::StepError, ids::WorkspaceId};

/// At most one message per workflow in this time.
const QUIET: TimeDelta = TimeDelta::minutes(10);
/// Failures are looked for this long after something happened, so that a burst is one look.
const GATHER: Duration = Duration::from_secs(2);
/// And at least this often, for those that the quiet time held back.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
const TIME_TO_SEND: Duration = Duration::from_secs(30);

/// What the alerter is built from.
pub struct Parts {
    pub pool: PgPool,
    pub clock: Clock,
    pub live: Live,
    pub doors: OpenDoors,
    /// Under which address people reach this server, for the link in the message.
    pub public_url: String,
}

/// Runs until the server goes away.
pub async fn run(parts: Parts) {
    let mut watcher = parts.live.subscribe();
    loop {
        if let Err(error) = tell(&parts).await {
            tracing::warn!(error = %error, "could not look for failed runs to tell of");
        }
        if let Err(error) = tell_of_connections(&parts).await {
            tracing::warn!(error = %error, "could not look for refused connections to tell of");
        }
        let news = async {
            loop {
                match watcher.next().await {
                    None => return false,
                    Some(Heard::Missed | Heard::Change(Change::Run { .. })) => return true,
                    Some(Heard::Change(_)) => {}
                }
            }
        };
        match tokio::time::timeout(LOOK_AGAIN, news).await {
            Ok(false) => return,
            Ok(true) => tokio::time::sleep(GATHER).await,
            Err(_) => {}
        }
    }
}

async fn tell(parts: &Parts) -> Result<(), crate::store::Error> {
    let now = parts.clock.now();
    for due in alerts::due(&parts.pool, now, now - QUIET).await? {
        // Whoever claims it first tells it: two servers on one database don't both.
        if !alerts::claim(&parts.pool, &due, now).await? {
            continue;
        }
        if let Err(error) = send(parts, &due).await {
            tracing::warn!(workflow = %due.workflow, error = %error, "could not tell of a failed run; trying again in a minute");
            alerts::unclaim(&parts.pool, &due).await?;
        }
    }
    Ok(())
}

async fn send(parts: &Parts, due: &Due) -> Result<(), StepError> {
    let doors = (parts.doors)(For::workspace(WorkspaceId(due.workspace.0)));
    let message = Message::of(due, &parts.public_url);
    if let Some(address) = &due.mail {
        mail(&doors, &message, address).await?;
    }
    if let Some(url) = &due.url {
        post(&doors, &message, url).await?;
    }
    Ok(())
}

async fn tell_of_connections(parts: &Parts) -> Result<(), crate::store::Error> {
    for due in connection_notices::due(&parts.pool).await? {
        if !connection_notices::claim(&parts.pool, &due, parts.clock.now()).await? {
            continue;
        }
        if let Err(error) = send_of_connection(parts, &due).await {
            tracing::warn!(connection = %due.connection, error = %error, "could not tell of a refused connection; trying again in a minute");
            connection_notices::unclaim(&parts.pool, &due).await?;
        }
    }
    Ok(())
}

async fn send_of_connection(parts: &Parts, due: &connection_notices::Due) -> Result<(), StepError> {
    let doors = (parts.doors)(For::workspace(due.workspace));
    let message = Message::of_connection(due, &parts.public_url);
    // Without a mail server there is nobody to write to: the home page says it.
    if let Some(address) = due.mail.as_ref().filter(|_| doors.mail.default_from().is_some()) {
        mail(&doors, &message, address).await?;
    }
    if let Some(url) = &due.url {
        post(&doors, &message, url).await?;
    }
    Ok(())
}

async fn mail(doors: &Doors, message: &Message, address: &str) -> Result<(), StepError> {
    let mail = MailMessage {
        id: message.id.clone(),
        to: address.split(',').map(|it| it.trim().to_owned()).collect(),
        subject: message.subject.clone(),
        text: Some(message.text.clone()),
        ..MailMessage::default()
    };
    doors.mail.send(mail, Instant::now() + TIME_TO_SEND).await.map(drop)
}

async fn post(doors: &Doors, message: &Message, url: &str) -> Result<(), StepError> {
    let url = url.parse().map_err(|_| StepError::invalid_input(format!("\"{url}\" is not an address.")))?;
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    let request = HttpRequest {
        method: http::Method::POST,
        url,
        headers,
        body: HttpBody::Bytes(message.json().into()),
        authenticate: false,
        redirects: Redirects::Stop,
        deadline: Instant::now() + TIME_TO_SEND,
        max_response: 64 * 1024,
    };
    let answer = doors.http.send(request).await?;
    if answer.status.is_success() {
        return Ok(());
    }
    Err(StepError::new(towpath_engine::error::ErrorKind::Unavailable, format!("It answered {}.", answer.status)))
}
