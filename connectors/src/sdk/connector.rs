//! Connectors as the gallery, the connection form and the vault see them: who they are, how their connections authenticate, and
//! which hosts may ever see a connection's secrets.

use serde::{Deserialize, Serialize};
use towpath_engine::{Object, catalogue::Field, ids::ConnectionId};

/// The integration with one service.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Connector {
    /// `slack`; the prefix of its operations' names.
    pub id: String,
    pub name: String,
    /// The name of an icon in the web assets, or of the connector's own `icon.svg`.
    pub icon: String,
    /// One sentence: what it connects to.
    pub sentence: String,
    pub categories: Vec<String>,
    /// The service's own documentation.
    pub docs: Option<String>,
    /// The ways in which its connections authenticate; empty when it needs none.
    pub auth: Vec<Auth>,
    pub hosts: Hosts,
    /// The request that shows whether a connection works.
    pub test: Option<Probe>,
}

/// One way to authenticate.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "ConnectorAuth")]
pub struct Auth {
    /// `bot_token`; stored with the connection.
    pub id: String,
    pub title: String,
    /// Where a person finds what is asked for, in a few sentences.
    pub help: String,
    /// What is asked for. Fields of the kind `Secret` are sealed, never shown again and named `secret.<field>` in `apply`; the others
    /// are public and named `connection.<field>`.
    pub fields: Vec<Field>,
    /// What is attached to a request, in this order. Empty for what isn't HTTP.
    pub apply: Vec<Attach>,
}

/// What one way to authenticate puts on a request. Values are texts with expressions over `secret` and `connection`.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attach {
    Header {
        name: String,
        value: String,
    },
    Query {
        name: String,
        value: String,
    },
    /// `Authorization: Basic …`
    Basic {
        user: String,
        password: String,
    },
}

/// Which hosts a connection's secrets may be sent to.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "ConnectorHosts")]
#[serde(rename_all = "snake_case")]
pub enum Hosts {
    /// These, and no others: `slack.com`, `*.example.com` (names below it), `{{ connection.subdomain }}.example.com`. Without a port it
    /// means the standard one of https.
    Fixed(Vec<String>),
    /// Those that the connection's owner named when it was made, or the server that its fields `host` and `port` name. Another one asks
    /// for the secrets again.
    Entered,
}

/// A request that shows whether a connection works, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "ConnectorTest")]
pub struct Probe {
    pub method: String,
    /// An address with expressions over `connection`. `connection.test_url` is an address that the person who tests writes down, for
    /// connectors of services that nobody knows beforehand.
    pub url: String,
    /// An expression over `response` (`status`, `headers`, `body`) that must be true; without one a status below 400 is success.
    pub success: Option<String>,
    /// Expressions over `response` for the account's id and label.
    pub account_id: Option<String>,
    pub account_label: Option<String>,
}

/// A connection as a call sees it: everything but its secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connected {
    pub id: ConnectionId,
    pub name: String,
    pub connector: String,
    /// Which of the connector's ways to authenticate.
    pub auth: String,
    /// The public fields.
    pub fields: Object,
}
