//! The doors of a step that works through a connection: they open it for the address that is about to be called, attach what it signs
//! in with, and take its secrets out of whatever comes back. Without the step's asking nothing is attached.

use super::{Connections, Granted, grant, hosts::Address, smtp};
use crate::{
    dispatch::For,
    egress::{Credentials, mail::Security},
};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::{sync::Arc, time::Instant};
use towpath_connectors::sdk::{
    Doors, Files, Http, HttpRequest, HttpResponse, Mail, MailMessage, Used,
    attach::{self, Attached},
    scrub::Scrubber,
    tables::NoTables,
};
use towpath_engine::{
    Json,
    error::{ErrorKind, StepError},
    ids::ConnectionId,
};
use url::Url;

/// Doors that work through this connection.
pub(super) fn doors(connections: Connections, whom: For, id: ConnectionId, files: impl Files + 'static) -> Doors {
    let code = connections.0.sandbox.door(whom.workspace);
    let door = Arc::new(Door { connections, whom, id, known: Mutex::default() });
    Doors {
        http: Box::new(HttpDoor(Arc::clone(&door))),
        mail: Box::new(MailDoor(door)),
        files: Box::new(files),
        code,
        tables: Box::new(NoTables),
    }
}

struct Door {
    connections: Connections,
    whom: For,
    id: ConnectionId,
    known: Mutex<Known>,
}

/// What was opened at these doors so far.
#[derive(Default)]
struct Known {
    secrets: Vec<String>,
    scrubber: Scrubber,
    refused: bool,
}

impl Drop for Known {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.secrets);
    }
}

impl Door {
    /// Opens the connection for an address, and remembers its secrets for scrubbing.
    async fn open(&self, address: &Address) -> Result<Granted, StepError> {
        let granted = grant::use_connection(&self.connections, self.whom, self.id, address).await?;
        self.learn(granted.secrets.values().filter_map(Json::as_str));
        Ok(granted)
    }

    fn learn<'a>(&self, secrets: impl Iterator<Item = &'a str>) {
        let mut known = self.known.lock();
        let before = known.secrets.len();
        for secret in secrets {
            if !secret.is_empty() && !known.secrets.iter().any(|other| other == secret) {
                known.secrets.push(secret.to_owned());
            }
        }
        if known.secrets.len() > before {
            known.scrubber = Scrubber::new(known.secrets.iter().map(String::as_str));
        }
    }

    fn scrubber(&self) -> Scrubber {
        self.known.lock().scrubber.clone()
    }

    async fn is_inside(&self, address: &Address) -> bool {
        self.connections.0.egress.is_allowed_inside(&address.host, address.port).await
    }
}

struct HttpDoor(Arc<Door>);

impl Http for HttpDoor {
    fn send<'a>(&'a self, request: HttpRequest) -> BoxFuture<'a, Result<HttpResponse, StepError>> {
        Box::pin(async move {
            let authenticate = request.authenticate;
            let credentials: Option<&dyn Credentials> = if authenticate { Some(self) } else { None };
            let answered = self.0.connections.0.egress.exchange(request, credentials).await;
            let scrubber = self.0.scrubber();
            match answered {
                Ok(mut response) => {
                    if authenticate {
                        self.0.known.lock().refused = response.status.as_u16() == 401;
                    }
                    scrubber.headers(&mut response.headers);
                    if let std::borrow::Cow::Owned(clean) = scrubber.bytes(&response.body) {
                        response.body = clean.into();
                    }
                    if let std::borrow::Cow::Owned(clean) = scrubber.text(response.url.as_str())
                        && let Ok(clean) = clean.parse()
                    {
                        response.url = clean;
                    }
                    if let Some(cut) = &mut response.cut {
                        scrubber.error(cut);
                    }
                    Ok(response)
                }
                Err(mut error) => {
                    scrubber.error(&mut error);
                    Err(error)
                }
            }
        })
    }

    fn used(&self) -> Used {
        let known = self.0.known.lock();
        Used { scrubber: known.scrubber.clone(), refused: known.refused }
    }
}

impl Credentials for HttpDoor {
    fn for_url<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Attached, StepError>> {
        Box::pin(async move {
            let address = Address::of(url).ok_or_else(|| StepError::invalid_input("The address has no host.").field("url"))?;
            let granted = self.0.open(&address).await?;
            if url.scheme() != "https" && !self.0.is_inside(&address).await {
                return Err(in_clear(&granted.name, &format!("http://{address}")));
            }
            let attached = attach::attach(&granted.apply, &granted.fields, &granted.secrets)?;
            self.0.learn(attached.derived().iter().map(String::as_str));
            Ok(attached)
        })
    }
}

/// Secrets don't travel in clear over networks that nobody vouched for.
fn in_clear(name: &str, place: &str) -> StepError {
    StepError::new(
        ErrorKind::Forbidden,
        format!("The connection “{name}” was not used for {place}: its secrets would travel readable. Nothing was sent."),
    )
    .hint("Use the service's https:// address. Inside your own network an operator can allow it with TOWPATH_EGRESS_ALLOW.")
}

struct MailDoor(Arc<Door>);

impl Mail for MailDoor {
    fn send<'a>(&'a self, message: MailMessage, deadline: Instant) -> BoxFuture<'a, Result<String, StepError>> {
        Box::pin(async move {
            let sent = self.deliver(message, deadline).await;
            let scrubber = self.0.scrubber();
            match sent {
                Ok(answer) => Ok(scrubber.text(&answer).into_owned()),
                Err(mut error) => {
                    scrubber.error(&mut error);
                    Err(error)
                }
            }
        })
    }

    /// The sender is a public field of the connection; the action takes it from there.
    fn default_from(&self) -> Option<String> {
        None
    }
}

impl MailDoor {
    async fn deliver(&self, message: MailMessage, deadline: Instant) -> Result<String, StepError> {
        let settings = open_mail(&self.0).await?;
        self.0.connections.0.egress.send_mail(&settings, &message, deadline).await
    }
}

async fn open_mail(door: &Door) -> Result<crate::egress::mail::MailSettings, StepError> {
    let found = grant::allowed(&door.connections, door.whom, door.id).await?;
    let settings = smtp::settings(&found.name, &found.fields)?;
    let address = Address::server(&settings.host, settings.port);
    let granted = door.open(&address).await?;
    if settings.security == Security::None && !door.is_inside(&address).await {
        return Err(in_clear(&granted.name, &format!("the mail server {address} without TLS")));
    }
    smtp::opened(&granted)
}

/// Signs in at a connection's mail server and sends nothing.
pub(super) async fn check_mail(
    connections: Connections,
    whom: For,
    id: ConnectionId,
    deadline: Instant,
) -> Result<(), StepError> {
    let door = Door { connections, whom, id, known: Mutex::default() };
    let checked = match open_mail(&door).await {
        Ok(settings) => door.connections.0.egress.check_mail(&settings, deadline).await,
        Err(error) => Err(error),
    };
    checked.map_err(|mut error| {
        door.scrubber().error(&mut error);
        error
    })
}
