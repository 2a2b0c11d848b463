//! Walks the table of routes: every route, every role, nobody, another workspace's ids, no token. A new route is covered by being in
//! the table; one with a kind of id that this file doesn't know fails and says so.

use crate::house::{Answer, Browser, House};
use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use serde_json::json;
use sqlx::{PgPool, postgres::PgConnectOptions, postgres::PgPoolOptions};
use towpath_engine::ids::{ConnectionId, PersonId, RowId, RunId, TableId, WorkflowId, WorkspaceId};
use towpath_server::{
    auth::permission::{Role, Rule},
    routes::{self, Route},
};
use uuid::Uuid;

/// What the ids in a path stand for.
#[derive(Clone, Copy)]
struct Ids {
    workspace: WorkspaceId,
    workflow: WorkflowId,
    run: RunId,
    person: PersonId,
    invitation: Uuid,
    token: Uuid,
    /// The hash of a session's id, which is how it is named.
    session: [u8; 32],
    connection: ConnectionId,
    table: TableId,
    row: RowId,
}

impl Ids {
    fn of_nothing() -> Self {
        Self {
            workspace: WorkspaceId::new(),
            workflow: WorkflowId::new(),
            run: RunId::new(),
            connection: ConnectionId::new(),
            table: TableId::new(),
            row: RowId::new(),
            person: PersonId::new(),
            invitation: Uuid::now_v7(),
            token: Uuid::now_v7(),
            session: rand_bytes(),
        }
    }

    /// Things of a workspace, put there by hand.
    async fn planted(pool: &PgPool, workspace: WorkspaceId) -> Self {
        let ids = Self { workspace, ..Self::of_nothing() };
        sqlx::query("insert into person (id, email, name, password_hash) values ($1, 'planted@example.com', 'Planted', 'none')")
            .bind(ids.person.0)
            .execute(pool)
            .await
            .unwrap();
        sqlx::query("insert into member (workspace_id, person_id, role) values ($1, $2, 'operator')")
            .bind(workspace.0)
            .bind(ids.person.0)
            .execute(pool)
            .await
            .unwrap();
        sqlx::query(
            "insert into invitation (id, workspace_id, email, role, token_hash, invited_by, created_at, expires_at)
             values ($1, $2, 'invited@example.com', 'viewer', $3, $4, now(), now() + interval '1 day')",
        )
        .bind(ids.invitation)
        .bind(workspace.0)
        .bind(ids.session.as_slice())
        .bind(ids.person.0)
        .execute(pool)
        .await
        .unwrap();
        sqlx::query(
            "insert into session (id_hash, person_id, workspace_id, role, expires_at, address, user_agent)
             values ($1, $2, $3, 'operator', now() + interval '1 day', '127.0.0.1', '')",
        )
        .bind(ids.session.as_slice())
        .bind(ids.person.0)
        .bind(workspace.0)
        .execute(pool)
        .await
        .unwrap();
        sqlx::query(
            "insert into api_token (id, workspace_id, person_id, name, prefix, token_hash, scopes, created_at)
             values ($1, $2, $3, 'Planted', '01234567', $4, '{read}', now())",
        )
        .bind(ids.token)
        .bind(workspace.0)
        .bind(ids.person.0)
        .bind(ids.session.as_slice())
        .execute(pool)
        .await
        .unwrap();
        let document = json!({ "towpath": 1, "name": "Planted", "trigger": { "id": "trigger", "use": "webhook" }, "steps": [] });
        sqlx::query(
            "insert into workflow (id, workspace_id, name, state, draft, published_revision, published_version, latest_version)
             values ($1, $2, 'Planted', 'published', $3, 0, 1, 1)",
        )
        .bind(ids.workflow.0)
        .bind(workspace.0)
        .bind(sqlx::types::Json(&document))
        .execute(pool)
        .await
        .unwrap();
        sqlx::query("insert into workflow_version (workflow_id, version, workspace_id, document) values ($1, 1, $2, $3)")
            .bind(ids.workflow.0)
            .bind(workspace.0)
            .bind(sqlx::types::Json(&document))
            .execute(pool)
            .await
            .unwrap();
        sqlx::query("insert into endpoint (id, workspace_id, workflow_id, kind) values ($1, $2, $3, 'webhook')")
            .bind(Uuid::new_v4())
            .bind(workspace.0)
            .bind(ids.workflow.0)
            .execute(pool)
            .await
            .unwrap();
        sqlx::query("insert into run (id, workspace_id, workflow_id, version, shard, trigger_kind, payload) values ($1, $2, $3, 1, 0, 1, $4)")
            .bind(ids.run.0)
            .bind(workspace.0)
            .bind(ids.workflow.0)
            .bind(towpath_engine::event::Event::default().to_bytes())
            .execute(pool)
            .await
            .unwrap();
        sqlx::query("insert into run_end (id, workspace_id, workflow_id, state, steps) values ($1, $2, $3, 1, 0)")
            .bind(ids.run.0)
            .bind(workspace.0)
            .bind(ids.workflow.0)
            .execute(pool)
            .await
            .unwrap();
        sqlx::query(
            "insert into connection (id, workspace_id, connector, auth, name, hosts, sharing)
             values ($1, $2, 'http', 'bearer', 'Planted', '{x.example}', 'everybody')",
        )
        .bind(ids.connection.0)
        .bind(workspace.0)
        .execute(pool)
        .await
        .unwrap();
        sqlx::query(
            "insert into data_table (id, workspace_id, name, columns, row_count, created_at, updated_at)
             values ($1, $2, 'Planted', '[{\"id\": \"c1\", \"name\": \"name\", \"kind\": \"text\"}]', 1, now(), now())",
        )
        .bind(ids.table.0)
        .bind(workspace.0)
        .execute(pool)
        .await
        .unwrap();
        sqlx::query(
            "insert into data_row (id, workspace_id, table_id, document, created_at, updated_at)
             values ($1, $2, $3, '{\"c1\": \"Planted\"}', now(), now())",
        )
        .bind(ids.row.0)
        .bind(workspace.0)
        .bind(ids.table.0)
        .execute(pool)
        .await
        .unwrap();
        ids
    }

