//! Commands that talk to a running server by its API, from wherever they run: `TOWPATH_URL` says where it is, `TOWPATH_TOKEN` who asks.
//! They read no settings of a server and open no database.

pub mod run;
pub mod workflow;

use crate::{
    clock::Clock,
    egress::{Egress, Settings},
};
use anyhow::{Context, bail};
use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;
use std::time::{Duration, Instant};
use towpath_connectors::sdk::{Http, HttpBody, HttpRequest, Redirects};
use url::Url;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest answer that is read.
const LARGEST: usize = 64 << 20;

/// Which server, and by which token.
#[derive(Args)]
pub struct Server {
    /// The address of the server.
    #[arg(long, env = "TOWPATH_URL", default_value = "http://localhost:8470")]
    url: Url,
    /// An API token; "towpath token create" makes one.
    #[arg(long, env = "TOWPATH_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// A caller of the API.
pub struct Api {
    door: Egress,
    url: Url,
    token: String,
}

impl Server {
    /// # Errors
    /// A sentence when there is no token.
    pub fn api(self) -> anyhow::Result<Api> {
        let token = self.token.filter(|token| !token.trim().is_empty()).context(
            "Say who asks: set TOWPATH_TOKEN to an API token. \"towpath token create\" makes one on the server; a browser finds them under Settings.",
        )?;
        // The person at the terminal chose the address; there is no workspace to keep inside.
        let allow = "0.0.0.0/0,::/0".parse().context("the networks of the world are written wrongly")?;
        let door = Egress::new(Settings { allow, mail: None }, Clock::system());
        Ok(Api { door, url: self.url, token: token.trim().to_owned() })
    }
}

impl Api {
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        self.send(Method::POST, path, body).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let base = self.url.as_str().trim_end_matches('/');
        let url: Url = format!("{base}/api/v1/{path}").parse().context("The address is not one of a server")?;
        let mut headers = HeaderMap::new();
        let bearer =
            HeaderValue::from_str(&format!("Bearer {}", self.token)).context("The token has characters that no token has")?;
        headers.insert(header::AUTHORIZATION, bearer);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let body = match body {
            Some(body) => {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                HttpBody::Bytes(Bytes::from(body.to_string()))
            }
            None => HttpBody::Empty,
        };
        let request = HttpRequest {
            method,
            url,
            headers,
            body,
            authenticate: false,
            redirects: Redirects::Stop,
            deadline: Instant::now() + PATIENCE,
            max_response: LARGEST,
        };
        let answer =
            self.door.send(request).await.map_err(|error| anyhow::anyhow!("{base} could not be asked: {}", error.message))?;
        let said: Value = if answer.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&answer.body).with_context(|| {
                format!("{base} answered {} with something that is no JSON. Is this the address of a Towpath?", answer.status)
            })?
        };
        if answer.status.is_success() {
            return Ok(said);
        }
        bail!(refusal(answer.status.as_u16(), &said))
    }
}

/// A refusal in sentences: what happened, and each field that is wrong.
fn refusal(status: u16, said: &Value) -> String {
    let detail = said["detail"].as_str().unwrap_or("It was refused.");
    let mut text = format!("{detail} ({status})");
    for field in said["fields"].as_array().into_iter().flatten() {
        let message = field["message"].as_str().unwrap_or_default();
        if !detail.contains(message) {
            text.push_str(&format!("\n  {}: {message}", field["field"].as_str().unwrap_or_default()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unless_told_otherwise_it_asks_the_server_of_this_machine() {
        use clap::Parser;
        #[derive(Parser)]
        struct Asking {
            #[command(flatten)]
            server: Server,
        }
        let command = <Asking as clap::CommandFactory>::command();
        let default = command.get_arguments().find(|argument| argument.get_id() == "url").unwrap().get_default_values();
        let port = crate::config::server::DEFAULT_PORT;
        assert_eq!(default, [format!("http://localhost:{port}").as_str()]);
        let asked = Asking::try_parse_from(["towpath", "--url", "https://towpath.example.com"]).unwrap();
        assert_eq!(asked.server.url.as_str(), "https://towpath.example.com/");
    }

    #[test]
    fn a_refusal_says_each_field_once() {
        let said =
            json!({ "detail": "Some settings can't be saved.", "fields": [{ "field": "name", "message": "Write a name." }] });
        assert_eq!(refusal(400, &said), "Some settings can't be saved. (400)\n  name: Write a name.");
        let said = json!({ "detail": "At \"name\": Write a name.", "fields": [{ "field": "name", "message": "Write a name." }] });
        assert_eq!(refusal(400, &said), "At \"name\": Write a name. (400)");
    }
}
