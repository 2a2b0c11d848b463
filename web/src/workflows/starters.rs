//! Three workflows to start from. Each is complete but for what only its owner knows (an address, a URL); the builder's checklist
//! asks for that.

use towpath_engine::workflow::Workflow;

/// A card of the gallery.
pub struct Starter {
    /// Names it in the form.
    pub key: &'static str,
    pub title: &'static str,
    pub text: &'static str,
    /// Icons of its steps, in order.
    pub icons: &'static [&'static str],
    document: &'static str,
}

pub static STARTERS: [Starter; 3] = [
    Starter {
        key: "contact-form",
        title: "Contact form → e-mail",
        text: "A page with a form for anybody; each message reaches you by e-mail, ready to reply to.",
        icons: &["form", "mail"],
        document: r#"{
            "towpath": 1,
            "name": "Contact form",
            "trigger": {
                "id": "trigger", "use": "form", "title": "When somebody writes to us",
                "input": {
                    "title": "Contact us",
                    "description": "Write to us and we will answer by e-mail.",
                    "fields": [
                        { "name": "name", "label": "Your name", "kind": "text", "required": true },
                        { "name": "email", "label": "Your e-mail address", "kind": "email", "required": true },
                        { "name": "message", "label": "Your message", "kind": "long_text", "required": true }
                    ],
                    "submit_label": "Send",
                    "after": "message",
                    "thank_you": "Thank you. We will answer soon."
                }
            },
            "steps": [
                {
                    "id": "send", "use": "email.send", "title": "Send the message to me",
                    "input": {
                        "reply_to": "{{ trigger.body.email }}",
                        "subject": "Message from {{ trigger.body.name }}",
                        "text": "{{ trigger.body.name }} ({{ trigger.body.email }}) wrote:\n\n{{ trigger.body.message }}"
                    }
                }
            ]
        }"#,
    },
    Starter {
        key: "branch",
        title: "Webhook → branch → HTTP call",
        text: "Takes orders from another program, and calls a service when an order is over 100.",
        icons: &["webhook", "branch", "globe"],
        document: r#"{
            "towpath": 1,
            "name": "Large orders",
            "trigger": { "id": "trigger", "use": "webhook", "title": "When an order arrives", "input": { "methods": ["POST"], "respond": "at_once" } },
            "steps": [
                {
                    "id": "size", "use": "branch", "title": "How large is the order?",
                    "cases": [
                        {
                            "title": "the total is over 100",
                            "if": { "all": [ { "value": "{{ trigger.body.total }}", "is": "greater_than", "to": 100 } ] },
                            "steps": [
                                {
                                    "id": "tell", "use": "http.request", "title": "Tell the other service",
                                    "input": {
                                        "method": "POST",
                                        "body_kind": "json",
                                        "json": { "order": "{{ trigger.body.id }}", "total": "{{ trigger.body.total }}" }
                                    }
                                }
                            ]
                        }
                    ],
                    "otherwise": { "steps": [] }
                }
            ]
        }"#,
    },
    Starter {
        key: "answer",
        title: "Webhook → answer",
        text: "A small service: another program asks by HTTP and gets an answer that you put together.",
        icons: &["webhook", "reply"],
        document: r#"{
            "towpath": 1,
            "name": "Answer requests",
            "trigger": {
                "id": "trigger", "use": "webhook", "title": "When a request arrives",
                "input": { "methods": ["POST"], "respond": "when_done", "timeout": "30s" }
            },
            "steps": [
                {
                    "id": "greeting", "use": "set", "title": "Write a greeting",
                    "input": { "fields": { "text": "Hello {{ trigger.body.name | default('stranger') }}" } }
                },
                {
                    "id": "answer", "use": "respond", "title": "Answer with it",
                    "input": { "status": 200, "kind": "json", "json": { "greeting": "{{ steps.greeting.text }}" } }
                }
            ]
        }"#,
    },
];

impl Starter {
    /// The workflow that the card starts with.
    pub fn workflow(&self) -> Workflow {
        serde_json::from_str(self.document).expect("a test reads every starter")
    }

    pub fn of_key(key: &str) -> Option<&'static Self> {
        STARTERS.iter().find(|starter| starter.key == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_starter_is_a_document_of_this_format_with_icons_that_exist() {
        for starter in &STARTERS {
            let workflow = starter.workflow();
            assert_eq!(workflow.towpath, towpath_engine::workflow::FORMAT);
            assert!(workflow.trigger.is_some() && !workflow.steps.is_empty(), "{}", starter.key);
            assert!(starter.icons.iter().all(|icon| crate::icon_exists(icon)), "{}", starter.key);
        }
    }
}
