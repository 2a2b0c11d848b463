//! Inviting by link: an address and a role, bound together by a secret that works once and for a week. The link is shown to the one
//! who invites, and mailed where the instance can send mail.

use super::{Link, checked_email, mail, one_line, rules};
use crate::{
    app::App,
    auth::{Actor, link, permission::Role},
    problem::{Code, Problem},
    store::{
        self,
        invitations::{self, NewInvitation},
        members,
    },
};
use chrono::TimeDelta;
use sqlx::PgConnection;
use uuid::Uuid;

/// How long a link works.
pub const LIFE: TimeDelta = TimeDelta::days(7);

/// A new invitation and its link.
#[derive(Clone, Debug)]
pub struct Invited {
    pub id: Uuid,
    pub email: String,
    pub role: Role,
    pub link: Link,
}

/// Invites an address to the actor's workspace. An open invitation of the same address is replaced: its link stops working.
pub async fn invite(app: &App, actor: &Actor, email: &str, role: Role) -> Result<Invited, Problem> {
    let email = checked_email(email)?;
    rules::give(actor.role, role)?;
    let mut transaction = app.pool.begin().await?;
    if members::has_address(&mut *transaction, actor.workspace, &email).await? {
        return Err(Problem::clash("email", format!("{email} is a member already. Change the role in the list of members.")));
    }
    invitations::revoke_open_of(&mut transaction, actor.workspace, &email, app.clock.now()).await?;
    let made = add(&mut transaction, app, actor, email, role).await?;
    transaction.commit().await?;
    Ok(send(app, actor, made).await)
}

/// Makes a new link for an open invitation; the old one stops working. It stands on the rights of whoever makes it.
pub async fn renew(app: &App, actor: &Actor, id: Uuid) -> Result<Invited, Problem> {
    let mut transaction = app.pool.begin().await?;
    let (email, role) = invitations::lock_open(&mut transaction, actor.workspace, id).await?;
    rules::give(actor.role, role)?;
    invitations::revoke(&mut *transaction, actor.workspace, id, app.clock.now()).await?;
    let made = add(&mut transaction, app, actor, email, role).await?;
    transaction.commit().await?;
    Ok(send(app, actor, made).await)
}

/// Takes an open invitation back.
pub async fn revoke(app: &App, actor: &Actor, id: Uuid) -> Result<(), Problem> {
    Ok(invitations::revoke(&app.pool, actor.workspace, id, app.clock.now()).await?)
}

struct Made {
    id: Uuid,
    email: String,
    role: Role,
    secret: String,
}

async fn add(connection: &mut PgConnection, app: &App, actor: &Actor, email: String, role: Role) -> Result<Made, Problem> {
    let (id, secret, now) = (Uuid::now_v7(), link::make(), app.clock.now());
    let new = NewInvitation {
        id,
        workspace: actor.workspace,
        email: &email,
        role,
        token_hash: &link::hash(&secret),
        invited_by: actor.person,
        now,
        expires_at: now + LIFE,
    };
    invitations::insert(connection, new).await.map_err(|error| match error {
        store::Error::Conflict(name) if name == "invitation_open" => {
            Problem::new(Code::Conflict, format!("Somebody else invited {email} just now."))
        }
        error => error.into(),
    })?;
    Ok(Made { id, email, role, secret })
}

/// After the commit: what is mailed works.
async fn send(app: &App, actor: &Actor, made: Made) -> Invited {
    let origin = app.auth.settings.origin(&actor.visit);
    let url = format!("{origin}/invitations/{}", made.secret);
    let (who, workspace) = (one_line(&actor.name), one_line(&actor.workspace_name));
    let text = format!(
        "{who} invites you to the workspace \"{workspace}\" on Towpath, as {}.\n\nOpen this link to join. It works once, for seven days:\n\n{url}\n\n\
         If you don't know {who}, leave it alone: nothing happens without you.\n",
        made.role.name()
    );
    let subject = format!("{who} invites you to {workspace}");
    let mailed = mail(app, actor.workspace, format!("invitation-{}@towpath", made.id), &made.email, subject, text).await;
    Invited { id: made.id, email: made.email, role: made.role, link: Link { url, mailed } }
}
