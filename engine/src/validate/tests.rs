use super::*;
use crate::{
    plan::Plan,
    rehearsal::{operations, random::workflows, workflow},
};
use proptest::prelude::*;
use serde_json::json;

/// What is said, as `step.field: message`, in order.
fn said(workflow: &Workflow) -> Vec<String> {
    let line = |issue: Issue| {
        let step = issue.step.map(|step| step.0).unwrap_or_default();
        let mark = if issue.severity == Severity::Warning { "?" } else { "" };
        format!("{step}.{}{mark}: {}", issue.field.unwrap_or_default(), issue.message)
    };
    validate(workflow, &operations()).into_iter().map(line).collect()
}

fn of(steps: &str) -> Vec<String> {
    said(&workflow(steps))
}

/// Exactly one thing is said, and it begins like this.
#[track_caller]
fn only(steps: &str, beginning: &str) {
    let said = of(steps);
    assert!(said.len() == 1 && said[0].starts_with(beginning), "expected one issue {beginning:?}…, got {said:#?}");
}

const SET: &str = "use: set, input: { fields: { a: 1 } }";

#[test]
fn a_workflow_in_order_has_no_issues() {
    let steps = "
  - { id: total, use: set, input: { fields: { total: '{{ trigger.body.total | number }}' } } }
  - { id: gate, use: filter, if: { value: '{{ steps.total.total }}', is: greater_than, to: 100 } }
  - { id: wait, use: delay, input: { for: 10m } }
  - { id: post, use: http.request, input: { method: POST, url: 'https://a.example/{{ run.id }}', body_kind: json, json: { at: '{{ now }}' } }, retry: { attempts: 3 }, timeout: 10s }
  - { id: mail, use: email.send, input: { to: 'ada@example.com, Bob <bob@example.com>', attachments: '{{ trigger.body.file }}' } }";
    assert_eq!(of(steps), Vec::<String>::new());
}

#[test]
fn what_is_missing_is_named() {
    let empty = Workflow::new(" ");
    assert_eq!(
        said(&empty),
        [
            ".name: Give the workflow a name.",
            ".?: Add a step: so far nothing happens when the workflow starts.",
            ".: Choose what starts this workflow: it has no trigger yet.",
        ]
    );
    only("  - { id: a, use: http.request }", "a.url: Fill in “url”.");
    only("  - { id: a, use: http.request, input: { url: 'https://a.example', body_kind: json } }", "a.json: Fill in “json”.");
    only("  - { id: a, use: set, input: { fields: {} } }", "a.fields: Fill in");
    only("  - { id: a, use: filter }", "a.if: Say on which condition");
    only("  - { id: a, use: branch }", "a.cases: Add a case");
}

#[test]
fn fields_that_the_form_does_not_show_are_not_checked() {
    assert_eq!(
        of("  - { id: a, use: http.request, input: { url: 'https://a.example', json: '{{ nonsense(' } }"),
        Vec::<String>::new()
    );
}

#[test]
fn ids_and_operations_are_checked() {
    only(&format!("  - {{ id: a, {SET} }}\n  - {{ id: a, {SET} }}"), "a.id: Another step has the id \"a\"");
    only(&format!("  - {{ id: No Slug, {SET} }}"), "No Slug.id: A step's id has lower-case letters");
    only(&format!("  - {{ id: trigger, {SET} }}"), "trigger.id: Only the trigger");
    only(
        "  - { id: a, use: http.reqest }",
        "a.use: There is no step called \"http.reqest\" here. Did you mean \"http.request\"?",
    );
    only("  - { id: a, use: webhook }", "a.use: A trigger can't be a step");
    only(&format!("  - {{ id: a, {SET}, connection: crm }}"), "a.connection: “set” works without a connection");
    only(&format!("  - {{ id: a, {SET}, if: {{ all: [] }} }}"), "a.if: Only a filter");
    only(&format!("  - {{ id: a, {SET}, otherwise: {{ steps: [ {{ id: b, {SET} }} ] }} }}"), "a.cases: Only a branch");
}

