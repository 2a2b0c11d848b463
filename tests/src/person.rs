//! A person with a browser's cookies: signs in as people do, and uses the JSON addresses that the pages use.

use crate::TestApp;
use reqwest::{Client, ClientBuilder, Response, StatusCode, redirect::Policy};
use serde_json::{Value, json};

/// Somebody who is signed in.
pub struct Person {
    pub url: String,
    pub http: Client,
    csrf: String,
}

/// The owner that [`Person::set_up`] makes.
pub const EMAIL: &str = "ada@example.com";
pub const PASSWORD: &str = "analytical engine 1843";

/// A browser's cookies and habits, for tests that add a certificate authority or a name.
pub fn browser() -> ClientBuilder {
    Client::builder().cookie_store(true).redirect(Policy::limited(5)).no_proxy()
}

fn client() -> Client {
    browser().build().expect("a client can be made")
}

impl Person {
    /// Makes the owner's account with the token that the terminal printed.
    pub async fn set_up(app: &TestApp) -> Self {
        Self::set_up_at(app, &app.url, client()).await
    }

    /// As [`Person::set_up`], at another of the server's addresses and with a client of one's own.
    pub async fn set_up_at(app: &TestApp, url: &str, http: Client) -> Self {
        let setup = app.setup_url().await;
        let token = setup.split_once("token=").expect("the address holds a token").1.to_owned();
        let form = [
            ("token", token.as_str()),
            ("name", "Ada Lovelace"),
            ("email", EMAIL),
            ("password", PASSWORD),
            ("time_zone", "Europe/London"),
        ];
        let answer = http.post(format!("{url}/setup")).form(&form).send().await.expect("the server answers");
        assert!(answer.status().is_success(), "setup answered {}: {}", answer.status(), answer.text().await.unwrap_or_default());
        Self::arrived(url, http).await
    }

    /// Signs in with a password.
    pub async fn sign_in(app: &TestApp, email: &str, password: &str) -> Result<Self, StatusCode> {
        Self::sign_in_at(&app.url, client(), email, password).await
    }

    /// As [`Person::sign_in`], at another of the server's addresses and with a client of one's own.
    pub async fn sign_in_at(url: &str, http: Client, email: &str, password: &str) -> Result<Self, StatusCode> {
        let form = [("email", email), ("password", password), ("next", "/workflows")];
        let answer = http.post(format!("{url}/sign-in")).form(&form).send().await.expect("the server answers");
        if !answer.status().is_success() {
            return Err(answer.status());
        }
        Ok(Self::arrived(url, http).await)
    }

    async fn arrived(url: &str, http: Client) -> Self {
        let page = http.get(format!("{url}/workflows")).send().await.expect("the server answers").text().await.expect("a page");
        let csrf = page
            .split_once("name=\"csrf-token\" content=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .unwrap_or_else(|| panic!("a signed-in page holds a token:\n{page}"))
            .0
            .to_owned();
        Self { url: url.to_owned(), http, csrf }
    }

    /// The token of this person's pages.
    pub fn csrf(&self) -> &str {
        &self.csrf
    }

    pub async fn get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.url)).send().await.expect("the server answers")
    }

    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "GET {path} answered {status}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("GET {path} is not JSON ({e}): {text}"))
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.http.post(format!("{}{path}", self.url)).header("x-csrf-token", &self.csrf).json(body);
        request.send().await.expect("the server answers")
    }

    pub async fn put(&self, path: &str, body: &Value) -> Response {
        let request = self.http.put(format!("{}{path}", self.url)).header("x-csrf-token", &self.csrf).json(body);
        request.send().await.expect("the server answers")
    }

    /// Posts a page's form, with the token that the page would hold.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", self.csrf.as_str())]).collect();
        self.http.post(format!("{}{path}", self.url)).form(&fields).send().await.expect("the server answers")
    }

    /// Posts, expects success, and returns the JSON answer.
    pub async fn done(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body).await;
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "POST {path} answered {status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Builds a workflow by the operations that the builder sends; it stays a draft.
    pub async fn draft(&self, document: &Value) -> Draft {
        let name = document["name"].as_str().unwrap_or("A workflow");
        let made = self.done("/api/v1/workflows", &json!({ "name": name })).await;
        let id = made["id"].as_str().expect("a workflow has an id").to_owned();
        let mut operations = vec![json!({ "op": "set_trigger", "trigger": document["trigger"] })];
        for (index, step) in document["steps"].as_array().into_iter().flatten().enumerate() {
            operations.push(json!({ "op": "add_step", "at": { "index": index }, "step": step }));
        }
        let base = made["revision"].as_i64().unwrap_or(0);
        self.done(&format!("/api/v1/workflows/{id}/edits"), &json!({ "base": base, "operations": operations })).await;
        let trigger = self.json(&format!("/api/v1/workflows/{id}/trigger")).await;
        Draft { hook: trigger["url"].as_str().map(str::to_owned), id }
    }

    /// Builds and publishes a workflow.
    pub async fn publish(&self, document: &Value) -> Draft {
        let draft = self.draft(document).await;
        self.done(&format!("/api/v1/workflows/{}/publish", draft.id), &json!({})).await;
        draft
    }
}

/// A workflow that a test built.
#[derive(Clone, Debug)]
pub struct Draft {
    pub id: String,
    hook: Option<String>,
}

impl Draft {
    /// The address of its webhook.
    pub fn hook(&self) -> &str {
        self.hook.as_deref().expect("its trigger has an address")
    }
}
