//! API tokens: `tp_`, eight characters that say which one it is, and 256 random bits. A request that brings one is judged by it alone;
//! a cookie beside it counts for nothing.

use super::{Actor, TokenUse, link, scope::Scope, visit::Visit};
use crate::{
    app::App,
    problem::{Code, Problem},
    store::tokens::{self, Found},
};
use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use uuid::Uuid;

/// How stale "last used" may be.
const USED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// A fresh token with the prefix that names it.
pub fn make() -> (String, String) {
    let prefix = hex::encode(rand::random::<[u8; 4]>());
    let token = format!("tp_{prefix}_{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
    (token, prefix)
}

/// The prefix of what looks like a token of ours.
fn prefix_of(token: &str) -> Option<&str> {
    let (prefix, secret) = token.strip_prefix("tp_")?.split_once('_')?;
    let hex = prefix.len() == 8 && prefix.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
    (hex && secret.len() == 43).then_some(prefix)
}

/// What a request says after `Authorization: Bearer`; `None` when it says nothing.
pub fn of_request(headers: &HeaderMap) -> Option<&str> {
    let said = headers.get(header::AUTHORIZATION)?.to_str().unwrap_or_default();
    let (kind, token) = said.split_once(' ').unwrap_or((said, ""));
    // Something else than a bearer is no token of ours, and is refused like a wrong one.
    Some(if kind.eq_ignore_ascii_case("bearer") { token.trim() } else { "" })
}

/// Whose token this is, if it works.
///
/// # Errors
/// `NotSignedIn` when it doesn't; `TooManyRequests` when wrong ones came in a row from this network.
pub async fn find(app: &App, visit: &Visit, token: &str) -> Result<Actor, Problem> {
    let now = app.clock.now();
    // What doesn't even look like a token guesses nothing and costs nothing, so it is refused each time in the same way.
    let prefix = prefix_of(token).ok_or_else(wrong)?;
    let Some(found) = tokens::find(&app.pool, &link::hash(token), now).await? else {
        // A right token is never slowed down by somebody's wrong ones.
        if let Err(wait) = app.auth.throttle.begin(&format!("token {prefix}"), visit.address, now) {
            let seconds = u32::try_from(wait.num_seconds().max(0) + 1).unwrap_or(60);
            return Err(Problem {
                retry_after: Some(seconds),
                ..Problem::new(Code::TooManyRequests, "Many wrong tokens came from this network. Wait and check the token.")
            });
        }
        return Err(wrong());
    };
    if found.used_at.is_none_or(|used| now - used > USED_EVERY) {
        tokens::touch(&app.pool, found.id, now).await?;
    }
    Ok(actor(found, visit))
}

fn wrong() -> Problem {
    Problem::new(
        Code::NotSignedIn,
        "This token does not work. It may be mistyped, too old, or taken back. Make a new one under Settings, API tokens.",
    )
}

/// Does the token still work? For what is judged again while it lasts.
pub async fn lives(app: &App, id: Uuid) -> Result<bool, Problem> {
    Ok(tokens::lives(&app.pool, id, app.clock.now()).await?)
}

fn actor(found: Found, visit: &Visit) -> Actor {
    Actor {
        person: found.person,
        name: found.name,
        email: found.email,
        workspace: found.workspace,
        workspace_name: found.workspace_name,
        language: found.language,
        others: Vec::new(),
        role: found.role,
        instance_owner: found.instance_owner,
        csrf: String::new(),
        session: [0; 32],
        token: Some(TokenUse { id: found.id, scopes: found.scopes.iter().filter_map(|name| Scope::of_name(name)).collect() }),
        held: false,
        visit: visit.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_which_one_it_is_and_hides_the_rest() {
        let (token, prefix) = make();
        assert_eq!(prefix_of(&token), Some(prefix.as_str()));
        assert_eq!(token.len(), 3 + 8 + 1 + 43);
        assert_ne!(make().0, token);
        for wrong in ["", "tp_", "tp_12345678_short", "tp_1234567_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "xx_12345678_a"] {
            assert_eq!(prefix_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_a_bearer_brings_a_token() {
        let of = |said: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, said.parse().unwrap())]);
            of_request(&headers).map(str::to_owned)
        };
        assert_eq!(of("Bearer tp_x").as_deref(), Some("tp_x"));
        assert_eq!(of("bearer  tp_x ").as_deref(), Some("tp_x"));
        assert_eq!(of("Basic dXNlcjpwYXNz").as_deref(), Some(""), "and is refused");
        assert_eq!(of_request(&HeaderMap::new()), None);
    }
}
