//! Recorded exchanges: what is asked, what the service answers, what comes of it. Answers are shaped by the service's documentation.

use super::door::{Answer, Seen, Stage, at};
use crate::{
    manifest::{check::Checked, read::typed},
    sdk::{
        poll::{Cursor, Polled},
        receive::{HookSecrets, Inbound, NotReceived, Received},
    },
};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use towpath_engine::{Json, Object, error::StepError};

/// One file of a folder's `cases/`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The action that is called,
    #[serde(default)]
    pub action: Option<String>,
    /// or the trigger that asks,
    #[serde(default)]
    pub poll: Option<String>,
    /// or the trigger that is called.
    #[serde(default)]
    pub receive: Option<String>,
    #[serde(default)]
    pub input: Object,
    /// Where a poll's last look ended; without it, the first look.
    #[serde(default)]
    pub cursor: Option<Json>,
    #[serde(default)]
    pub exchange: Vec<Exchange>,
    #[serde(default)]
    pub delivery: Option<Delivery>,
    /// What comes of it: exactly one of these.
    #[serde(default)]
    pub output: Option<Json>,
    #[serde(default)]
    pub error: Option<Failure>,
    #[serde(default)]
    pub keys: Option<Vec<String>>,
    #[serde(default)]
    pub handshake: Option<Json>,
    #[serde(default)]
    pub ignored: Option<bool>,
    /// The values of a trigger's events, as far as they are named.
    #[serde(default)]
    pub items: Vec<Json>,
    #[serde(default)]
    pub account: Option<String>,
    #[serde(default)]
    pub delivery_id: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub request: Expected,
    pub response: Answer,
}

/// A request as it must be: everything that is named, and no other query.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub method: String,
    /// Scheme, host and path.
    pub url: String,
    #[serde(default)]
    pub query: BTreeMap<String, Json>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: Json,
}

/// A request of the service to us.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    pub secret: String,
    #[serde(default)]
    pub now: Option<DateTime<Utc>>,
    pub headers: BTreeMap<String, String>,
    /// The bytes as they come.
    pub body: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    pub kind: Json,
    /// A part of the message.
    #[serde(default)]
    pub says: Option<String>,
    /// In seconds.
    #[serde(default)]
    pub retry_after: Option<u64>,
}