    /// The path with its parameters filled in.
    fn fill(self, route: &Route) -> String {
        let parts: Vec<&str> = route.path.split('/').collect();
        let filled: Vec<String> = (0..parts.len())
            .map(|at| {
                let Some(name) = parts[at].strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
                    return parts[at].to_owned();
                };
                match (name, at.checked_sub(1).map_or("", |before| parts[before])) {
                    ("id" | "workflow", "workflows") => self.workflow.to_string(),
                    ("id" | "run", "runs") => self.run.to_string(),
                    ("id", "forms" | "hooks") | ("endpoint", _) => Uuid::nil().to_string(),
                    ("person", _) => self.person.to_string(),
                    ("invitation", _) => self.invitation.to_string(),
                    ("session", _) => hex::encode(self.session),
                    // Public: it echoes to whoever asks.
                    ("nonce", _) => "nonce".to_owned(),
                    ("workspace", _) => self.workspace.to_string(),
                    // The secrets of links open their pages to whoever has them; nobody has this one.
                    ("token", "tokens") => self.token.to_string(),
                    ("token", _) => "not-a-secret-of-ours".to_owned(),
                    ("version" | "attempt", _) => "1".to_owned(),
                    ("sample", _) => Uuid::nil().to_string(),
                    ("connection", _) => self.connection.to_string(),
                    ("variable", _) => "planted".to_owned(),
                    ("table", _) => self.table.to_string(),
                    ("row", _) => self.row.to_string(),
                    ("*rest", _) => "rest".to_owned(),
                    ("step", _) => "step".to_owned(),
                    ("part", _) => "output".to_owned(),
                    // Connectors are the same for all workspaces; this one is none.
                    ("connector", _) => "nowhere".to_owned(),
                    ("code", _) => "not-found".to_owned(),
                    ("file", _) => "app.css".to_owned(),
                    (other, _) => panic!("{}: tell this test what {{{other}}} is", route.path),
                }
            })
            .collect();
        filled.join("/")
    }
}

