//! What expressions see where, as examples.

use super::*;
use crate::{
    expr::{Roots, RunInfo, Template},
    ids::RunId,
    record::{FailedStep, Trace},
    rehearsal::{a_moment, path, plan},
};
use chrono::TimeDelta;
use serde_json::json;

fn outputs() -> Outputs {
    let run = RunInfo { id: RunId(uuid::Uuid::nil()), key: uuid::Uuid::nil(), started_at: a_moment() };
    let trigger = json!({ "body": ["x", "y", "z"] }).into();
    Outputs::new(Context::new(Roots { trigger, run, now: a_moment(), vars: crate::expr::Vars::default(), language: "en".into() }))
}

struct Bench {
    outputs: Outputs,
    plan: Plan,
    seconds: i64,
}

impl Bench {
    fn new(steps: &str) -> Self {
        Self { outputs: outputs(), plan: plan(steps), seconds: 0 }
    }

    fn record(&mut self, record: Record) -> &mut Self {
        self.seconds += 1;
        self.outputs.apply(&Entry { at: a_moment() + TimeDelta::seconds(self.seconds), record }, &self.plan);
        self
    }

    fn gave(&mut self, step: &str, output: Json) -> &mut Self {
        self.record(Record::Succeeded { step: path(step), attempt: 1, output, trace: Trace::default() })
    }

    fn opened(&mut self, step: &str, kind: LinesKind, lines: u32) -> &mut Self {
        self.record(Record::Opened { step: path(step), attempt: 1, kind, lines })
    }

    fn ended(&mut self, line: &str, end: LineEnd) -> &mut Self {
        let line = LinePath(line.into());
        let result = self.outputs.gives(&line, &end, &self.plan).expect("it gives something");
        self.record(Record::LineEnded { line, end, result })
    }

    #[track_caller]
    fn sees(&mut self, at: &str, expression: &str, value: Json) -> &mut Self {
        let seen = Template::expression(expression).unwrap().resolve(self.outputs.at(&path(at), &self.plan)).unwrap();
        assert_eq!(seen, Some(value), "{expression} at {at}");
        self
    }
}

const SEES_OR_NOTHING: &str = "steps.post | default(\"nothing\")";

#[test]
fn each_round_sees_its_own_item_and_values_and_leaves_what_it_gave() {
    let mut bench = Bench::new(
        "  - { id: each, use: for_each, input: { list: '{{ trigger.body }}', at_once: 3, on_failed: go_on, result: '{{ item }}:{{ steps.post.n }}' }, body: { steps: [ { id: post, use: set, input: { fields: {} } } ] } }",
    );
    bench.opened("each", LinesKind::Each, 3);
    bench.gave("each[1]/post", json!({ "n": 1 })).gave("each[0]/post", json!({ "n": 0 }));
    bench.sees("each[1]/post", "item ~ index ~ steps.post.n", json!("y11"));
    bench.sees("each[0]/post", "item ~ index ~ steps.post.n", json!("x00"));
    bench.sees("each[2]/post", SEES_OR_NOTHING, json!("nothing"));
    bench.ended("each[1]", LineEnd::Done);
    let error = StepError::invalid_input("No.");
    bench.record(Record::LineEnded {
        line: LinePath("each[2]".into()),
        end: LineEnd::Failed { failed: FailedStep { step: path("each[2]/post"), error } },
        result: None,
    });
    bench.ended("each[0]", LineEnd::Done).gave("each", json!({ "count": 3 }));
    bench.sees("after", "steps.each.items", json!(["x:0", "y:1"]));
    bench.sees("after", "steps.each.failures[0].item", json!("z"));
    bench.sees("after", "steps.each.failures[0].error.message", json!("No."));
    bench.sees("after", SEES_OR_NOTHING, json!("nothing"));
}

#[test]
fn loops_inside_each_other_see_their_own_items_and_the_values_around_them() {
    let mut bench = Bench::new(
        "  - { id: outer, use: for_each, input: { list: '{{ trigger.body }}' }, body: { steps: [ { id: a, use: set, input: { fields: {} } }, { id: inner, use: for_each, input: { list: '{{ steps.a.list }}' }, body: { steps: [ { id: b, use: set, input: { fields: {} } } ] } } ] } }",
    );
    bench.opened("outer", LinesKind::Each, 3).gave("outer[2]/a", json!({ "list": [7, 8] }));
    bench.opened("outer[2]/inner", LinesKind::Each, 2);
    bench.sees("outer[2]/inner[1]/b", "item", json!(8)).sees("outer[2]/inner[1]/b", "steps.a.list", json!([7, 8]));
    bench.gave("outer[2]/inner[1]/b", json!(1)).ended("outer[2]/inner[1]", LineEnd::Done);
    bench.ended("outer[2]/inner[0]", LineEnd::Filtered).gave("outer[2]/inner", json!({}));
    bench.sees("outer[2]/x", "steps.inner.items", json!([1])).sees("outer[2]/x", "item", json!("z"));
    bench.ended("outer[2]", LineEnd::Done).gave("outer", json!({}));
    bench.sees("x", "steps.outer.items[0].items", json!([1]));
}

