import assert from "node:assert/strict";
import { test } from "node:test";
import { around, before, copyStep, type Step, type Workflow } from "./model";
import { apply, applyAll, DoesNotFit, rebase, sameField, type Operation } from "./operations";

const step = (id: string, more: Partial<Step> = {}): Step => ({ id, use: "set", ...more });
const top = (index: number) => ({ index });
const document = (): Workflow => ({
  towpath: 1,
  name: "Orders",
  trigger: { id: "trigger", use: "webhook", input: { methods: ["POST"] } },
  steps: [
    step("one"),
    { id: "fork", use: "branch", cases: [{ title: "big", if: { all: [] }, steps: [step("in_big")] }, { title: "small", if: { all: [] }, steps: [] }] },
    step("last"),
    { id: "both", use: "parallel", lanes: [{ title: "left", steps: [step("in_left")] }, { title: "", steps: [step("in_right")] }] },
    { id: "each", use: "for_each", body: { steps: [step("in_each"), step("late_in_each")] }, on_error: "rescue", rescue: { steps: [step("instead")] } },
    { id: "again", use: "repeat", if: { all: [] }, body: { steps: [step("page"), step("store")] } },
  ],
});

const each: Operation[] = [
  { op: "set_name", name: "Other" },
  { op: "set_trigger", trigger: { id: "trigger", use: "form", input: {} } },
  { op: "remove_trigger" },
  { op: "set_trigger_title", title: "When an order comes" },
  { op: "set_trigger_input", field: "methods", value: ["PUT"] },
  { op: "set_trigger_input", field: "methods" },
  { op: "add_step", at: top(1), step: step("new") },
  { op: "add_step", at: { parent: { step: "fork", lane: "otherwise" }, index: 0 }, step: step("new") },
  { op: "remove_step", step: "fork" },
  { op: "remove_step", step: "in_big" },
  { op: "move_step", step: "last", to: { parent: { step: "fork", lane: 1 }, index: 0 } },
  { op: "move_step", step: "one", to: top(2) },
  { op: "set_input", step: "one", field: "fields", value: { a: 1 } },
  { op: "set_title", step: "one", title: "First" },
  { op: "set_note", step: "one", note: "Why" },
  { op: "set_condition", step: "one", condition: { any: [] } },
  { op: "set_retry", step: "one", retry: { attempts: 2, first: "1s", max: "5m" } },
  { op: "set_timeout", step: "one", timeout: "10s" },
  { op: "set_on_error", step: "one", on_error: "continue" },
  { op: "set_on_error", step: "one", on_error: "rescue" },
  { op: "add_step", at: { parent: { step: "one", lane: "rescue" }, index: 0 }, step: step("new") },
  { op: "add_step", at: { parent: { step: "each", lane: "body" }, index: 1 }, step: step("new") },
  { op: "remove_step", step: "instead" },
  { op: "remove_step", step: "in_left" },
  { op: "move_step", step: "page", to: { parent: { step: "both", lane: 1 }, index: 1 } },
  { op: "add_lane", step: "both", index: 1, lane: { title: "middle", steps: [step("new")] } },
  { op: "remove_lane", step: "both", index: 0 },
  { op: "move_lane", step: "both", from: 0, to: 1 },
  { op: "set_lane_title", step: "both", index: 1, title: "right" },
  { op: "set_connection", step: "one", connection: "c" },
  { op: "set_connection", step: "trigger", connection: "c" },
  { op: "add_case", step: "fork", index: 1, case: { title: "middle", if: { all: [] }, steps: [] } },
  { op: "remove_case", step: "fork", index: 0 },
  { op: "move_case", step: "fork", from: 0, to: 1 },
  { op: "set_case_title", step: "fork", index: 0, title: "huge" },
  { op: "set_case_condition", step: "fork", index: 0, condition: { any: [] } },
];

/** An input that is absent and one that is empty mean the same. */
const tidy = (workflow: Workflow): unknown =>
  JSON.parse(JSON.stringify(workflow, (key, value: unknown) => (key === "input" && JSON.stringify(value) === "{}" ? undefined : value)));

test("every edit changes something, and its inverse takes exactly that back", () => {
  for (const operation of each) {
    const original = document();
    const done = apply(original, operation);
    assert.deepEqual(original, document(), "the document given is not changed");
    assert.notDeepEqual(done.workflow, original, operation.op);
    assert.deepEqual(tidy(applyAll(done.workflow, done.inverse).workflow), tidy(original), JSON.stringify(operation));
  }
});

