//! Workflows with a trigger, as the tests of hooks, forms and manual starts need them.

use crate::house::{Answer, Browser, House};
use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};
use std::time::Duration;
use towpath_engine::ids::{WorkflowId, WorkspaceId};
use towpath_server::{
    live::Change,
    store::endpoints::{self, Kind},
};

/// A workflow with an address.
pub struct Placed {
    pub workspace: WorkspaceId,
    pub workflow: WorkflowId,
    /// `/hooks/…` or `/forms/…`; empty for manual starts.
    pub path: String,
}

/// Puts a workflow into the first workspace, which is made when there is none: `state` is `draft`, `published` or `paused`.
pub async fn place(house: &House, operation: &str, input: Value, steps: Value, state: &str) -> Placed {
    sqlx::query("insert into workspace (id, name) select $1, 'Ours' where not exists (select from workspace)")
        .bind(WorkspaceId::new().0)
        .execute(house.pool())
        .await
        .unwrap();
    let workspace: (uuid::Uuid,) =
        sqlx::query_as("select id from workspace order by id limit 1").fetch_one(house.pool()).await.unwrap();
    let (workspace, workflow) = (WorkspaceId(workspace.0), WorkflowId::new());
    let document = json!({
        "towpath": 1, "name": "Test", "trigger": { "id": "trigger", "use": operation, "input": input }, "steps": steps,
    });
    sqlx::query("insert into workflow (id, workspace_id, name, draft) values ($1, $2, 'Test', $3)")
        .bind(workflow.0)
        .bind(workspace.0)
        .bind(&document)
        .execute(house.pool())
        .await
        .unwrap();
    let mut path = String::new();
    if let Some(kind) = Kind::of_operation(operation, &house.app.registry) {
        let mut connection = house.pool().acquire().await.unwrap();
        let id = endpoints::ensure(&mut connection, workspace, workflow, kind).await.unwrap();
        path = format!("/{}/{id}", if kind == Kind::Webhook { "hooks" } else { "forms" });
    }
    let placed = Placed { workspace, workflow, path };
    if state != "draft" {
        placed.publish(house).await;
    }
    if state == "paused" {
        placed.set_state(house, "paused").await;
    }
    placed
}

impl Placed {
    pub async fn publish(&self, house: &House) {
        sqlx::query(
            "insert into workflow_version (workflow_id, version, workspace_id, document) select id, 1, workspace_id, draft from workflow where id = $1",
        )
        .bind(self.workflow.0)
        .execute(house.pool())
        .await
        .unwrap();
        sqlx::query("update workflow set state = 'published', published_version = 1, latest_version = 1, published_revision = 0 where id = $1")
            .bind(self.workflow.0)
            .execute(house.pool())
            .await
            .unwrap();
        self.announce(house);
    }

    pub async fn set_state(&self, house: &House, state: &str) {
        sqlx::query("update workflow set state = $2 where id = $1")
            .bind(self.workflow.0)
            .bind(state)
            .execute(house.pool())
            .await
            .unwrap();
        self.announce(house);
    }

    fn announce(&self, house: &House) {
        house.app.live.publish(Change::Workflow { workspace: self.workspace, workflow: self.workflow });
    }

    /// A path of the API below this workflow.
    pub fn api(&self, below: &str) -> String {
        format!("/api/v1/workflows/{}{below}", self.workflow)
    }

    pub async fn runs(&self, house: &House) -> i64 {
        sqlx::query_scalar("select count(*) from run where workflow_id = $1")
            .bind(self.workflow.0)
            .fetch_one(house.pool())
            .await
            .unwrap()
    }

    /// The last event that arrived, as expressions see it.
    pub async fn last_value(&self, house: &House, owner: &Browser) -> Value {
        let view = view(house, owner, self).await;
        let id = view["samples"][0]["id"].as_str().expect("there is a sample").to_owned();
        let answer = ask(house, owner, Method::GET, &self.api(&format!("/trigger/samples/{id}")), None).await;
        body(&answer)["value"].clone()
    }

    /// The reasons of the refused deliveries, newest first, once there are so many.
    pub async fn refusals(&self, house: &House, owner: &Browser, count: usize) -> Vec<String> {
        for _ in 0..200 {
            let view = view(house, owner, self).await;
            let refusals = view["refusals"].as_array().unwrap();
            if refusals.len() >= count {
                return refusals.iter().map(|it| it["reason"].as_str().unwrap().to_owned()).collect();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{count} refusals were not noted in time");
    }
}

pub fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
}

/// The trigger's card.
pub async fn view(house: &House, owner: &Browser, placed: &Placed) -> Value {
    let answer = ask(house, owner, Method::GET, &placed.api("/trigger"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    body(&answer)
}

/// A call of the API by a signed-in person's page.
pub async fn ask(house: &House, browser: &Browser, method: Method, path: &str, sent: Option<Value>) -> Answer {
    let request = browser
        .request(method, path)
        .header(header::ORIGIN, "http://localhost")
        .header("x-csrf-token", &browser.csrf)
        .header(header::CONTENT_TYPE, "application/json");
    house.send(request.body(sent.map_or_else(Body::empty, |sent| Body::from(sent.to_string()))).unwrap()).await
}

/// A request by a stranger.
pub async fn call(house: &House, method: Method, path: &str, headers: &[(&str, &str)], sent: impl Into<Body>) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    house.send(request.body(sent.into()).unwrap()).await
}

pub const JSON: (&str, &str) = ("content-type", "application/json");