#[test]
fn constant_values_must_be_of_their_kind() {
    let http = |rest: &str| format!("  - {{ id: a, use: http.request, input: {{ url: 'https://a.example', {rest} }} }}");
    only(&http("method: FETCH"), "a.method: \"FETCH\" is not a choice here. Choose one of: GET,");
    only(&http("keyed: 'yes'"), "a.keyed: “keyed” is either on or off");
    only(&http("limit: many"), "a.limit: “limit” takes a number");
    only("  - { id: a, use: http.request, input: { url: [1] } }", "a.url: “url” takes a text");
    only("  - { id: a, use: delay, input: { for: soon } }", "a.for: \"soon\" is not a length of time");
    only("  - { id: a, use: delay, input: { mode: until, until: tomorrow-ish } }", "a.until: ");
    only("  - { id: a, use: email.send, input: { to: ada at example } }", "a.to: \"ada at example\" is not an e-mail address");
    only("  - { id: a, use: email.send, input: { to: a@example.com, attachments: report.pdf } }", "a.attachments: ");
    only("  - { id: a, use: set, input: { fields: [1] } }", "a.fields: “fields” takes names and values");
    only(&http("colour: red"), "a.colour?: “http request” has no field \"colour\"");
}

#[test]
fn settings_have_bounds() {
    only(&format!("  - {{ id: a, {SET}, retry: {{ attempts: 0 }} }}"), "a.retry: A step is tried");
    only(&format!("  - {{ id: a, {SET}, retry: {{ attempts: 2, first: 10m, max: 1m }} }}"), "a.retry: The first wait (10m)");
    only(&format!("  - {{ id: a, {SET}, timeout: 0s }}"), "a.timeout: ");
    only(&format!("  - {{ id: a, {SET}, timeout: 2d }}"), "a.timeout: ");
    only(&format!("  - {{ id: a, {SET}, title: {} }}", "x".repeat(201)), "a.title: The title has 201");
}

#[test]
fn expressions_compile_and_name_what_is_there_before_them() {
    let uses = |expression: &str| {
        format!(
            "  - {{ id: a, {SET} }}\n  - {{ id: b, use: set, input: {{ fields: {{ x: '{{{{ {expression} }}}}' }} }} }}\n  - {{ id: c, {SET} }}"
        )
    };
    assert_eq!(of(&uses("steps.a.a + vars.x")), Vec::<String>::new());
    only(&uses("steps.a.a +"), "b.fields.x: ");
    only(&uses("steps.b.a"), "b.fields: A step can't use its own result");
    only(&uses("steps.c.a"), "b.fields: “c” comes after this step");
    only(&uses("steps.aa.x"), "b.fields: There is no step with the id \"aa\" (any more). Did you mean \"a\"?");
    only(&uses("steps[\"nope\"].x"), "b.fields: There is no step with the id \"nope\"");
    only(&uses("triger.body"), "b.fields.x: {{ triger.body }}: “triger” is not known here.");
    only(&uses("a.a"), "b.fields.x: {{ a.a }}: “a” is not known here.");
    only(&uses("item.name"), "b.fields: “item” is only there inside a “For each”");
}

#[test]
fn conditions_are_checked_at_their_place() {
    only("  - { id: f, use: filter, if: { all: [ { value: '{{ steps.x.y }}', is: exists } ] } }", "f.if: There is no step");
    only("  - { id: f, use: filter, if: { all: [ { value: '{{ 1 + }}', is: exists } ] } }", "f.if.all[0].value: ");
    only(
        &format!(
            "  - {{ id: b, use: branch, cases: [ {{ if: {{ expression: 'nope > 1' }}, steps: [ {{ id: x, {SET} }} ] }} ] }}"
        ),
        "b.cases[0].if.expression: {{ nope > 1 }}: “nope” is not known here.",
    );
    only(
        &format!("  - {{ id: b, use: branch, cases: [ {{ if: {{ all: [] }}, steps: [ {{ id: x, {SET} }} ] }} ] }}"),
        "b.cases[0].if?: This case has no condition",
    );
}