impl Case {
    pub fn read(text: &str) -> Result<Self, String> {
        let written = serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string())?;
        typed(written).map_err(|(path, what)| format!("{path}: {what}"))
    }

    /// The operation that it is about.
    pub fn subject(&self) -> &str {
        [&self.action, &self.poll, &self.receive].into_iter().flatten().next().map_or("", String::as_str)
    }

    /// Is it about something that works?
    pub fn is_success(&self) -> bool {
        self.error.is_none() && self.ignored.is_none() && self.handshake.is_none()
    }

    pub fn answers(&self) -> Vec<Answer> {
        self.exchange.iter().map(|exchange| exchange.response.clone()).collect()
    }

    /// Replays it.
    pub async fn replay(&self, connector: &str, checked: &Checked) -> Result<(), String> {
        match (&self.action, &self.poll, &self.receive) {
            (Some(action), None, None) => self.replay_action(connector, checked, action).await,
            (None, Some(poll), None) => {
                let (stage, polled) = self.look(connector, checked, poll, self.answers()).await?;
                self.compare_requests(&stage.seen())?;
                match (polled, &self.error) {
                    (Ok(polled), None) => self.compare_items(&polled),
                    (Err(error), Some(expected)) => compare_error(&error, expected),
                    (Err(error), None) => Err(format!("it failed: {} ({:?})", error.message, error.kind)),
                    (Ok(_), Some(_)) => Err("it succeeded, and an error was expected".into()),
                }
            }
            (None, None, Some(receive)) => self.replay_delivery(checked, receive),
            _ => Err("a case names one of action, poll and receive".into()),
        }
    }

    async fn replay_action(&self, connector: &str, checked: &Checked, action: &str) -> Result<(), String> {
        use crate::sdk::Action as _;
        let carried = checked.compiled.actions.get(action).ok_or_else(|| format!("there is no action {action}"))?;
        let stage = Stage::answering(connector, self.answers());
        let result = carried.run(stage.call(&self.input)).await;
        self.compare_requests(&stage.seen())?;
        match (result, &self.output, &self.error) {
            (Ok(output), Some(expected), None) if output.value == *expected => Ok(()),
            (Ok(output), Some(expected), None) => Err(format!("the output is\n  {}\nand should be\n  {expected}", output.value)),
            (Err(error), None, Some(expected)) => compare_error(&error, expected),
            (Ok(output), ..) => Err(format!("it succeeded with {}, and an error was expected", output.value)),
            (Err(error), ..) => Err(format!("it failed: {} ({:?})", error.message, error.kind)),
        }
    }

    /// One look, answered as told.
    pub async fn look(
        &self,
        connector: &str,
        checked: &Checked,
        poll: &str,
        answers: Vec<Answer>,
    ) -> Result<(Stage, Result<Polled, StepError>), String> {
        let stage = Stage::answering(connector, answers);
        let polled = self.look_on(&stage, checked, poll, self.cursor.clone().map(Cursor)).await?;
        Ok((stage, polled))
    }

    pub async fn look_on(
        &self,
        stage: &Stage,
        checked: &Checked,
        poll: &str,
        cursor: Option<Cursor>,
    ) -> Result<Result<Polled, StepError>, String> {
        use crate::sdk::poll::Poll as _;
        match checked.compiled.polls.get(poll) {
            Some(carried) => Ok(carried.poll(stage.call(&self.input), cursor).await),
            None => {
                // Carried out by Rust in the folder.
                let mut entry = checked
                    .compiled
                    .entries
                    .iter()
                    .find(|entry| entry.operation.name.split_once('.').is_some_and(|(_, id)| id == poll))
                    .map(|entry| crate::sdk::Entry::from(entry.operation.clone()))
                    .ok_or_else(|| format!("there is no trigger {poll}"))?;
                crate::native::complete(&mut entry);
                let carried = entry.poll.ok_or_else(|| format!("the trigger {poll} asks nobody"))?;
                Ok(carried.poll(stage.call(&self.input), cursor).await)
            }
        }
    }

    fn compare_items(&self, polled: &Polled) -> Result<(), String> {
        let keys: Vec<&String> = polled.items.iter().map(|item| &item.key).collect();
        let expected: Vec<&String> = self.keys.iter().flatten().collect();
        if keys != expected {
            return Err(format!("the keys are {keys:?} and should be {expected:?}"));
        }
        compare_values(polled.items.iter().map(|item| &item.value), &self.items)
    }

    fn compare_requests(&self, seen: &[Seen]) -> Result<(), String> {
        for (index, (seen, exchange)) in seen.iter().zip(&self.exchange).enumerate() {
            exchange.request.compare(seen).map_err(|why| format!("request {}: {why}", index + 1))?;
        }
        if seen.len() == self.exchange.len() {
            Ok(())
        } else {
            Err(format!("{} requests went out, {} are recorded", seen.len(), self.exchange.len()))
        }
    }

    /// The delivery given to the trigger, with changes for trials.
    pub fn deliver(
        &self,
        checked: &Checked,
        receive: &str,
        change: impl FnOnce(&mut Delivery),
    ) -> Result<Result<Received, NotReceived>, String> {
        use crate::sdk::receive::Receive as _;
        let carried = checked.compiled.receivers.get(receive).ok_or_else(|| format!("nobody calls the trigger {receive}"))?;
        let mut delivery = self.delivery.clone().ok_or("a case of a webhook needs its delivery")?;
        change(&mut delivery);
        let mut headers = HeaderMap::new();
        for (name, value) in &delivery.headers {
            let name: HeaderName = name.parse().map_err(|_| format!("{name} is no header"))?;
            headers.append(name, HeaderValue::from_str(value).map_err(|_| "a header has a line break".to_owned())?);
        }
        let secrets = carried.secrets().into_iter().filter(|_| !delivery.secret.is_empty());
        let secrets = HookSecrets(secrets.map(|name| (name, delivery.secret.clone().into_bytes())).collect());
        let inbound = Inbound {
            method: "POST",
            headers: &headers,
            query: "",
            body: delivery.body.as_bytes(),
            now: delivery.now.unwrap_or_else(at),
        };
        Ok(carried.receive(&inbound, &self.input, &secrets))
    }

    fn replay_delivery(&self, checked: &Checked, receive: &str) -> Result<(), String> {
        match self.deliver(checked, receive, |_| {})? {
            Ok(Received::Events(events)) => {
                if self.ignored == Some(true) || self.handshake.is_some() {
                    return Err(format!("{} events came, and none was expected", events.len()));
                }
                if let Some(keys) = &self.keys {
                    let found: Vec<_> = events.iter().map(|event| event.key.clone().unwrap_or_default()).collect();
                    if found != *keys {
                        return Err(format!("the keys are {found:?} and should be {keys:?}"));
                    }
                }
                for event in &events {
                    for (what, found, expected) in
                        [("account", &event.account, &self.account), ("delivery", &event.delivery, &self.delivery_id)]
                    {
                        if expected.is_some() && found != expected {
                            return Err(format!("the {what} is {found:?} and should be {expected:?}"));
                        }
                    }
                }
                compare_values(events.iter().map(|event| &event.value), &self.items)
            }
            Ok(Received::Handshake { body, .. }) => match &self.handshake {
                Some(expected) => {
                    let found: Json =
                        serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into());
                    if found == *expected {
                        Ok(())
                    } else {
                        Err(format!("the handshake answers {found} and should answer {expected}"))
                    }
                }
                None => Err("it was taken for a handshake".into()),
            },
            Ok(Received::Ignored(_)) if self.ignored == Some(true) => Ok(()),
            Ok(Received::Ignored(why)) => Err(format!("it was ignored: {why}")),
            Err(why) => Err(format!("it was refused: {why}")),
        }
    }
}

