//! The command line against a running server: a fresh instance is set up, filled, looked at and kept without a browser.

use serde_json::Value;
use std::time::Duration;
use towpath_tests::{Ended, Folder, TestApp, until};

/// A terminal beside a server.
struct Terminal {
    app: TestApp,
    token: String,
}

impl Terminal {
    async fn at_a_fresh_server() -> Self {
        let app = TestApp::start().await;
        let added = app.command(&["user", "add", "ada@example.com", "--password-stdin"], &[], "a long password of Ada's\n");
        assert_eq!(added.code, Some(0), "{added:?}");
        let made = app.command(
            &[
                "token", "create", "--name", "cli", "--scope", "read", "--scope", "edit", "--scope", "publish", "--scope",
                "operate",
            ],
            &[],
            "",
        );
        assert_eq!(made.code, Some(0), "{made:?}");
        // The token alone, so that a script can take it.
        let token = made.output.trim_end().to_owned();
        assert!(token.starts_with("tp_") && !token.contains(char::is_whitespace), "{made:?}");
        Self { app, token }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.app.command(arguments, &[("TOWPATH_URL", &self.app.url), ("TOWPATH_TOKEN", &self.token)], "")
    }

    /// What a command prints that goes well and has nothing to remark.
    fn well(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert!(ended.code == Some(0) && ended.errors.is_empty(), "{arguments:?}: {ended:?}");
        ended.output
    }

    /// What a command says that is refused.
    fn refused(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert!(ended.code == Some(1) && ended.output.is_empty(), "{arguments:?}: {ended:?}");
        ended.errors
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let said = self.well(arguments);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{said}"))
    }

    async fn publish(&self, workflow: &str) {
        self.call(reqwest::Method::POST, &format!("workflows/{workflow}/publish"), "{}").await;
    }

    async fn call(&self, method: reqwest::Method, path: &str, body: &'static str) -> Value {
        let answer = reqwest::Client::new()
            .request(method, format!("{}/api/v1/{path}", self.app.url))
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .expect("it answers");
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap_or_default());
        answer.json().await.unwrap_or(Value::Null)
    }
}

