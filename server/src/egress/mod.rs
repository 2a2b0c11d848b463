//! The one door out. Everything that leaves this server to an address somebody else chose goes through [`Egress`]: HTTP, plain TCP
//! and mail. Addresses are checked after resolution and on every new connection, sizes and times are bounded, and no setting of the
//! environment (a proxy, for example) changes where a request goes. It knows no workflow and no secret: whoever has some is asked for
//! them per address, after the address was read and before anything leaves ([`Credentials`]).

pub mod allow;
mod body;
mod client;
mod connect;
mod failure;
pub mod guard;
mod http;
pub mod mail;
mod multipart;
mod redirect;
mod tls;

#[cfg(test)]
mod tests;

pub use connect::{Names, NoConnection, SystemNames};

use crate::clock::Clock;
use allow::AllowList;
use futures_util::future::BoxFuture;
use mail::MailSettings;
use std::{sync::Arc, time::Duration};
use towpath_connectors::sdk::{Doors, Files, attach::Attached, code::Code, tables::NoTables};
use towpath_engine::error::StepError;
use url::Url;

/// How long a connection may take: looking the name up, TCP, TLS.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The door. Cloning it is cheap, and clones share their connections.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    connector: connect::Connector,
    client: client::Client,
    mail: Option<MailSettings>,
    roots: tls::Roots,
    clock: Clock,
}

/// Who has something to attach to requests.
pub trait Credentials: Send + Sync {
    /// What goes onto a request to this address. An error keeps the request from leaving.
    fn for_url<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Attached, StepError>>;
}

/// What an operator decides about the door.
#[derive(Clone, Default)]
pub struct Settings {
    /// `TOWPATH_EGRESS_ALLOW`.
    pub allow: AllowList,
    /// `TOWPATH_SMTP_URL`; without it there is no mail.
    pub mail: Option<MailSettings>,
}

impl Egress {
    /// Opens nothing yet. Reads the system's certificate authorities once.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        Self::with_names(settings, clock, Arc::new(SystemNames))
    }

    /// As [`Egress::new`], with names looked up elsewhere than in the system's resolver.
    pub fn with_names(settings: Settings, clock: Clock, names: Arc<dyn Names>) -> Self {
        Self::with_roots(settings, clock, names, tls::Roots::of_the_system())
    }

    fn with_roots(settings: Settings, clock: Clock, names: Arc<dyn Names>, roots: tls::Roots) -> Self {
        let connector = connect::Connector::new(settings.allow, names);
        let client = client::build(connector.clone(), &roots);
        Self(Arc::new(Inner { connector, client, mail: settings.mail, roots, clock }))
    }

    /// A TCP connection to `host`, for protocols other than HTTP. Every address that the name resolves to is checked, and only a
    /// checked one is connected to.
    pub async fn connect(&self, host: &str, port: u16) -> Result<tokio::net::TcpStream, NoConnection> {
        self.0.connector.connect(host, port, CONNECT_LIMIT).await
    }

    /// Did an operator allow this place, which isn't public, whatever it resolves to at the moment?
    pub async fn is_allowed_inside(&self, host: &str, port: u16) -> bool {
        self.0.connector.is_allowed_inside(host, port).await
    }

    /// Is there a mail server?
    pub fn has_mail(&self) -> bool {
        self.0.mail.is_some()
    }

    /// The doors of one workspace's steps.
    pub fn doors(&self, files: impl Files + 'static, code: Box<dyn Code>) -> Doors {
        let (http, mail) = (Box::new(self.clone()), Box::new(self.clone()));
        Doors { http, mail, files: Box::new(files), code, tables: Box::new(NoTables) }
    }
}