impl Expected {
    fn compare(&self, seen: &Seen) -> Result<(), String> {
        let mut bare = seen.url.clone();
        bare.set_query(None);
        if (seen.method.as_str(), bare.as_str()) != (self.method.as_str(), self.url.as_str()) {
            return Err(format!("it is {} {bare} and should be {} {}", seen.method, self.method, self.url));
        }
        let mut query: BTreeMap<String, Json> = BTreeMap::new();
        for (name, value) in seen.url.query_pairs() {
            let value = Json::from(value.into_owned());
            let together = match query.remove(name.as_ref()) {
                None => value,
                Some(Json::Array(mut values)) => {
                    values.push(value);
                    Json::Array(values)
                }
                Some(first) => json!([first, value]),
            };
            query.insert(name.into_owned(), together);
        }
        let expected: BTreeMap<String, Json> = self
            .query
            .iter()
            .map(|(name, value)| {
                (name.clone(), if value.is_array() { value.clone() } else { crate::sdk::value::text(value).into() })
            })
            .collect();
        if query != expected {
            return Err(format!("the query is {query:?} and should be {expected:?}"));
        }
        for (name, value) in &self.headers {
            let found = seen.headers.get(name.as_str()).and_then(|found| found.to_str().ok());
            if found != Some(value) {
                return Err(format!("the header {name} is {found:?} and should be {value:?}"));
            }
        }
        let body = match std::str::from_utf8(&seen.body) {
            Ok("") => Json::Null,
            Ok(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
            Err(_) => return Err("the body is no text".into()),
        };
        if body == self.body { Ok(()) } else { Err(format!("the body is\n  {body}\nand should be\n  {}", self.body)) }
    }
}

fn compare_error(error: &StepError, expected: &Failure) -> Result<(), String> {
    let kind = serde_json::to_value(error.kind).unwrap_or_default();
    if kind != expected.kind {
        return Err(format!("the error is {kind} and should be {}: {}", expected.kind, error.message));
    }
    if let Some(says) = expected.says.as_ref().filter(|says| !error.message.contains(says.as_str())) {
        return Err(format!("the message is “{}” and should say “{says}”", error.message));
    }
    match expected.retry_after {
        Some(seconds) if error.retry_after.map(|wait| wait.as_secs()) != Some(seconds) => {
            Err(format!("the wait is {:?} and should be {seconds} s", error.retry_after))
        }
        _ => Ok(()),
    }
}

/// Every value holds what is expected of it; what isn't named may be anything.
fn compare_values<'v>(found: impl Iterator<Item = &'v Json>, expected: &[Json]) -> Result<(), String> {
    if expected.is_empty() {
        return Ok(());
    }
    let found: Vec<&Json> = found.collect();
    if found.len() != expected.len() {
        return Err(format!("{} items came and {} should", found.len(), expected.len()));
    }
    for (found, expected) in found.into_iter().zip(expected) {
        if !holds(found, expected) {
            return Err(format!("an item is\n  {found}\nand should hold\n  {expected}"));
        }
    }
    Ok(())
}

fn holds(found: &Json, expected: &Json) -> bool {
    match (found, expected) {
        (Json::Object(found), Json::Object(expected)) => {
            expected.iter().all(|(name, value)| found.get(name).is_some_and(|found| holds(found, value)))
        }
        (found, expected) => found == expected,
    }
}
