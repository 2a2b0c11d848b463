//! Sessions: 256 random bits in a cookie, their SHA-256 in the table. Idle for twelve hours or thirty days old, a session is over. An
//! id is good for the role for which it was made and for no higher one: a page opened after a change of role takes a new id.

use super::{Actor, OtherWorkspace, csrf, permission::Role, visit::Visit};
use crate::{
    app::App,
    problem::{Code, Problem},
    store::{
        members,
        sessions::{self, FoundSession, NewSession},
    },
};
use axum::http::{HeaderMap, header};
use axum_extra::extract::CookieJar;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use towpath_engine::ids::{PersonId, WorkspaceId};

/// A session nobody used for this long is over.
pub const IDLE: TimeDelta = TimeDelta::hours(12);
/// A session this old is over, used or not.
pub const LONGEST: TimeDelta = TimeDelta::days(30);
/// How stale "last seen" may be: a write per request would be a write per image.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);

/// The secret id of a session. Whoever has it is signed in; it has no `Debug` and is stored nowhere.
pub struct SessionId([u8; 32]);

impl SessionId {
    fn random() -> Self {
        Self(rand::random())
    }

    /// What the table knows of it.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The cookie's name follows the transport. `__Host-` and Secure over https; over plain http browsers refuse both, and sign-in
    /// would go round in circles.
    fn cookie_name(https: bool) -> &'static str {
        if https { "__Host-towpath" } else { "towpath" }
    }

    fn of_request(headers: &HeaderMap, https: bool) -> Option<Self> {
        let jar = CookieJar::from_headers(headers);
        let bytes = URL_SAFE_NO_PAD.decode(jar.get(Self::cookie_name(https))?.value()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The `Set-Cookie` that signs a browser in.
    pub fn cookie(&self, https: bool) -> String {
        set_cookie(https, &URL_SAFE_NO_PAD.encode(self.0), LONGEST)
    }

    /// The `Set-Cookie` that signs it out.
    pub fn gone(https: bool) -> String {
        set_cookie(https, "", TimeDelta::zero())
    }
}

fn set_cookie(https: bool, value: &str, age: TimeDelta) -> String {
    let (name, secure) = (SessionId::cookie_name(https), if https { "; Secure" } else { "" });
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", age.num_seconds())
}

/// Starts a session: always under a new id, so that one planted before sign-in is worth nothing.
pub async fn start(
    connection: &mut PgConnection,
    app: &App,
    visit: &Visit,
    headers: &HeaderMap,
    person: PersonId,
    workspace: WorkspaceId,
) -> Result<SessionId, Problem> {
    let id = SessionId::random();
    let now = app.clock.now();
    let role = members::role(&mut *connection, workspace, person)
        .await?
        .ok_or_else(|| Problem::new(Code::Forbidden, "You are not a member of that workspace (any more)."))?;
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    sessions::insert(
        connection,
        NewSession {
            id_hash: &id.hash(),
            person,
            workspace,
            role,
            now,
            expires_at: now + LONGEST,
            address: &visit.address.to_string(),
            user_agent: &user_agent.chars().take(400).collect::<String>(),
        },
    )
    .await?;
    // Sessions that are over go when the next one begins: they are few, and nobody waits for it.
    sessions::sweep(&mut *connection, now, now - IDLE).await?;
    Ok(id)
}

/// Who sent a request, and the `Set-Cookie` that its answer must carry when their session took a new id.
pub struct Found {
    pub actor: Actor,
    pub renewed: Option<String>,
}

/// Who sent this request, if their session lives.
pub async fn find(app: &App, visit: &Visit, headers: &HeaderMap) -> Result<Option<Found>, Problem> {
    let Some(id) = SessionId::of_request(headers, visit.https) else { return Ok(None) };
    let hash = id.hash();
    let now = app.clock.now();
    let Some(row) = sessions::find(&app.pool, &hash, now, now - IDLE).await? else { return Ok(None) };
    if now - row.seen_at > SEEN_EVERY {
        sessions::touch(&app.pool, &hash, now, &visit.address.to_string()).await?;
    }
    // Scripts of an open page would go on with the old token: only a page takes the new id.
    if row.made_for != row.role && opens_a_page(headers) {
        let new = SessionId::random();
        if !sessions::renew(&app.pool, &hash, &new.hash(), row.workspace, row.role).await? {
            return Ok(None);
        }
        let (cookie, role) = (new.cookie(visit.https), row.role);
        return Ok(Some(Found { actor: Actor { role, ..actor(row, &new, visit) }, renewed: Some(cookie) }));
    }
    Ok(Some(Found { actor: actor(row, &id, visit), renewed: None }))
}

/// Goes on in another workspace of the person, under a new id. `None` when they are no member of it.
pub async fn switch(app: &App, actor: &Actor, workspace: WorkspaceId) -> Result<Option<SessionId>, Problem> {
    let Some(role) = members::role(&app.pool, workspace, actor.person).await? else { return Ok(None) };
    let id = SessionId::random();
    let renewed = sessions::renew(&app.pool, &actor.session, &id.hash(), workspace, role).await?;
    Ok(renewed.then_some(id))
}

/// The role that the session of this hash gives; none when it is over.
pub async fn worth(app: &App, hash: &[u8; 32]) -> Result<Option<Role>, Problem> {
    let now = app.clock.now();
    Ok(sessions::find(&app.pool, hash, now, now - IDLE).await?.map(|row| row.role.min(row.made_for)))
}

fn actor(row: FoundSession, id: &SessionId, visit: &Visit) -> Actor {
    Actor {
        person: row.person,
        name: row.name,
        email: row.email,
        workspace: row.workspace,
        workspace_name: row.workspace_name,
        language: row.language,
        others: row.others.into_iter().map(|(id, name)| OtherWorkspace { id, name }).collect(),
        // A role that was taken away is gone at once.
        role: row.role.min(row.made_for),
        instance_owner: row.instance_owner,
        csrf: csrf::token(&id.0),
        session: id.hash(),
        token: None,
        held: false,
        visit: visit.clone(),
    }
}

fn opens_a_page(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_follows_the_transport() {
        let id = SessionId([7; 32]);
        let https = id.cookie(true);
        assert!(https.starts_with("__Host-towpath=") && https.contains("; Secure") && https.contains("; Path=/"), "{https}");
        assert!(!https.contains("Domain"), "{https}");
        let http = id.cookie(false);
        assert!(http.starts_with("towpath=") && !http.contains("Secure"), "{http}");
        for cookie in [https, http] {
            assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
        }
    }

    #[test]
    fn a_cookie_of_the_other_transport_signs_nobody_in() {
        let id = SessionId([7; 32]);
        let mut headers = HeaderMap::new();
        headers.insert("cookie", id.cookie(false).split(';').next().unwrap().parse().unwrap());
        assert!(SessionId::of_request(&headers, false).is_some_and(|found| found.hash() == id.hash()));
        assert!(SessionId::of_request(&headers, true).is_none());
        headers.insert("cookie", "towpath=tooshort".parse().unwrap());
        assert!(SessionId::of_request(&headers, false).is_none());
    }
}