/// Sends what any page of ours could send there: JSON for the API, a form for pages.
async fn call(house: &House, browser: &Browser, route: &Route, path: &str) -> Answer {
    let api = path.starts_with("/api/");
    let request = browser
        .request(route.method.clone(), path)
        .header(header::ORIGIN, "http://localhost")
        .header("x-csrf-token", &browser.csrf)
        .header(header::ACCEPT, if api { "application/json" } else { "text/html" });
    let (kind, body) = if api {
        ("application/json", json_for(route).to_string())
    } else {
        (
            "application/x-www-form-urlencoded",
            "name=Taken+over&step=step&decision=fail&role=viewer&email=new%40example.com".to_owned(),
        )
    };
    let body = if route.method == Method::GET { Body::empty() } else { Body::from(body) };
    house.send(request.header(header::CONTENT_TYPE, kind).body(body).unwrap()).await
}

/// A body that the address takes, so that a call is not turned away before it looks at anything. Others get an empty object.
fn json_for(route: &Route) -> serde_json::Value {
    match route.path {
        "/api/v1/members/{person}" => return json!({ "role": "viewer" }),
        "/api/v1/invitations" => return json!({ "email": "new@example.com", "role": "viewer" }),
        "/api/v1/workspace" if route.method == Method::DELETE => return json!({ "name": "Taken over" }),
        "/api/v1/instance/workspaces/{workspace}" => return json!({ "name": "Taken over" }),
        "/api/v1/instance/people/{person}" => return json!({ "disabled": true }),
        _ => {}
    }
    match route.path.rsplit('/').next().unwrap_or_default() {
        "rename" => json!({ "name": "Taken over" }),
        "edits" => json!({ "base": 0, "operations": [{ "op": "set_name", "name": "Taken over" }] }),
        "resolve" => json!({ "values": {} }),
        "decide" => json!({ "step": "step", "decision": "fail" }),
        "workflows" | "workspaces" => json!({ "name": "New" }),
        "options" => json!({ "field": "channel" }),
        "connections" => json!({ "connector": "http", "name": "New" }),
        "rows" => json!({ "rows": [{ "name": "Taken over" }] }),
        "import" => json!({ "csv": "name\nTaken over\n" }),
        "tables" => json!({ "name": "New", "columns": [{ "name": "name", "kind": "text" }] }),
        "{row}" => json!({ "name": "Taken over" }),
        "{table}" => json!({ "name": "Taken over" }),
        _ => json!({}),
    }
}

fn guarded() -> impl Iterator<Item = Route> {
    routes::all().table.into_iter().filter(|route| !matches!(route.rule, Rule::Public | Rule::Visitor))
}

/// Puts the person back to where they were: leaving is a route, too.
async fn put_back(house: &House, email: &str, role: Role) {
    sqlx::query(
        "insert into member (workspace_id, person_id, role)
         select w.id, p.id, $2 from person p, (select id from workspace order by created_at, id limit 1) w where p.email = $1
         on conflict (workspace_id, person_id) do update set role = excluded.role",
    )
    .bind(email)
    .bind(role.name())
    .execute(house.pool())
    .await
    .unwrap();
}