const GREET: &str = "towpath: 1
name: Greet
trigger: { use: manual }
steps:
  - { id: greeting, use: set, input: { fields: { text: \"Hello {{ 1 + 1 }}\" } } }
";

const WAIT: &str = "towpath: 1
name: Wait
trigger: { use: manual }
steps:
  - { id: wait, use: delay, input: { mode: for, for: 1h } }
";

#[tokio::test]
async fn a_fresh_server_is_set_up_filled_and_looked_at_without_a_browser() {
    let terminal = Terminal::at_a_fresh_server().await;
    let folder = Folder::new("cli");
    let (greet, wait) = (folder.write("greet.yaml", GREET), folder.write("wait.yaml", WAIT));
    let (greet, wait) = (greet.to_str().unwrap(), wait.to_str().unwrap());

    let none = terminal.run(&["workflow", "list"]);
    assert!(none.code == Some(0) && none.output.is_empty() && none.errors.contains("no workflows yet"), "{none:?}");
    assert_eq!(terminal.json(&["workflow", "list", "--json"]), serde_json::json!([]));

    assert_eq!(terminal.well(&["workflow", "validate", greet]), "\"Greet\" can be published.\n");
    let id = terminal.well(&["workflow", "import", greet]).trim_end().to_owned();
    let listed = terminal.well(&["workflow", "list"]);
    assert_eq!(listed, format!("{id}  draft      Greet\n"));
    assert_eq!(terminal.json(&["workflow", "list", "--json"])[0]["id"], id.as_str());

    // What was exported is imported again as it was.
    let yaml = terminal.well(&["workflow", "export", &id]);
    let copy = folder.path().join("copy.yaml");
    assert_eq!(terminal.well(&["workflow", "export", &id, "--output", copy.to_str().unwrap()]), "");
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), yaml);
    let second = terminal.well(&["workflow", "import", copy.to_str().unwrap(), "--name", "Greet again"]).trim_end().to_owned();
    assert_eq!(terminal.well(&["workflow", "export", &second]), yaml.replace("name: Greet", "name: Greet again"));

    // Runs.
    let none = terminal.run(&["run", "list"]);
    assert!(none.code == Some(0) && none.output.is_empty() && none.errors.contains("no such runs"), "{none:?}");
    terminal.publish(&id).await;
    let started = terminal.call(reqwest::Method::POST, &format!("workflows/{id}/run"), "{}").await;
    let run = started["run"].as_str().expect("it started").to_owned();
    until("the run ends", Duration::from_secs(10), || async {
        (terminal.json(&["run", "show", &run, "--json"])["state"] == "succeeded").then_some(())
    })
    .await;
    let shown = terminal.well(&["run", "show", &run]);
    assert!(shown.starts_with(&format!("{run}  succeeded\n")) && shown.contains("\n  greeting "), "{shown}");
    let listed = terminal.well(&["run", "list", "--state", "succeeded", "--period", "hour", "--workflow", &id]);
    assert!(listed.lines().count() == 1 && listed.contains(&run) && listed.contains("Greet"), "{listed}");
    assert_eq!(terminal.json(&["run", "list", "--json"])["items"][0]["id"], run.as_str());
    let again = terminal.well(&["run", "replay", &run]).trim_end().to_owned();
    assert_eq!(terminal.json(&["run", "show", &again, "--json"])["replay_of"], run.as_str());
    let more = terminal.run(&["run", "list", "--limit", "1"]);
    assert!(more.output.lines().count() == 1 && more.errors.contains("There are more than 1"), "{more:?}");

    let waiting = terminal.well(&["workflow", "import", wait]).trim_end().to_owned();
    terminal.publish(&waiting).await;
    let started = terminal.call(reqwest::Method::POST, &format!("workflows/{waiting}/run"), "{}").await;
    let run = started["run"].as_str().expect("it started").to_owned();
    until("the step waits", Duration::from_secs(10), || async {
        let shown = terminal.well(&["run", "show", &run]);
        let line = shown.lines().find(|line| line.starts_with("  wait "))?;
        line.contains("waits until").then_some(())?;
        assert!(line.trim_end().ends_with(" UTC"), "it says until when: {shown}");
        Some(())
    })
    .await;
    assert_eq!(terminal.well(&["run", "cancel", &run]), "The run was cancelled.\n");
    until("the run ends", Duration::from_secs(10), || async {
        (terminal.json(&["run", "show", &run, "--json"])["state"] == "cancelled").then_some(())
    })
    .await;
    assert!(terminal.refused(&["run", "cancel", &run]).contains("had ended before"));
}

#[tokio::test]
async fn what_is_refused_is_said_in_a_sentence_and_by_the_exit_code() {
    let terminal = Terminal::at_a_fresh_server().await;
    let folder = Folder::new("cli-refused");
    let nobody = "0199a8f0-0000-7000-8000-000000000001";
    assert!(terminal.refused(&["run", "show", nobody]).contains("(404)"));
    assert!(terminal.refused(&["run", "list", "--state", "lost"]).contains("There is no state \"lost\""));
    assert!(terminal.refused(&["workflow", "export", nobody]).contains("(404)"));
    assert!(terminal.refused(&["workflow", "import", "/nowhere.yaml"]).contains("/nowhere.yaml can't be read"));
    let broken = folder.write("broken.yaml", "towpath: 1\nname: Broken\nsteps: [{ id: a, use: set, inputs: {} }]\n");
    assert!(terminal.refused(&["workflow", "import", broken.to_str().unwrap()]).contains("inputs"));
    let unready = folder.write("unready.yaml", "towpath: 1\nname: Unready\nsteps: [{ id: a, use: http.request }]\n");
    let said = terminal.run(&["workflow", "validate", unready.to_str().unwrap()]);
    assert_eq!(said.code, Some(1));
    assert!(said.output.contains("wrong  a.url") && said.errors.contains("can't be published like this"), "{said:?}");
    // What clap itself refuses has a code of its own.
    assert_eq!(terminal.run(&["run", "show", "no-id"]).code, Some(2));
    assert_eq!(terminal.run(&["run", "list", "--limit", "500"]).code, Some(2));

    let url = [("TOWPATH_URL", terminal.app.url.as_str())];
    let nameless = terminal.app.command(&["run", "list"], &url, "");
    assert!(nameless.code == Some(1) && nameless.errors.starts_with("Say who asks"), "{nameless:?}");
    let wrong = [url[0], ("TOWPATH_TOKEN", "tp_00000000_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")];
    let wrong = terminal.app.command(&["run", "list"], &wrong, "");
    assert!(wrong.code == Some(1) && wrong.errors.starts_with("This token does not work."), "{wrong:?}");
    let reader = terminal.app.command(&["token", "create", "--name", "reader", "--scope", "read"], &[], "");
    let reader = [url[0], ("TOWPATH_TOKEN", reader.output.trim_end())];
    let refused = terminal.app.command(&["run", "cancel", nobody], &reader, "");
    assert!(refused.code == Some(1) && refused.errors.contains("has not the scope \"operate\""), "{refused:?}");
    let nowhere = [("TOWPATH_URL", "http://127.0.0.1:1"), ("TOWPATH_TOKEN", "tp_x")];
    let nowhere = terminal.app.command(&["run", "list"], &nowhere, "");
    assert!(nowhere.code == Some(1) && nowhere.errors.contains("http://127.0.0.1:1 could not be asked"), "{nowhere:?}");

    // Tokens are listed without themselves, and taken back by what names them.
    let listed = terminal.app.command(&["token", "list"], &[], "");
    assert!(listed.output.contains("cli") && !listed.output.contains(&terminal.token), "{listed:?}");
    let prefix = &terminal.token[3..11];
    assert_eq!(terminal.app.command(&["token", "revoke", prefix], &[], "").code, Some(0));
    assert!(terminal.refused(&["run", "list"]).starts_with("This token does not work."));
    assert_eq!(terminal.app.command(&["token", "revoke", prefix], &[], "").code, Some(1));
}

#[tokio::test]
async fn an_installation_is_kept_from_the_command_line() {
    let terminal = Terminal::at_a_fresh_server().await;
    let folder = Folder::new("cli-kept");
    let file = folder.path().join("today.towpath-backup");
    let made = terminal.well(&["backup", file.to_str().unwrap()]);
    assert!(made.contains("holds everything in the database") && made.contains("towpath keys export"), "{made}");
    let bytes = std::fs::metadata(&file).unwrap().len();
    assert!(
        (1_000..1_000_000).contains(&bytes) && made.contains(&format!("({}.", bytes / 1_000)) && made.contains(" kB)"),
        "{bytes}: {made}"
    );
    let again = terminal.run(&["backup", file.to_str().unwrap()]);
    assert!(again.code == Some(1) && !again.errors.is_empty(), "a backup overwrites none: {again:?}");

    // In the wrong directory, or on the wrong database, nothing is found, and that is not called everything.
    let wrong = folder.path().join("wrong");
    let nothing = folder.path().join("nothing.towpath-backup");
    for command in [
        vec!["backup", nothing.to_str().unwrap()],
        vec!["doctor"],
        vec!["migrate", "--check"],
        vec!["resume"],
        vec!["keys", "check"],
    ] {
        let ended = terminal.app.command(&command, &[("DATABASE_URL", ""), ("TOWPATH_DATA", wrong.to_str().unwrap())], "");
        let said = format!("{}{}", ended.output, ended.errors);
        assert!(ended.code == Some(1) && said.contains("There is no database in"), "{command:?}: {ended:?}");
        assert!(!wrong.exists() && !nothing.exists(), "{command:?} makes nothing");
    }
    let empty = towpath_tests::postgres::shared().await.empty_database().await.unwrap();
    let ended = terminal.app.command(&["backup", nothing.to_str().unwrap()], &[("DATABASE_URL", &empty)], "");
    assert!(
        ended.code == Some(1) && ended.errors.contains("Nothing of Towpath is in this database") && !nothing.exists(),
        "{ended:?}"
    );

    let doctor = terminal.run(&["doctor"]);
    // The tests' PostgreSQL does not wait for the disk: that one thing is broken, and the doctor finds it.
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    let bad: Vec<&str> = doctor.output.lines().filter(|line| line.starts_with("BAD")).collect();
    assert!(bad.len() == 1 && bad[0].starts_with("BAD   Durability"), "{bad:?}");
    assert!(doctor.output.contains("ok    Server") && doctor.errors.contains("Something is broken: see above."), "{doctor:?}");
    assert_eq!(terminal.run(&["healthcheck"]).code, Some(0));
    let checked = terminal.run(&["migrate", "--check"]);
    assert!(checked.code == Some(0) && !checked.output.trim().is_empty(), "{checked:?}");
    terminal.app.stop();
    assert_eq!(terminal.run(&["healthcheck"]).code, Some(1));
}

#[tokio::test]
async fn authors_of_connectors_list_check_make_and_try_them() {
    let terminal = Terminal::at_a_fresh_server().await;
    let folder = Folder::new("cli-connector");
    let listed = terminal.well(&["connector", "list"]);
    assert!(listed.contains("slack  Slack\n") && listed.contains("  slack.send_message "), "{listed}");
    let schema = terminal.json(&["connector", "schema"]);
    assert!(schema["properties"]["connector"].is_object(), "{schema}");
    let at = folder.path().to_str().unwrap();
    let made = terminal.well(&["connector", "new", "my_crm", "--directory", at]);
    assert!(made.contains("my_crm"), "{made}");
    let made = folder.path().join("my_crm");
    let checked = terminal.well(&["connector", "check", made.to_str().unwrap()]);
    assert!(checked.contains("is in order"), "{checked}");
    assert!(terminal.refused(&["connector", "new", "my_crm", "--directory", at]).contains("my_crm"), "nothing is overwritten");
    assert!(terminal.refused(&["connector", "new", "My CRM", "--directory", at]).contains("letters"));
    assert!(terminal.refused(&["connector", "check", "/nowhere"]).contains("/nowhere is not a connector's folder"));
    let manifest = made.join("connector.yaml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, format!("{text}\nsurprise: 1\n")).unwrap();
    assert!(terminal.refused(&["connector", "check", made.to_str().unwrap()]).contains("surprise"));
}
