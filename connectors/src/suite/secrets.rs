//! The rule `secrets`: nothing that a connector hands on or shows holds a secret of its connection. Every case is played again with a
//! credential that is a canary, to a service that repeats in its answers whatever it was sent; then the canary is looked for in the
//! output, the error, the items of a poll, and the trace that the run page shows, with its log; connectors have no other log.

use super::{
    Outcome,
    case::Case,
    door::{Answer, Credential, Script, Seen, Stage},
};
use crate::{
    manifest::check::Checked,
    sdk::{Action as _, connector::Auth},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::sync::Arc;
use towpath_engine::{Json, Object, catalogue::FieldKind, error::StepError};

/// What stands for every secret; it may appear nowhere.
const CANARY: &str = "canary-7f3a91c4d2";

/// How the door comes by a credential.
type MakeCredential = fn(&Auth, &Object, &Object) -> Result<Credential, StepError>;

/// One trial for each case and each way to authenticate; and whether each way attaches anything at all.
pub async fn all(id: &str, checked: &Checked, cases: &[(String, Case)]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for auth in &checked.compiled.connector.auth {
        let result = if auth.apply.is_empty() { Err("it attaches nothing".to_owned()) } else { Ok(()) };
        outcomes.push(Outcome::of(id, "secrets", &auth.id, result));
        for (name, case) in cases {
            outcomes.push(Outcome::of(
                id,
                "secrets",
                format!("{name}, {}", auth.id),
                played(id, checked, auth, case, Credential::new).await,
            ));
        }
    }
    if checked.compiled.connector.auth.is_empty() {
        // What signs in nowhere has nothing to hide, but the secrets of its webhooks.
        for (name, case) in cases {
            outcomes.push(Outcome::of(id, "secrets", name, delivered(checked, case)));
        }
    }
    outcomes
}

async fn played(id: &str, checked: &Checked, auth: &Auth, case: &Case, door: MakeCredential) -> Result<(), String> {
    delivered(checked, case)?;
    if case.receive.is_some() {
        return Ok(());
    }
    // As it is recorded, and with each of the refusals that a service may word by quoting what it was sent.
    let mut plays = vec![case.answers()];
    plays.extend([400, 401, 403, 500].map(|status| vec![Answer::status(status); case.exchange.len().max(1)]));
    for answers in plays {
        let (fields, secrets) = canaries(auth);
        let credential = door(auth, &fields, &secrets).map_err(|error| error.message)?;
        let stage = Stage::with(id, echoing(answers), Some(credential));
        let result = play(&stage, checked, case).await?;
        let sent = stage.seen();
        if sent.iter().any(|seen| seen.body.windows(CANARY.len()).any(|part| part == CANARY.as_bytes())) {
            return Err("the secret stands in a request's body; what signs in belongs into its header or address".into());
        }
        let carries = |seen: &Seen| holds(&format!("{} {}", header_text(seen), seen.url));
        if !sent.is_empty() && !sent.iter().any(carries) {
            return Err("no request carries the connection's credential".into());
        }
        for (what, text) in [("what came of it", result), ("the run page's trace", format!("{:?}", stage.shown()))] {
            if holds(&text) {
                return Err(format!("the secret of the connection is in {what}: {text}"));
            }
        }
    }
    Ok(())
}

/// What came of the call, as a text that holds all of it.
async fn play(stage: &Stage, checked: &Checked, case: &Case) -> Result<String, String> {
    if let Some(poll) = &case.poll {
        let cursor = case.cursor.clone().map(crate::sdk::poll::Cursor);
        return Ok(format!("{:?}", case.look_on(stage, checked, poll, cursor).await?));
    }
    let action = case.action.as_deref().unwrap_or_default();
    let carried = checked.compiled.actions.get(action).ok_or_else(|| format!("there is no action {action}"))?;
    Ok(match carried.run(stage.call(&case.input)).await {
        Ok(output) => output.value.to_string(),
        Err(error) => format!("{error:?}"),
    })
}

/// The values of a request's headers: marked as secret, they print nothing of themselves.
fn header_text(seen: &Seen) -> String {
    seen.headers.values().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join("\n")
}

/// A webhook's secret is in nothing that comes of a delivery.
fn delivered(checked: &Checked, case: &Case) -> Result<(), String> {
    let Some(receive) = &case.receive else { return Ok(()) };
    let result = case.deliver(checked, receive, |delivery| delivery.secret = CANARY.into())?;
    if holds(&format!("{result:?}")) { Err("the secret of the signature is in what came of it".into()) } else { Ok(()) }
}

/// The canary in every secret field; something else in the public ones.
fn canaries(auth: &Auth) -> (Object, Object) {
    let of = |secret: bool| {
        let fields = auth.fields.iter().filter(move |field| (field.kind == FieldKind::Secret) == secret);
        fields.map(|field| (field.name.clone(), Json::from(if secret { CANARY } else { "public" }))).collect()
    };
    (of(false), of(true))
}

/// A service that quotes what it was sent, in a header and in its body, in more than one way of writing.
fn echoing(answers: Vec<Answer>) -> Script {
    Arc::new(move |count, request| {
        let answer = answers.get(count).or(answers.last()).cloned().unwrap_or_else(|| Answer::status(500));
        let sent = format!("Authorization: Bearer {CANARY}");
        let words = format!("{} {} with {sent} ({}) is not known", request.method, request.url, BASE64_STANDARD.encode(&sent));
        let mut answer = answer.header("x-echo", &sent);
        match &mut answer.body {
            Json::Object(fields) => {
                for name in ["echo", "error", "message", "error_description", "detail"] {
                    fields.entry(name).or_insert_with(|| words.clone().into());
                }
            }
            Json::String(text) => text.push_str(&words),
            Json::Null => answer.body = words.into(),
            _ => {}
        }
        Ok(answer)
    })
}

fn holds(text: &str) -> bool {
    text.contains(CANARY) || text.contains(BASE64_STANDARD.encode(CANARY).trim_end_matches('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Folder, check::check};

    /// The trial sees what leaks: with a door that takes nothing out, every connector that signs in fails it.
    #[tokio::test]
    async fn a_door_that_takes_nothing_out_is_found_with_every_connector() {
        for folder in Folder::embedded() {
            let checked = check(&folder).expect("a connector of ours is in order");
            for auth in &checked.compiled.connector.auth {
                let mut found = 0;
                for (_, text) in folder.cases() {
                    let case = Case::read(text).expect("a case of ours can be read");
                    let result = played(&folder.name, &checked, auth, &case, Credential::leaking).await;
                    found += usize::from(result.is_err_and(|why| why.contains("the secret of the connection is in")));
                }
                assert!(found > 0, "{}: nothing was found", folder.name);
            }
        }
    }
}
