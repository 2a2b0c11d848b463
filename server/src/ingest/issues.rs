//! What keeps a trigger from being published: settings that can't be used, and callers nobody could verify.

use super::{
    poll, questions,
    webhook::settings::{Auth, Settings, Wrong},
};
use towpath_connectors::{
    registry::Registry,
    sdk::{poll::CHECK_EVERY, receive::Address},
    triggers::question::QuestionKind,
};
use towpath_engine::{
    Json,
    plan::CALLED,
    schedule::Schedule,
    validate::{Issue, Severity},
    workflow::{Span, Trigger},
};
use url::Url;

/// Everything that is wrong with a trigger, each at its input field. `secret_set`: does its endpoint have a secret? For triggers
/// that verify their callers, a missing secret is an issue at `auth`.
pub fn trigger_issues(trigger: &Trigger, registry: &Registry, secret_set: bool) -> Vec<Issue> {
    let mut wrong = match trigger.operation.as_str() {
        "webhook" => webhook(trigger, secret_set),
        "form" => form(trigger),
        "manual" | CALLED => said("inputs", questions::mistakes(trigger.input.get("inputs"), &QuestionKind::IN_A_MANUAL_RUN)),
        "schedule" => schedule(trigger),
        _ if needs_secret(trigger, registry) && !secret_set => {
            let message = "Set the secret that the service signs with. Until then nobody is let in.";
            vec![Wrong { field: "auth", message: message.into() }]
        }
        _ => Vec::new(),
    };
    wrong.extend(pause(trigger));
    let issue = |it: Wrong| Issue {
        step: Some(trigger.id.clone()),
        field: Some(it.field.to_owned()),
        message: it.message,
        severity: Severity::Blocks,
    };
    wrong.into_iter().map(issue).collect()
}

/// Does this trigger verify its callers by a secret of its endpoint? One that looks for news as well works without.
pub fn needs_secret(trigger: &Trigger, registry: &Registry) -> bool {
    if let Some(receive) = registry.receive(&trigger.operation) {
        let own = receive.address() == Address::Workflow && !receive.secrets().is_empty();
        return own && registry.poll(&trigger.operation).is_none();
    }
    trigger.operation == "webhook" && Settings::read(&trigger.input).is_ok_and(|settings| !matches!(settings.auth, Auth::None))
}

fn webhook(trigger: &Trigger, secret_set: bool) -> Vec<Wrong> {
    match Settings::read(&trigger.input) {
        Err(wrong) => wrong,
        Ok(settings) => settings.secret_missing().filter(|_| !secret_set).into_iter().collect(),
    }
}

fn form(trigger: &Trigger) -> Vec<Wrong> {
    let mut wrong = said("fields", questions::mistakes(trigger.input.get("fields"), &QuestionKind::IN_A_FORM));
    if questions::read(trigger.input.get("fields")).is_empty() {
        wrong.push(Wrong { field: "fields", message: "The form asks nothing yet. Add at least one question.".into() });
    }
    if trigger.input.get("after").and_then(Json::as_str) == Some("redirect") && redirect(trigger).is_none() {
        let message = "Say in full where the visitor goes after sending, as https://example.com/thanks.".into();
        wrong.push(Wrong { field: "redirect", message });
    }
    wrong
}

fn schedule(trigger: &Trigger) -> Vec<Wrong> {
    let wrong = Schedule::read(&trigger.input).err().unwrap_or_default();
    wrong.into_iter().map(|it| Wrong { field: it.field, message: it.message }).collect()
}

/// The pause between two looks of a trigger that asks for news.
fn pause(trigger: &Trigger) -> Option<Wrong> {
    let said: Span = trigger.input.get(CHECK_EVERY)?.as_str()?.parse().ok()?;
    (said.0 < poll::SHORTEST).then(|| {
        let message = format!("Look every {} seconds at most: services turn away who asks more often.", poll::SHORTEST.as_secs());
        Wrong { field: CHECK_EVERY, message }
    })
}

fn redirect(trigger: &Trigger) -> Option<Url> {
    let url = Url::parse(trigger.input.get("redirect")?.as_str()?.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn said(field: &'static str, messages: Vec<String>) -> Vec<Wrong> {
    messages.into_iter().map(|message| Wrong { field, message }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn issues(operation: &str, input: Json, secret_set: bool) -> Vec<String> {
        let mut trigger = Trigger::new(operation);
        trigger.input = input.as_object().unwrap().clone();
        trigger_issues(&trigger, &Registry::built_in(), secret_set).into_iter().filter_map(|it| it.field).collect()
    }

    #[test]
    fn a_trigger_that_verifies_its_callers_is_not_complete_without_a_secret() {
        for auth in [
            json!({ "auth": "basic", "basic_user": "ada" }),
            json!({ "auth": "header" }),
            json!({ "auth": "standard_webhooks" }),
            json!({ "auth": "hmac", "preset": "github" }),
            json!({ "auth": "hmac", "preset": "gitlab" }),
            json!({ "auth": "hmac", "preset": "custom", "hmac_header": "x-sig" }),
        ] {
            assert_eq!(issues("webhook", auth.clone(), false), ["auth"], "{auth}");
            assert!(issues("webhook", auth, true).is_empty());
        }
        assert!(issues("webhook", json!({}), false).is_empty());
    }

    #[test]
    fn a_schedule_that_never_comes_and_a_look_too_often_are_said_at_their_fields() {
        assert_eq!(issues("schedule", json!({ "repeat": "cron", "cron": "0 0 31 2 *", "zone": "UTC" }), false), ["cron"]);
        assert_eq!(issues("schedule", json!({}), false), ["zone"]);
        assert!(issues("schedule", json!({ "zone": "UTC" }), false).is_empty());
        assert_eq!(issues("feed.new_item", json!({ "check_every": "1s" }), false), ["check_every"]);
        assert!(issues("feed.new_item", json!({ "check_every": "5m" }), false).is_empty());
    }

    #[test]
    fn a_form_asks_something_and_leads_somewhere() {
        let fields = json!([{ "name": "a", "label": "A" }]);
        assert_eq!(issues("form", json!({}), false), ["fields"]);
        assert!(issues("form", json!({ "fields": fields }), false).is_empty());
        assert_eq!(
            issues("form", json!({ "fields": fields, "after": "redirect", "redirect": "javascript:1" }), false),
            ["redirect"]
        );
    }
}
