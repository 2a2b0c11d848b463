//! What is said of failed runs. Pure.

use crate::store::alerts::Due;

/// One message about the failures of one workflow.
pub struct Message {
    pub run: String,
    pub subject: String,
    pub text: String,
    workflow: String,
    workflow_name: String,
    failures: i64,
    reason: String,
    link: String,
}

impl Message {
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
        Self {
            run: due.run.to_string(),
            subject,
            text,
            workflow: due.workflow.to_string(),
            workflow_name: due.name.clone(),
            failures: due.failures,
            reason,
            link,
        }
    }

    /// The body that is posted to a URL.
    pub fn json(&self) -> Vec<u8> {
        serde_json::json!({
            "event": "run.failed",
            "text": format!("{}: {} {}", self.subject, self.reason, self.link),
            "workflow": { "id": self.workflow, "name": self.workflow_name },
            "run": { "id": self.run, "url": self.link },
            "failures": self.failures,
            "reason": self.reason,
        })
        .to_string()
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_engine::ids::{RunId, WorkflowId, WorkspaceId};

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
        assert_eq!((json["failures"].as_i64(), json["workflow"]["name"].as_str()), (Some(3), Some("New order")));
    }
}