fn names_things(route: &Route) -> bool {
    route.path.contains('{')
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_gets_past_a_rule_without_signing_in(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    house.owner().await;
    for route in guarded() {
        let path = Ids::of_nothing().fill(&route);
        let answer = call(&house, &Browser::default(), &route, &path).await;
        if path.starts_with("/api/") {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} {}", route.method, route.path);
        } else {
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{} {}", route.method, route.path);
            assert!(answer.location().starts_with("/sign-in"), "{} {}: {}", route.method, route.path, answer.location());
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn every_role_gets_what_the_table_gives_it_and_no_more(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    house.owner().await;
    for role in Role::ALL {
        let email = format!("{}@example.com", role.name());
        house.person(&email, role).await;
        for route in guarded() {
            put_back(&house, &email, role).await;
            // A fresh session each: signing out is a route, too.
            let browser = house.sign_in(&email, crate::house::PASSWORD).await.unwrap();
            let answer = call(&house, &browser, &route, &Ids::of_nothing().fill(&route)).await;
            let allowed = match route.rule {
                Rule::May(action) => role.may(action),
                Rule::InstanceOwner => false,
                _ => true,
            };
            let at = format!("{} {} as {}", route.method, route.path, role.name());
            assert_eq!(answer.status == StatusCode::FORBIDDEN, !allowed, "{at}: {} {}", answer.status, answer.body);
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{at}");
            let ends_the_session = ["/sign-out", "/settings/leave"].contains(&route.path);
            assert!(!answer.location().starts_with("/sign-in") || ends_the_session, "{at}");
            assert!(!answer.status.is_server_error(), "{at}: {} {}", answer.status, answer.body);
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn owning_the_instance_gives_its_routes_and_nothing_in_a_workspace(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    house.owner().await;
    house.person("host@example.com", Role::Viewer).await;
    for route in guarded() {
        put_back(&house, "host@example.com", Role::Viewer).await;
        sqlx::query("update person set instance_owner = true where email = 'host@example.com'")
            .execute(house.pool())
            .await
            .unwrap();
        let browser = house.sign_in("host@example.com", crate::house::PASSWORD).await.unwrap();
        let answer = call(&house, &browser, &route, &Ids::of_nothing().fill(&route)).await;
        let allowed = match route.rule {
            Rule::May(action) => Role::Viewer.may(action),
            _ => true,
        };
        let at = format!("{} {}", route.method, route.path);
        assert_eq!(answer.status == StatusCode::FORBIDDEN, !allowed, "{at}: {} {}", answer.status, answer.body);
        assert!(!answer.status.is_server_error(), "{at}: {} {}", answer.status, answer.body);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn another_workspace_s_things_are_not_there(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let (workspace, neighbour) = house.neighbour("next@example.com").await;
    let theirs = Ids::planted(house.pool(), workspace).await;
    let mut seen_by_their_owner = 0;
    // Who owns the instance sees all people and workspaces; nobody else sees those routes.
    for route in guarded().filter(names_things).filter(|route| route.rule != Rule::InstanceOwner) {
        let at = format!("{} {}", route.method, route.path);
        let (foreign, nothing) = (theirs.fill(&route), Ids::of_nothing().fill(&route));
        let answer = call(&house, &owner, &route, &foreign).await;
        assert!(!answer.status.is_success() && !answer.status.is_redirection(), "{at} answered {}", answer.status);
        let missing = call(&house, &owner, &route, &nothing).await;
        assert_eq!(answer.status, missing.status, "{at} tells another workspace's id from one that never was");
        let plain = |answer: &Answer, path: &str| without_request_numbers(&answer.body).replace(path, "");
        assert_eq!(
            plain(&answer, &foreign),
            plain(&missing, &nothing),
            "{at} tells another workspace's id from one that never was"
        );
        if route.method == Method::GET {
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{at}");
            // The walk has teeth only if the ids are of things that are there.
            seen_by_their_owner += usize::from(call(&house, &neighbour, &route, &foreign).await.status != StatusCode::NOT_FOUND);
        }
    }
    assert!(seen_by_their_owner >= 6, "their owner sees only {seen_by_their_owner} of these pages");
    let untouched: bool =
        sqlx::query_scalar("select name = 'Planted' and state = 'published' and revision = 0 from workflow where id = $1")
            .bind(theirs.workflow.0)
            .fetch_one(house.pool())
            .await
            .unwrap();
    assert!(untouched, "a call from another workspace changed the workflow");
    let untouched: bool = sqlx::query_scalar(
        "select exists (select from member where person_id = $1 and role = 'operator')
            and exists (select from invitation where id = $2 and revoked_at is null)
            and exists (select from session where id_hash = $3) and exists (select from api_token where token_hash = $3)",
    )
    .bind(theirs.person.0)
    .bind(theirs.invitation)
    .bind(theirs.session.as_slice())
    .fetch_one(house.pool())
    .await
    .unwrap();
    assert!(untouched, "a call from another workspace changed its people");
    let untouched: bool = sqlx::query_scalar(
        "select exists (select from data_table where id = $1 and name = 'Planted' and row_count = 1)
            and exists (select from data_row where table_id = $1 and document = '{\"c1\": \"Planted\"}')
            and (select count(*) from data_row) = 1",
    )
    .bind(theirs.table.0)
    .fetch_one(house.pool())
    .await
    .unwrap();
    assert!(untouched, "a call from another workspace changed its tables");
}

fn rand_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    bytes[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    bytes
}

/// The body without UUIDs, which differ in each answer.
fn without_request_numbers(body: &str) -> String {
    body.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| Uuid::parse_str(word).is_err())
        .collect::<Vec<_>>()
        .join(" ")
}

#[sqlx::test(migrations = "../migrations")]
async fn nothing_changes_without_the_session_s_token_or_from_another_site(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    let (_, neighbour) = house.neighbour("next@example.com").await;
    for route in guarded().filter(|route| route.method != Method::GET) {
        let at = format!("{} {}", route.method, route.path);
        let path = Ids::of_nothing().fill(&route);
        for stolen in [String::new(), neighbour.csrf.clone()] {
            let answer = call(&house, &Browser { csrf: stolen, ..owner.clone() }, &route, &path).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{at} without the token");
        }
        for (name, value) in [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
            let request = owner.request(route.method.clone(), &path).header("x-csrf-token", &owner.csrf).header(name, value);
            let answer = house.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{at} with {name}: {value}");
        }
    }
    // Signing somebody in from another site is refused as well.
    for path in ["/sign-in", "/setup", "/invitations/x", "/reset/x"] {
        let request = Browser::default().request(Method::POST, path).header("origin", "http://evil.example");
        let request = request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("email=a&password=b"))
            .unwrap();
        assert_eq!(house.send(request).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn every_answer_carries_the_headers_that_protect_it(pool: PgPoolOptions, options: PgConnectOptions) {
    let house = House::build(pool, options).await;
    let owner = house.owner().await;
    for route in routes::all().table.into_iter().filter(|route| route.method == Method::GET) {
        let answer = call(&house, &owner, &route, &Ids::of_nothing().fill(&route)).await;
        let header = |name: &str| answer.headers.get(name).map_or("", |value| value.to_str().unwrap());
        let at = route.path;
        let policy = header("content-security-policy");
        assert!(
            !policy.contains("unsafe") && (policy.contains("default-src 'none'") || policy.contains("sandbox")),
            "{at}: {policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'") || at.starts_with("/forms/"), "{at}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{at}");
        assert_ne!(header("referrer-policy"), "", "{at}");
        assert_ne!(header("x-request-id"), "", "{at}");
        assert_eq!(header("strict-transport-security"), "", "{at}: plain http");
        if !at.starts_with("/assets/") || !answer.status.is_success() {
            // What a shared cache may keep is nobody's data.
            let kept = header("cache-control");
            assert!(["no-store", "no-cache", "private"].iter().any(|word| kept.contains(word)), "{at}: {kept}");
        }
    }
}