test("a chain of edits is taken back as a whole", () => {
  const chain: Operation[] = [
    { op: "add_step", at: { parent: { step: "fork", lane: 1 }, index: 0 }, step: step("new") },
    { op: "set_input", step: "new", field: "fields", value: { a: "x" } },
    { op: "move_case", step: "fork", from: 0, to: 1 },
    { op: "remove_step", step: "fork" },
  ];
  const done = applyAll(document(), chain);
  assert.deepEqual(tidy(applyAll(done.workflow, done.inverse).workflow), tidy(document()));
});

test("an edit of what is gone is refused, and so is a branch inside itself", () => {
  assert.throws(() => apply(document(), { op: "set_title", step: "gone", title: "x" }), DoesNotFit);
  assert.throws(() => apply(document(), { op: "add_step", at: top(0), step: step("one") }), DoesNotFit);
  assert.throws(() => apply(document(), { op: "move_step", step: "fork", to: { parent: { step: "fork", lane: 0 }, index: 0 } }), DoesNotFit);
});

test("own edits go on top of what others did, and those whose step is gone are counted", () => {
  const theirs = applyAll(document(), [{ op: "remove_step", step: "one" }, { op: "set_name", name: "Theirs" }]).workflow;
  const result = rebase(theirs, [
    { op: "set_title", step: "one", title: "Lost" },
    { op: "set_title", step: "last", title: "Kept" },
  ]);
  assert.equal(result.lost, 1);
  assert.equal(result.workflow.name, "Theirs");
  assert.equal(result.workflow.steps.find((it) => it.id === "last")?.title, "Kept");
});

test("typing in one field is one edit, in two fields two", () => {
  const a = sameField({ op: "set_input", step: "one", field: "a", value: "x" });
  assert.equal(a, sameField({ op: "set_input", step: "one", field: "a", value: "xy" }));
  assert.notEqual(a, sameField({ op: "set_input", step: "one", field: "b", value: "x" }));
  assert.equal(sameField({ op: "remove_step", step: "one" }), undefined);
});

test("a step sees what runs before it on its way, earlier branches included, and not the lanes beside its own", () => {
  const ids = (id: string) => before(document(), id).map((it) => it.id);
  assert.deepEqual(ids("one"), []);
  assert.deepEqual(ids("in_big"), ["one", "fork"]);
  assert.deepEqual(ids("last"), ["one", "fork", "in_big"]);
});

test("a step sees nothing of lanes beside its own, of rounds that have many results, and of a loop that is not done", () => {
  const ids = (id: string) => before(document(), id).map((it) => it.id).slice(4);
  assert.deepEqual(ids("in_right"), []);
  assert.deepEqual(ids("in_each"), ["both", "in_left", "in_right"]);
  assert.deepEqual(ids("late_in_each"), ["both", "in_left", "in_right", "in_each"]);
  assert.deepEqual(ids("instead"), ["both", "in_left", "in_right", "each"]);
  assert.deepEqual(ids("again"), ["both", "in_left", "in_right", "each", "instead", "page", "store"]);
});

test("in a repeat a step sees what comes later, from the round before", () => {
  assert.deepEqual(before(document(), "page").map((it) => it.id).slice(-2), ["instead", "store"]);
});

test("a step knows what it is inside of", () => {
  assert.deepEqual(around(document(), "in_each").map((it) => [it.step.id, it.lane]), [["each", "body"]]);
  assert.deepEqual(around(document(), "instead").map((it) => [it.step.id, it.lane]), [["each", "rescue"]]);
  assert.deepEqual(around(document(), "last"), []);
});

test("a copied branch has new ids inside, and its steps lean on each other's copies", () => {
  const workflow = document();
  const fork = workflow.steps[1] as Step;
  fork.cases?.[0]?.steps.push(step("uses", { input: { fields: { x: "{{ steps.in_big.y }} {{ steps.one.z }}" } } }));
  const copy = copyStep(workflow, fork);
  const inner = copy.cases?.[0]?.steps ?? [];
  assert.notEqual(copy.id, "fork");
  assert.equal((inner[1]?.input?.["fields"] as { x: string }).x, `{{ steps.${inner[0]?.id} .y }}`.replace(" .", ".") + " {{ steps.one.z }}");
});
