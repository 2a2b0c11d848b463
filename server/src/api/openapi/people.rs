//! Accounts, members, tokens, workspaces and the instance, as the document has them.

use super::operation::{Operation, operation};
use crate::{
    api::{
        instance, invitations, members, operations,
        page::{Asking, Page},
        sessions, tokens, workspaces,
    },
    reachability::Report,
};
use axum::http::Method;
use serde_json::json;
use uuid::Uuid;

type Window = Asking<Uuid>;

pub fn operations() -> Vec<Operation> {
    const YOU: &str = "You";
    const PEOPLE: &str = "Members and invitations";
    const PLACE: &str = "The workspace";
    const INSTANCE: &str = "The instance";
    vec![
        operation(YOU, Method::GET, "/api/v1/me", "Who is asking").answers::<sessions::Me>(200),
        operation(YOU, Method::GET, "/api/v1/sessions", "Where you are signed in").answers::<Page<sessions::Session>>(200),
        operation(YOU, Method::DELETE, "/api/v1/sessions/{session}", "End one of your sessions"),
        operation(YOU, Method::GET, "/api/v1/tokens", "List API tokens")
            .text("Your own, the newest first; everybody's when you manage people.")
            .asks::<Window>()
            .answers::<Page<tokens::Token>>(200),
        operation(YOU, Method::POST, "/api/v1/tokens", "Make an API token")
            .text("The token is in this answer and in no other. A token makes no token with more than its own scopes.")
            .takes::<tokens::NewToken>(json!({ "name": "Nightly export", "scopes": ["read"], "days": 90 }))
            .answers::<tokens::MadeToken>(201),
        operation(YOU, Method::DELETE, "/api/v1/tokens/{token}", "Take an API token back"),
        operation(YOU, Method::GET, "/api/v1/workspaces", "List your workspaces").answers::<Page<sessions::Place>>(200),
        operation(PEOPLE, Method::GET, "/api/v1/members", "List the members")
            .asks::<Window>()
            .answers::<Page<members::Member>>(200),
        operation(PEOPLE, Method::PUT, "/api/v1/members/{person}", "Give a member another role").takes::<members::NewRole>(json!({ "role": "builder" })),
        operation(PEOPLE, Method::DELETE, "/api/v1/members/{person}", "Remove a member"),
        operation(PEOPLE, Method::GET, "/api/v1/invitations", "List the open invitations")
            .asks::<Window>()
            .answers::<Page<invitations::Invitation>>(200),
        operation(PEOPLE, Method::POST, "/api/v1/invitations", "Invite somebody")
            .text("The link is in this answer and in no other; it is also mailed where the server can send mail.")
            .takes::<invitations::NewInvitation>(json!({ "email": "grace@example.com", "role": "builder" }))
            .answers::<invitations::MadeInvitation>(201),
        operation(PEOPLE, Method::POST, "/api/v1/invitations/{invitation}/renew", "Make a new link for an invitation")
            .text("The old link stops working.")
            .answers::<invitations::MadeInvitation>(201),
        operation(PEOPLE, Method::DELETE, "/api/v1/invitations/{invitation}", "Take an invitation back"),
        operation(PLACE, Method::GET, "/api/v1/workspace", "Read the settings").answers::<workspaces::WorkspaceSettings>(200),
        operation(PLACE, Method::PUT, "/api/v1/workspace", "Change the settings")
            .takes::<workspaces::NewSettings>(json!({
                "name": "Bakery", "time_zone": "Europe/Berlin", "language": "de-DE", "alert_mail": "ops@example.com", "alert_url": null,
            }))
            .answers::<workspaces::WorkspaceSettings>(200),
        operation(PLACE, Method::DELETE, "/api/v1/workspace", "Delete the workspace")
            .text("Its name in the body says that it is meant. Nothing brings it back but a backup.")
            .takes::<workspaces::NamedWorkspace>(json!({ "name": "The name of the workspace" })),
        operation(PLACE, Method::POST, "/api/v1/workspace/leave", "Leave the workspace"),
        operation(INSTANCE, Method::GET, "/api/v1/instance/people", "List everybody who has an account")
            .asks::<Window>()
            .answers::<Page<instance::Person>>(200),
        operation(INSTANCE, Method::PUT, "/api/v1/instance/people/{person}", "Disable or enable an account, or make an owner")
            .text("Changes what is given and leaves the rest.")
            .takes::<instance::Standing>(json!({ "disabled": false })),
        operation(INSTANCE, Method::POST, "/api/v1/instance/people/{person}/reset", "Make a link for a new password")
            .answers::<instance::ResetLink>(201),
        operation(INSTANCE, Method::GET, "/api/v1/instance/workspaces", "List all workspaces")
            .asks::<Window>()
            .answers::<Page<workspaces::ListedWorkspace>>(200),
        operation(INSTANCE, Method::POST, "/api/v1/instance/workspaces", "Make a workspace")
            .takes::<workspaces::NewWorkspace>(json!({ "name": "Sales" }))
            .answers::<workspaces::MadeWorkspace>(201),
        operation(INSTANCE, Method::DELETE, "/api/v1/instance/workspaces/{workspace}", "Delete any workspace")
            .text("Its name in the body says that it is meant.")
            .takes::<workspaces::NamedWorkspace>(json!({ "name": "The name of the workspace" })),
        operation(INSTANCE, Method::GET, "/api/v1/instance/reachability", "Is this server reached under its public address?")
            .answers::<Report>(200),
        operation(INSTANCE, Method::POST, "/api/v1/instance/reachability", "Look again how this server is reached")
            .answers::<Report>(200),
        operation(INSTANCE, Method::GET, "/api/v1/instance/restored", "What came from a backup and waits")
            .answers::<operations::Restored>(200),
        operation(INSTANCE, Method::POST, "/api/v1/instance/restored", "Decide what becomes of what came from a backup")
            .takes::<operations::Decision>(json!({ "decision": "run" }))
            .answers::<operations::Restored>(200),
    ]
}