#[test]
fn a_row_of_a_condition_that_nobody_filled_in_is_named() {
    let row =
        |row: &str| format!("  - {{ id: f, use: filter, if: {{ all: [ {{ value: '{{{{ 1 }}}}', is: exists }}, {row} ] }} }}");
    only(&row("{ value: '', is: equals, to: '' }"), "f.if: Pick the value that is looked at.");
    only(&row("{ value: '', is: exists }"), "f.if: Pick the value that is looked at.");
    only(&row("{ value: '{{ trigger.body }}', is: contains, to: '' }"), "f.if: Fill in what “contains” compares with.");
    only(&row("{ value: '{{ trigger.body }}', is: between, to: [1, ''] }"), "f.if: Fill in what “is between” compares with.");
    only(&row("{ value: '{{ trigger.body }}', is: one_of, to: [] }"), "f.if: Fill in what “is one of” compares with.");
    // Somebody may mean it.
    only(&row("{ value: '{{ trigger.body }}', is: equals, to: '' }"), "f.if?: A value is compared with nothing.");
    for fine in ["is: equals, to: 0", "is: equals, to: false", "is: is_empty", "is: contains, to: '{{ trigger.body.word }}'"] {
        assert_eq!(of(&row(&format!("{{ value: '{{{{ trigger.body }}}}', {fine} }}"))), Vec::<String>::new());
    }
}

