//! The secret of a trigger's address, which goes in and never comes out, and a new address for one that got around.

use super::{changed, load, no_address};
use crate::{
    api::extract::Sent,
    app::App,
    auth::Actor,
    ingest::{
        target::secret_place,
        webhook::{Settings, settings::Auth, verify::SecretForm},
    },
    problem::{Code, Problem},
    store::{
        self,
        endpoints::{self, Kind},
    },
};
use axum::{
    Json as Body,
    extract::{Path, State},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use towpath_engine::{
    ids::{EndpointId, WorkflowId},
    workflow::Trigger,
};

/// The longest secret, in characters.
const LONGEST: usize = 1_000;
/// Shorter secrets show nothing of themselves.
const SHORTEST_WITH_HINT: usize = 12;

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "NewTriggerSecret")]
#[serde(deny_unknown_fields)]
#[schemars(extend("not" = json!({
    "properties": { "secret": { "type": "string" }, "generate": { "const": true } }, "required": ["secret", "generate"],
})))]
pub struct Change {
    /// The new secret; null takes it away.
    #[serde(default)]
    #[schemars(length(max = LONGEST), regex(pattern = r"\S"))]
    secret: Option<String>,
    /// Make one here, of 256 bits.
    #[serde(default)]
    generate: bool,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "TriggerSecret")]
pub struct Changed {
    /// The end of the secret, where it is long enough to show that; null when there is none.
    hint: Option<String>,
    /// Only of a generated secret, and only this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// `PUT /api/v1/workflows/{id}/trigger/secret`
pub async fn put(
    State(app): State<App>,
    actor: Actor,
    Path(workflow): Path<WorkflowId>,
    Sent(change): Sent<Change>,
) -> Result<Body<Changed>, Problem> {
    let trigger = load(&app, actor.workspace, workflow).await?.draft;
    let auth = auth_of(trigger.as_ref());
    let text = match (&change.secret, change.generate) {
        (Some(_), true) => return Err(Problem::invalid("secret", "Send a secret or have one made, not both.")),
        (None, true) => Some(generate(auth.as_ref())),
        (Some(text), false) => Some(text.trim_matches(['\r', '\n']).to_owned()),
        (None, false) => None,
    };
    if let Some(text) = &text {
        if text.trim().is_empty() {
            return Err(Problem::invalid("secret", "Write the secret, or have one made."));
        }
        if change.secret.as_ref().is_some_and(|sent| sent.chars().count() > LONGEST) {
            return Err(Problem::invalid("secret", "A secret can have at most 1,000 characters."));
        }
        judge(auth.as_ref(), text)?;
    }
    let endpoint = endpoints::current(&app.pool, actor.workspace, workflow, Kind::Webhook).await.map_err(no_address)?;
    let sealed = match &text {
        Some(text) => Some((app.vault.seal(secret_place(actor.workspace, endpoint.id), text.as_bytes()).await?, hint(text))),
        None => None,
    };
    let row = sealed.as_ref().map(|(sealed, hint)| (sealed.as_slice(), hint.as_str()));
    endpoints::set_secret(&app.pool, actor.workspace, endpoint.id, row).await?;
    changed(&app, actor.workspace, workflow);
    Ok(Body(Changed { hint: sealed.map(|(_, hint)| hint), secret: text.filter(|_| change.generate) }))
}

fn auth_of(trigger: Option<&Trigger>) -> Option<Auth> {
    trigger
        .filter(|trigger| trigger.operation == "webhook")
        .and_then(|trigger| Settings::read(&trigger.input).ok())
        .map(|settings| settings.auth)
}

/// Would callers be able to use it?
fn judge(auth: Option<&Auth>, text: &str) -> Result<(), Problem> {
    let message = match auth {
        Some(Auth::Signed(scheme)) if scheme.secret == SecretForm::Standard && scheme.secret.key(text.as_bytes()).is_none() => {
            "A secret of this kind is whsec_ followed by base64. Copy it whole from the service that sends."
        }
        Some(Auth::Header { .. } | Auth::Basic { .. }) if !text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) => {
            "Headers carry letters, digits and signs of ASCII only. Choose another secret."
        }
        _ => return Ok(()),
    };
    Err(Problem::clash("secret", message))
}

fn generate(auth: Option<&Auth>) -> String {
    let bytes: [u8; 32] = rand::random();
    match auth {
        Some(Auth::Signed(scheme)) if scheme.secret == SecretForm::Standard => format!("whsec_{}", BASE64_STANDARD.encode(bytes)),
        _ => BASE64_URL_SAFE_NO_PAD.encode(bytes),
    }
}

/// The last four characters of a long secret; nothing of a short one.
fn hint(text: &str) -> String {
    let count = text.chars().count();
    if count < SHORTEST_WITH_HINT { String::new() } else { text.chars().skip(count - 4).collect() }
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "NewAddress")]
pub struct Rotated {
    endpoint: EndpointId,
    url: String,
}

/// `POST /api/v1/workflows/{id}/trigger/rotate`: a new address with the same secret. From now on the old one answers as one that
/// never was.
pub async fn rotate(State(app): State<App>, actor: Actor, Path(workflow): Path<WorkflowId>) -> Result<Body<Rotated>, Problem> {
    let trigger = load(&app, actor.workspace, workflow).await?.draft;
    let kind = trigger
        .and_then(|trigger| Kind::of_operation(&trigger.operation, &app.registry))
        .ok_or_else(|| no_address(store::Error::NotFound))?;
    let mut transaction = app.pool.begin().await?;
    let (old, new) = endpoints::rotate(&mut transaction, actor.workspace, workflow, kind).await.map_err(no_address)?;
    if let (Some(sealed), Some(hint)) = (&old.secret_sealed, &old.secret_hint) {
        let secret = app.vault.open(secret_place(actor.workspace, old.id), sealed).await.map_err(|error| {
            Problem::new(
                Code::Conflict,
                format!("The secret can't be carried over: {error}. Set it again, then change the address."),
            )
        })?;
        let sealed = app.vault.seal(secret_place(actor.workspace, new), secret.expose()).await?;
        endpoints::set_secret(&mut *transaction, actor.workspace, new, Some((&sealed, hint))).await?;
    }
    transaction.commit().await?;
    changed(&app, actor.workspace, workflow);
    Ok(Body(Rotated { endpoint: new, url: super::view::address(&app, &actor, kind, new) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_shows_four_characters_of_a_long_secret_and_nothing_of_a_short_one() {
        assert_eq!(hint("hunter2"), "");
        assert_eq!(hint("0123456789ab4f2a"), "4f2a");
    }

    #[test]
    fn a_secret_that_callers_could_not_use_is_refused() {
        let standard = Auth::Signed(crate::ingest::webhook::verify::Scheme::standard_webhooks());
        assert!(judge(Some(&standard), "not base64!").is_err());
        assert!(judge(Some(&standard), &generate(Some(&standard))).is_ok());
        let basic = Auth::Basic { user: "ada".into() };
        assert!(judge(Some(&basic), "pässword").is_err());
        assert!(judge(Some(&basic), &generate(Some(&basic))).is_ok());
        assert!(judge(None, "anything").is_ok());
    }
}
