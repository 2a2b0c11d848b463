// The workflow document and the catalogue as the API sends them, and ways to find things in them. Pure.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Obj = { [key: string]: Json };

export interface Workflow {
  towpath: number;
  name: string;
  trigger?: Trigger;
  steps: Step[];
}

export interface Trigger {
  id: "trigger";
  use: string;
  title?: string;
  connection?: string;
  input: Obj;
}

export interface Step {
  id: string;
  use: string;
  title?: string;
  note?: string;
  connection?: string;
  input?: Obj;
  cases?: Case[];
  otherwise?: { steps: Step[] };
  lanes?: NamedLane[];
  body?: { steps: Step[] };
  rescue?: { steps: Step[] };
  if?: Conditions;
  retry?: Retry;
  timeout?: string;
  on_error?: OnError;
}

/** What a failed step does to its run: end it, go on, or do the steps under `rescue` instead. */
export type OnError = "fail" | "continue" | "rescue";

/** One of the lanes of a parallel step. */
export interface NamedLane {
  title: string;
  steps: Step[];
}

export interface Case {
  title: string;
  if: Conditions;
  steps: Step[];
}

export interface Retry {
  attempts: number;
  first: string;
  max: string;
}

export type Conditions = { all: Conditions[] } | { any: Conditions[] } | { expression: string } | Test;

export interface Test {
  value: Json;
  is: string;
  to?: Json;
}

/** The connection that an operation works through. */
export interface ConnectionNeed {
  connector: string;
  required: boolean;
}

export interface Operation {
  name: string;
  role: "trigger" | "action";
  connector?: string;
  connection?: ConnectionNeed;
  title: string;
  sentence: string;
  keywords: string[];
  icon: string;
  category: "start" | "flow" | "data" | "connect";
  inputs: Field[];
  effect: unknown;
  sample: Json;
  help: string;
}

export interface Choice {
  value: Json;
  title: string;
}

export interface Field {
  name: string;
  title: string;
  help?: string;
  /** `{ kind: "choice", options }` and so on. `table`: the field that names the data table. */
  kind: { kind: string; options?: Choice[]; table?: string };
  required: boolean;
  advanced: boolean;
  default?: Json;
  placeholder?: string;
  show_if?: { field: string; is: Json[] };
  expressions: boolean;
  /** Worked out for each item of the list in this field, which expressions call `item`. */
  each?: string;
  /** Options that the service lists. */
  pick?: { needs?: string[]; searches?: boolean; accept_url?: string };
}

/** A column of a data table. */
export interface Column {
  id: string;
  name: string;
  kind: "text" | "number" | "boolean" | "date" | "date_time" | "choice" | "json";
  required?: boolean;
  options?: string[];
}

/** A data table of the workspace. */
export interface DataTable {
  id: string;
  name: string;
  columns: Column[];
  /** The names of the columns that tell its rows apart. */
  key: string[];
}

/** A function or filter of the expression language. */
export interface Func {
  name: string;
  kind: "filter" | "function";
  group: string;
  title: string;
  example: string;
  result: string;
  help: string;
}

export interface Catalogue {
  operations: Operation[];
  /** In the order in which a person should meet them. */
  connectors: { id: string; name: string; icon: string }[];
  functions: Func[];
}

/** Something that keeps the workflow from being published, or that a person should look at. */
export interface Issue {
  /** The step, `trigger`, or nothing for the workflow as a whole. */
  step?: string;
  /** A key of the input with the place inside it (`json.lines[0].name`), `if…`, `cases[0]…`, or a setting of the step. */
  field?: string;
  message: string;
  severity: "blocks" | "warning";
}

/** One question of a form, or one input of a manual run. */
export interface Question {
  name: string;
  label: string;
  kind: string;
  required?: boolean;
  help?: string;
  options?: string[];
}

/** A lane that has a name instead of a number. */
export type LaneWord = "otherwise" | "body" | "rescue";

/** A lane inside a step: the index of a case or of a lane side by side, or one that has a name. */
export interface Parent {
  step: string;
  lane: number | LaneWord;
}

/** A place between steps; without a parent among the workflow's own. */
export interface Place {
  parent?: Parent;
  index: number;
}

export const sameLane = (a: Parent | undefined, b: Parent | undefined): boolean => a?.step === b?.step && a?.lane === b?.lane;

export const isLoop = (step: Step): boolean => step.use === "for_each" || step.use === "repeat";

/** The lanes inside a step, in the order in which they are drawn. */
export function lanesOf(step: Step): { parent: Parent; title: string; steps: Step[] }[] {
  const lane = (name: Parent["lane"], title: string, steps: Step[] | undefined) => ({ parent: { step: step.id, lane: name }, title, steps: steps ?? [] });
  const lanes = (step.cases ?? []).map((it, index) => lane(index, it.title, it.steps));
  if (step.use === "branch") lanes.push(lane("otherwise", "otherwise", step.otherwise?.steps));
  lanes.push(...(step.lanes ?? []).map((it, index) => lane(index, it.title || `lane ${index + 1}`, it.steps)));
  if (isLoop(step)) lanes.push(lane("body", step.use === "for_each" ? "for each item" : "in each round", step.body?.steps));
  if (step.on_error === "rescue" || step.rescue) lanes.push(lane("rescue", "if this fails", step.rescue?.steps));
  return lanes;
}

