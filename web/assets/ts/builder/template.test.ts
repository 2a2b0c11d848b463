import assert from "node:assert/strict";
import { test } from "node:test";
import { hasExpression, leadingPath, parse, readPath, stepsUsed, write, writePath } from "./template";

test("a text falls apart into words and expressions and comes back as it was", () => {
  const text = "Hi {{ trigger.body.name }}, total: {{ steps.total.sum | round }}";
  assert.deepEqual(parse(text), [
    { text: "Hi " },
    { expression: "trigger.body.name" },
    { text: ", total: " },
    { expression: "steps.total.sum | round" },
  ]);
  assert.equal(write(parse(text)), text);
});

test("braces inside strings and objects don't end an expression", () => {
  assert.deepEqual(parse(`{{ "a }} b" }}`), [{ expression: `"a }} b"` }]);
  assert.deepEqual(parse(`{{ {"a": {"b": 1}} }}`), [{ expression: `{"a": {"b": 1}}` }]);
  assert.deepEqual(parse(`{{ 'it\\'s }}' }}!`), [{ expression: `'it\\'s }}'` }, { text: "!" }]);
});

test("an expression that never ends is text", () => {
  assert.deepEqual(parse("a {{ b"), [{ text: "a {{ b" }]);
  assert.deepEqual(parse(""), []);
  assert.equal(hasExpression({ a: ["{{ b"] }), false);
  assert.equal(hasExpression({ a: ["{{ b }}"] }), true);
});

test("paths are written as expressions read them", () => {
  const keys = ["trigger", "body", "items", 0, "first name", "x-y"];
  assert.equal(writePath(keys), `trigger.body.items[0]["first name"]["x-y"]`);
  assert.deepEqual(readPath(writePath(keys)), keys);
  assert.deepEqual(readPath("steps.http.headers['content-type']"), ["steps", "http", "headers", "content-type"]);
});

test("what is more than a path is none, and still has a beginning", () => {
  for (const expression of ["a + b", "a | upper", ".a", "[0]", "a..b", "", "f(x)"]) assert.equal(readPath(expression), undefined, expression);
  assert.deepEqual(leadingPath("trigger.body.total | number | round(2)"), ["trigger", "body", "total"]);
  assert.equal(leadingPath("now()"), undefined);
});

test("the steps that a value leans on are found", () => {
  assert.deepEqual([...stepsUsed({ a: "{{ steps.one.x }} and {{ steps.two.y + steps.one.z }}", b: ["steps.three"] })], ["one", "two"]);
});