#[test]
fn results_of_another_case_are_warned_about() {
    let steps = |inner: &str, after: &str| {
        format!(
            "  - id: b
    use: branch
    cases:
      - {{ title: one, if: {{ expression: 'true' }}, steps: [ {{ id: x, {SET} }}, {{ id: same, use: set, input: {{ fields: {{ v: '{{{{ steps.x.a }}}}' }} }} }} ] }}
      - {{ title: two, if: {{ expression: 'true' }}, steps: [ {{ id: y, use: set, input: {{ fields: {{ v: '{{{{ {inner} }}}}' }} }} }} ] }}
  - {{ id: z, use: set, input: {{ fields: {{ v: \"{{{{ {after} }}}}\" }} }} }}"
        )
    };
    only(&steps("steps.x.a", "1"), "y.fields?: “x” is in the case “one” of the branch and never runs together");
    only(&steps("1", "steps.x.a"), "z.fields?: “x” only runs in the case “one” of a branch");
    assert_eq!(of(&steps("1", "steps.x.a | default('')")), Vec::<String>::new());
    assert_eq!(of(&steps("1", "steps.b.case")), Vec::<String>::new());
}

#[test]
fn an_answer_that_nobody_waits_for_and_steps_after_a_stop_are_warned_about() {
    only("  - { id: r, use: respond, input: { status: 200 } }", "r.?: The caller is answered at once");
    only(&format!("  - {{ id: s, use: stop }}\n  - {{ id: x, {SET} }}"), "x.?: This step never runs: “s”");
    let mut waits = workflow("  - { id: r, use: respond, input: { status: 200 } }");
    waits.trigger.as_mut().unwrap().input.insert("respond".into(), "when_done".into());
    assert_eq!(said(&waits), Vec::<String>::new());
}

#[test]
fn the_questions_of_a_form_are_checked_one_by_one() {
    let mut form = workflow(&format!("  - {{ id: a, {SET} }}"));
    form.trigger = Some(Trigger::new("form"));
    form.trigger.as_mut().unwrap().input.insert(
        "fields".into(),
        json!([
            { "name": "city", "label": "City", "kind": "text" },
            { "name": "city", "label": "Town", "kind": "colour" },
            { "name": "two words", "label": "", "kind": "choice", "options": [] }
        ]),
    );
    let said = said(&form);
    let starts = [
        "trigger.fields[1].name: Two questions have the name \"city\"",
        "trigger.fields[1].kind: “Town” has no known kind",
        "trigger.fields[2].label: Question 3 needs a label",
        "trigger.fields[2].name: \"two words\" can't be a name",
        "trigger.fields[2].options: Question 3 is a choice",
    ];
    assert_eq!(said.len(), starts.len(), "{said:#?}");
    for (said, start) in said.iter().zip(starts) {
        assert!(said.starts_with(start), "{said}");
    }
}

#[test]
fn size_depth_and_number_of_steps_are_bounded() {
    let mut deep = Step::new("s0", "set");
    deep.input.insert("fields".into(), json!({ "a": 1 }));
    for level in 1..=20 {
        let mut outer = Step::new(format!("s{level}"), "branch");
        let condition = crate::condition::Conditions::Expression { expression: "true".into() };
        outer.cases = vec![crate::workflow::Case { title: String::new(), condition, steps: vec![deep] }];
        deep = outer;
    }
    let mut workflow = workflow("  []");
    workflow.steps = vec![deep];
    let said_of_depth = said(&workflow);
    assert!(
        said_of_depth.len() == 1 && said_of_depth[0].starts_with("s0.: This step is inside more than 19"),
        "{said_of_depth:?}"
    );
    workflow.steps = (0..1_001)
        .map(|n| Step {
            input: json!({ "fields": { "a": 1 } }).as_object().unwrap().clone(),
            ..Step::new(format!("s{n}"), "set")
        })
        .collect();
    assert!(said(&workflow)[0].starts_with(".: A workflow has at most 1000 steps"));
    workflow.steps.truncate(1);
    workflow.steps[0].input.insert("fields".into(), json!({ "a": "x".repeat(1 << 20) }));
    assert!(said(&workflow)[0].starts_with(".: The workflow is larger than 1024 KiB"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is in the fields: validation says something or nothing, and what it lets through can be planned.
    #[test]
    fn what_validation_lets_through_runs(mut workflow in workflows(), texts in prop::collection::vec(".{0,20}", 8), n in any::<u8>()) {
        for (index, text) in texts.iter().enumerate() {
            let count = workflow.steps.len();
            if count == 0 { break }
            let step = &mut workflow.steps[(index + usize::from(n)) % count];
            match index % 4 {
                0 => { step.input.insert("url".into(), json!(format!("{{{{ {text} }}}}"))); }
                1 => { step.input.insert(text.clone(), json!([text, 1])); }
                2 => step.operation.push_str(&text[..text.len().min(usize::from(text.is_ascii()) * (usize::from(n) % 2))]),
                _ => step.condition = Some(crate::condition::Conditions::Expression { expression: text.clone() }),
            }
        }
        let issues = validate(&workflow, &operations());
        if is_publishable(&issues) {
            prop_assert!(Plan::new(1, workflow, &operations()).is_ok());
        }
    }
}

/// A workspace's connections: `crm` works, `old` has expired, `foreign` isn't shared, `slack` is another service's.
struct Some4;

impl Connections for Some4 {
    fn known(&self, id: &str) -> Option<Known> {
        let known = |name: &str, connector: &str| Known {
            name: name.into(),
            connector: Some(connector.into()),
            refused: None,
            ailing: None,
        };
        match id {
            "crm" => Some(known("CRM", "http")),
            "old" => Some(Known { ailing: Some("“Old” has expired.".into()), ..known("Old", "http") }),
            "foreign" => Some(Known { refused: Some("“Foreign” isn't shared with you.".into()), ..known("Foreign", "http") }),
            "slack" => Some(known("Slack", "slack")),
            _ => None,
        }
    }

    fn service(&self, connector: &str) -> String {
        connector.to_uppercase()
    }
}

#[test]
fn a_step_names_the_connection_that_its_operation_needs() {
    let mut catalogue = operations();
    let needs = |required| Some(crate::catalogue::ConnectionNeed { connector: "http".into(), required });
    let said = |catalogue: &crate::rehearsal::Operations, connection: Option<&str>| {
        let mut flow = workflow("  - { id: a, use: http.request, input: { url: 'https://a.example' } }");
        flow.steps[0].connection = connection.map(str::to_owned);
        let issues = validate_with(&flow, catalogue, &Some4);
        assert!(issues.iter().all(|issue| issue.field.as_deref() == Some("connection")), "{issues:?}");
        issues.into_iter().map(|issue| (issue.severity == Severity::Blocks, issue.message)).next()
    };
    let blocks = |message: &str| Some((true, message.to_owned()));
    catalogue.change("http.request", |operation| operation.connection = needs(false));
    assert_eq!(said(&catalogue, None), None);
    assert_eq!(said(&catalogue, Some("crm")), None);
    assert_eq!(said(&catalogue, Some("old")), Some((false, "“Old” has expired.".into())));
    assert_eq!(said(&catalogue, Some("foreign")), blocks("“Foreign” isn't shared with you."));
    assert_eq!(said(&catalogue, Some("gone")), blocks("The connection of this step is gone. Choose another one for HTTP."));
    assert_eq!(said(&catalogue, Some("slack")), blocks("“Slack” is a connection for SLACK. Choose one for HTTP."));
    catalogue.change("http.request", |operation| operation.connection = needs(true));
    assert_eq!(said(&catalogue, None), blocks("Choose a connection for HTTP."));
    assert_eq!(said(&catalogue, Some("crm")), None);
}

#[test]
fn a_variable_that_is_not_there_is_named() {
    let names = ["support_address".to_owned(), "rate".to_owned()];
    let said = |expression: &str| {
        let steps = format!("  - {{ id: a, use: set, input: {{ fields: {{ x: '{{{{ {expression} }}}}' }} }} }}");
        let surroundings = Surroundings { variables: Some(&names), ..Surroundings::default() };
        let issues = validate_in(&workflow(&steps), &operations(), &surroundings);
        issues.into_iter().map(|issue| (issue.severity == Severity::Blocks, issue.message)).next()
    };
    assert_eq!(said("vars.support_address"), None);
    assert_eq!(said("vars[\"rate\"] * 2"), None);
    let wrong = "There is no variable \"suport_address\" in this workspace. Did you mean \"support_address\"? \
                 Variables are made under Settings › Variables.";
    assert_eq!(said("vars.suport_address"), Some((true, wrong.to_owned())));
    assert!(matches!(said("vars.nothing | default(1)"), Some((false, _))));
}

/// What is said about a workflow of these steps, as `step.field: message`.
fn told(steps: &str) -> Vec<String> {
    let issues = validate(&workflow(steps), &operations());
    let place = |issue: &Issue| {
        let step = issue.step.as_ref().map_or("", |step| step.0.as_str());
        format!("{step}.{}", issue.field.as_deref().unwrap_or_default())
    };
    issues.iter().map(|issue| format!("{}: {}", place(issue), issue.message)).collect()
}

#[track_caller]
fn says_only(steps: &str, beginning: &str) {
    let said = told(steps);
    assert!(matches!(&said[..], [only] if only.starts_with(beginning)), "expected {beginning:?}, got {said:#?}");
}

const LIST: &str = "input: { list: '{{ trigger.body }}'";

fn each(input: &str, inside: &str) -> String {
    format!(
        "  - {{ id: each, use: for_each, {LIST}{input} }}, body: {{ steps: [ {{ id: a, use: set, input: {{ fields: {{ x: '{inside}' }} }} }} ] }} }}"
    )
}

#[test]
fn the_item_and_the_round_are_known_inside_loops_and_nowhere_else() {
    assert_eq!(told(&each("", "{{ item.name }} {{ index }}")), Vec::<String>::new());
    assert_eq!(told(&each(", result: '{{ steps.a.x }} {{ item }}'", "1")), Vec::<String>::new());
    let after = "\n  - { id: b, use: set, input: { fields: { x: '{{ index }}' } } }";
    says_only(&format!("{}{after}", each("", "1")), "b.fields: “index” is only there inside a loop");
    says_only(&each("", "{{ steps.each.count }}"), "a.fields: “each” has no result before it is done");
    let repeat = "  - { id: r, use: repeat, if: { value: '{{ steps.a.x }}', is: exists }, body: { steps: [ { id: a, use: set, input: { fields: { x: '{{ item }}' } } } ] } }";
    says_only(repeat, "a.fields: “item” is only there inside a “For each”");
}

#[test]
fn what_is_inside_a_loop_or_another_lane_can_not_be_named_from_outside() {
    let after = "\n  - { id: b, use: set, input: { fields: { x: '{{ steps.a.x | default(1) }}' } } }";
    says_only(&format!("{}{after}", each("", "1")), "b.fields: “a” is done once for each item");
    let lanes = |join: &str, beside: &str, after: &str| {
        format!(
            "  - {{ id: both, use: parallel, input: {{ join: {join} }}, lanes: [ {{ steps: [ {{ id: a, use: set, input: {{ fields: {{ x: 1 }} }} }} ] }}, {{ steps: [ {{ id: b, use: set, input: {{ fields: {{ x: '{beside}' }} }} }} ] }} ] }}\n  - {{ id: c, use: set, input: {{ fields: {{ x: '{after}' }} }} }}"
        )
    };
    assert_eq!(told(&lanes("all", "1", "{{ steps.a.x }}")), Vec::<String>::new());
    says_only(&lanes("all", "{{ steps.a.x }}", "1"), "b.fields: “a” is in another lane, which goes on at the same time");
    says_only(
        &lanes("first", "1", "{{ steps.a.x }}"),
        "c.fields: “a” may be cut off: “both” goes on before all of its lanes are done",
    );
}

#[test]
fn a_repeat_may_name_what_its_last_round_gave() {
    let repeat = |url: &str| {
        format!(
            "  - {{ id: r, use: repeat, if: {{ value: '{{{{ steps.a.x }}}}', is: exists }}, body: {{ steps: [ {{ id: f, use: set, input: {{ fields: {{ u: '{url}' }} }} }}, {{ id: a, use: set, input: {{ fields: {{ x: 1 }} }} }} ] }} }}\n  - {{ id: c, use: set, input: {{ fields: {{ x: '{{{{ steps.a.x }}}}' }} }} }}"
        )
    };
    assert_eq!(told(&repeat("{{ steps.a.x | default(1) }}")), Vec::<String>::new());
    says_only(&repeat("{{ steps.a.x }}"), "f.fields: “a” comes later in the round");
    let asks = repeat("{{ steps.a.x | default(1) }}").replace("exists", "is_not_empty");
    assert_eq!(told(&asks), Vec::<String>::new(), "after a round its steps have results");
}

#[test]
fn the_numbers_of_loops_and_lanes_have_bounds_and_lanes_belong_to_their_steps() {
    says_only(&each(", at_once: 51", "1"), "each.at_once: A whole number from 1 to 50");
    let too_many = "  - { id: r, use: repeat, input: { most: 1001 }, if: { value: 1, is: exists }, body: { steps: [ { id: a, use: stop } ] } }";
    says_only(too_many, "r.most: A whole number from 1 to 1000");
    says_only("  - { id: a, use: stop, body: { steps: [ { id: b, use: stop } ] } }", "a.body: Only a “For each” and a “Repeat”");
    says_only("  - { id: p, use: parallel }", "p.lanes: Add a lane");
    let rescue = |on_error: &str| {
        format!(
            "  - {{ id: a, use: set, input: {{ fields: {{ x: 1 }} }}, on_error: {on_error}, rescue: {{ steps: [ {{ id: b, use: set, input: {{ fields: {{ x: '{{{{ steps.a.error.message }}}}' }} }} }} ] }} }}"
        )
    };
    assert_eq!(told(&rescue("rescue")), Vec::<String>::new());
    says_only(&rescue("fail"), "a.on_error: The steps for when this one fails are of no use");
}