export interface Walked {
  step: Step;
  place: Place;
  depth: number;
  /** As people count: 2 for the first step after the trigger, then on in reading order. */
  number: number;
}

/** Every step in reading order. */
export function walk(workflow: Workflow): Walked[] {
  const all: Walked[] = [];
  const go = (steps: Step[], parent: Parent | undefined, depth: number): void =>
    steps.forEach((step, index) => {
      all.push({ step, place: parent ? { parent, index } : { index }, depth, number: all.length + 2 });
      for (const inner of lanesOf(step)) go(inner.steps, inner.parent, depth + 1);
    });
  go(workflow.steps, undefined, 0);
  return all;
}

export const findStep = (workflow: Workflow, id: string): Walked | undefined => walk(workflow).find((it) => it.step.id === id);

/** The steps of a lane; undefined when the lane is gone. */
export function laneSteps(workflow: Workflow, parent: Parent | undefined): Step[] | undefined {
  if (!parent) return workflow.steps;
  const step = findStep(workflow, parent.step)?.step;
  return step && lanesOf(step).find((it) => it.parent.lane === parent.lane)?.steps;
}

/** What a step can see: everything that runs before it on its way, in order. For steps inside earlier branches too, as they may have run. */
export function before(workflow: Workflow, id: string): Step[] {
  const seen: Step[] = [];
  const all = (steps: Step[]): void => steps.forEach((step) => { seen.push(step); past(step); });
  // The rounds of a for-each have many results, so none of their steps has one.
  const past = (step: Step): void => lanesOf(step).forEach((lane) => { if (step.use !== "for_each" || lane.parent.lane !== "body") all(lane.steps); });
  const holds = (it: Step): boolean => it.id === id || lanesOf(it).some((lane) => lane.steps.some(holds));
  const go = (steps: Step[]): boolean => {
    for (const step of steps) {
      if (step.id === id) {
        // What a repeat asks after each round it asks of the steps inside.
        if (step.use === "repeat") all(step.body?.steps ?? []);
        return true;
      }
      const inside = lanesOf(step).find((lane) => lane.steps.some(holds));
      // A loop and a parallel step have no result before they are done, so not for what is inside them.
      if (!inside || step.use === "branch" || inside.parent.lane === "rescue") seen.push(step);
      if (inside) {
        const later = step.use === "repeat" && inside.parent.lane === "body" ? inside.steps : [];
        const found = go(inside.steps);
        // In a repeat, what comes later has a result of the round before.
        for (const one of later) if (one.id !== id && !holds(one) && !seen.includes(one)) { seen.push(one); past(one); }
        return found;
      }
      past(step);
    }
    return false;
  };
  go(workflow.steps);
  return seen;
}

/** The steps around a step, outermost first, and in which lane of each it is. */
export function around(workflow: Workflow, id: string): { step: Step; lane: Parent["lane"] }[] {
  const found: { step: Step; lane: Parent["lane"] }[] = [];
  for (let place = findStep(workflow, id)?.place.parent; place; ) {
    const outer = findStep(workflow, place.step);
    if (!outer) break;
    found.unshift({ step: outer.step, lane: place.lane });
    place = outer.place.parent;
  }
  return found;
}

/** A new id for a step of this operation: readable in expressions, unique in the document. */
export function freshId(workflow: Workflow, operation: string, taken: ReadonlySet<string> = new Set()): string {
  const first = operation.split(".")[0] ?? "step";
  const base = first.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+/, "").slice(0, 50) || "step";
  const used = new Set(walk(workflow).map((it) => it.step.id));
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}_${n}`;
    if (!used.has(id) && !taken.has(id)) return id;
  }
}

/** A copy of a step under new ids, its inner steps too; references between the copied steps follow. */
export function copyStep(workflow: Workflow, step: Step): Step {
  const taken = new Set<string>();
  const renamed = new Map<string, string>();
  const name = (it: Step): void => {
    const id = freshId(workflow, it.use, taken);
    taken.add(id);
    renamed.set(it.id, id);
    lanesOf(it).forEach((lane) => lane.steps.forEach(name));
  };
  name(step);
  const text = JSON.stringify(step, (key, value: unknown) => {
    if (key === "id" && typeof value === "string") return renamed.get(value) ?? value;
    if (typeof value === "string") return value.replace(/\bsteps\.([a-z][a-z0-9_]*)/g, (all, id: string) => (renamed.has(id) ? `steps.${renamed.get(id)}` : all));
    return value;
  });
  return JSON.parse(text) as Step;
}

export const isShown = (field: Field, input: Obj, fields: Field[]): boolean => {
  if (!field.show_if) return true;
  const other = fields.find((it) => it.name === field.show_if?.field);
  if (other && !isShown(other, input, fields)) return false;
  const value = input[field.show_if.field] ?? other?.default ?? null;
  return field.show_if.is.some((it) => JSON.stringify(it) === JSON.stringify(value));
};

export const equal = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