#[test]
fn lanes_do_not_see_each_other_and_leave_their_values_to_what_follows() {
    let mut bench = Bench::new(
        "  - { id: both, use: parallel, lanes: [ { steps: [ { id: a, use: set, input: { fields: {} } } ] }, { steps: [ { id: b, use: set, input: { fields: {} } } ] } ] }",
    );
    bench.opened("both", LinesKind::Parallel, 2).gave("both[0]/a", json!(1)).ended("both[0]", LineEnd::Done);
    bench.sees("both[1]/b", "steps.a | default(0)", json!(0));
    bench.gave("both[1]/b", json!(2)).ended("both[1]", LineEnd::Done).gave("both", json!({}));
    bench.sees("after", "[steps.a, steps.b]", json!([1, 2]));
}

#[test]
fn a_round_of_a_repeat_sees_the_values_of_the_round_before_and_the_last_ones_stay() {
    let mut bench = Bench::new(
        "  - { id: again, use: repeat, if: { value: '{{ steps.page.next }}', is: is_not_empty }, body: { steps: [ { id: page, use: set, input: { fields: {} } } ] } }",
    );
    bench.opened("again", LinesKind::Repeat, 100);
    bench.sees("again[0]/page", "steps.page.next | default(\"first\")", json!("first"));
    bench.gave("again[0]/page", json!({ "next": "two" }));
    let again = bench.outputs.gives(&LinePath("again[0]".into()), &LineEnd::Done, &bench.plan);
    assert_eq!(again, Ok(Some(json!(true))));
    bench.ended("again[0]", LineEnd::Done);
    bench.sees("again[1]/page", "steps.page.next ~ index", json!("two1"));
    bench.gave("again[1]/page", json!({ "next": "" })).ended("again[1]", LineEnd::Done).gave("again", json!({ "rounds": 2 }));
    bench.sees("after", "steps.page.next", json!(""));
}

#[test]
fn what_a_line_takes_for_now_does_not_hang_on_the_lines_beside_it() {
    let mut bench = Bench::new(
        "  - { id: both, use: parallel, lanes: [ { steps: [ { id: a, use: http.request, input: { method: GET, url: 'https://a.example' } } ] }, { steps: [ { id: b, use: set, input: { fields: {} } } ] } ] }",
    );
    bench.opened("both", LinesKind::Parallel, 2).sees("both[1]/b", "now | from_timestamp if false else 1", json!(1));
    let before = bench.outputs.at(&path("both[1]/b"), &bench.plan).now();
    bench.gave("both[0]/a", json!(1));
    assert_eq!(bench.outputs.at(&path("both[1]/b"), &bench.plan).now(), before);
    let told = bench.outputs.at(&path("both[0]/x"), &bench.plan).now();
    assert!(told > before);
    bench.ended("both[0]", LineEnd::Done).ended("both[1]", LineEnd::Done).gave("both", json!({}));
    assert_eq!(bench.outputs.at(&path("after"), &bench.plan).now(), told, "the latest of what happened on its lanes");
}

#[test]
fn after_a_crash_every_line_sees_what_it_saw_before() {
    let steps = "  - { id: each, use: for_each, input: { list: '{{ trigger.body }}', at_once: 2 }, body: { steps: [ { id: post, use: set, input: { fields: {} } } ] } }";
    let mut before = Bench::new(steps);
    before.outputs.keep_list(&path("each"), vec![json!("x"), json!("y"), json!("z")]);
    before.opened("each", LinesKind::Each, 3).gave("each[1]/post", json!(1));
    let mut after = Bench::new(steps);
    after.opened("each", LinesKind::Each, 3).gave("each[1]/post", json!(1));
    for bench in [&mut before, &mut after] {
        bench.sees("each[1]/x", "[item, steps.post]", json!(["y", 1])).sees("each[2]/post", "item", json!("z"));
    }
}
