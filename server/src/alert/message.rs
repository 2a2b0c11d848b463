//! What is said of failed runs and of refused connections. Pure.

use crate::store::{alerts::Due, connection_notices};
use serde_json::{Value as Json, json};

/// One message: as a mail, and as the body that is posted to a URL.
pub struct Message {
    /// The mail's own id: the same message twice is one.
    pub id: String,
    pub subject: String,
    pub text: String,
    body: Json,
}

impl Message {
    /// About the failures of one workflow.
    pub fn of(due: &Due, public_url: &str) -> Self {
        let base = public_url.trim_end_matches('/');
        let link = format!("{base}/runs/{}", due.run);
        let reason = due.reason.clone().unwrap_or_else(|| "The run's page says why.".into());
        let subject = match due.failures {
            1 => format!("A run of \"{}\" failed", due.name),
            n => format!("{n} runs of \"{}\" failed", due.name),
        };
        let text = format!(
            "{subject}.\n\n{}{reason}\n\nThe run: {link}\nAll failed runs: {base}/runs?workflow={}&state=failed\n\nYou get at most one of these per \
             workflow in ten minutes. Who gets them is set under Settings.\n",
            if due.failures == 1 { "" } else { "The last one: " },
            due.workflow,
        );
        let body = json!({
            "event": "run.failed",
            "text": format!("{subject}: {reason} {link}"),
            "workflow": { "id": due.workflow.to_string(), "name": due.name },
            "run": { "id": due.run.to_string(), "url": link },
            "failures": due.failures,
            "reason": reason,
        });
        Self { id: format!("failed-{}@towpath", due.run), subject, text, body }
    }

    /// About a connection that its service refuses.
    pub fn of_connection(due: &connection_notices::Due, public_url: &str) -> Self {
        let link = format!("{}/connections/{}", public_url.trim_end_matches('/'), due.connection);
        let subject = format!("The connection \"{}\" is refused by its service", due.name);
        let reason = due.reason.clone().unwrap_or_else(|| "The service doesn't take its secrets any more.".into());
        let runs = match due.runs {
            0 => "Runs that need it will wait; none is lost.".to_owned(),
            1 => "One run waits for it; it is not lost.".to_owned(),
            n => format!("{n} runs wait for it; none is lost."),
        };
        let text = format!(
            "{subject}.\n\n{reason}\n\n{runs} Enter its secrets again, or test it if it was mended at the service: the runs go on by themselves \
             then.\n\nThe connection: {link}\n\nYou get this once, until it works again and is refused again.\n"
        );
        let body = json!({
            "event": "connection.refused",
            "text": format!("{subject}: {reason} {runs} {link}"),
            "connection": { "id": due.connection.to_string(), "name": due.name, "url": link },
            "waiting_runs": due.runs,
            "reason": reason,
        });
        let id = format!("refused-{}-{}@towpath", due.connection, due.before.map_or(0, |at| at.timestamp()));
        Self { id, subject, text, body }
    }

    /// The body that is posted to a URL.
    pub fn json(&self) -> Vec<u8> {
        self.body.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_engine::ids::{ConnectionId, RunId, WorkflowId, WorkspaceId};

    #[test]
    fn a_message_names_the_workflow_the_reason_and_the_way_there() {
        let due = Due {
            workspace: WorkspaceId::new(),
            workflow: WorkflowId::new(),
            name: "New order".into(),
            mail: None,
            url: None,
            run: RunId::new(),
            failures: 3,
            reason: Some("The shop answered 404.".into()),
            until: chrono::DateTime::UNIX_EPOCH,
            before: None,
        };
        let message = Message::of(&due, "https://towpath.example/");
        assert_eq!(message.subject, "3 runs of \"New order\" failed");
        assert!(message.text.contains("The last one: The shop answered 404."));
        assert!(message.text.contains(&format!("https://towpath.example/runs/{}", due.run)));
        let json: serde_json::Value = serde_json::from_slice(&message.json()).unwrap();
        assert_eq!((&json["event"], &json["failures"]), (&"run.failed".into(), &3.into()));
    }

    #[test]
    fn a_refused_connections_owner_is_told_what_waits_and_what_to_do() {
        let due = connection_notices::Due {
            workspace: WorkspaceId::new(),
            connection: ConnectionId::new(),
            name: "CRM".into(),
            reason: Some("It answered 401.".into()),
            runs: 2,
            mail: None,
            url: None,
            before: None,
        };
        let message = Message::of_connection(&due, "https://towpath.example/");
        assert!(message.text.contains("It answered 401.") && message.text.contains("2 runs wait for it"));
        assert!(message.text.contains(&format!("https://towpath.example/connections/{}", due.connection)));
        let json: serde_json::Value = serde_json::from_slice(&message.json()).unwrap();
        assert_eq!((&json["event"], &json["waiting_runs"]), (&"connection.refused".into(), &2.into()));
    }
}
