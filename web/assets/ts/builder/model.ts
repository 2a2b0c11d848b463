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
  if?: Conditions;
  retry?: Retry;
  timeout?: string;
  on_error?: "fail" | "continue";
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
  /** `{ kind: "choice", options }` and so on. */
  kind: { kind: string; options?: Choice[] };
  required: boolean;
  advanced: boolean;
  default?: Json;
  placeholder?: string;
  show_if?: { field: string; is: Json[] };
  expressions: boolean;
  /** Options that the service lists. */
  pick?: { needs?: string[]; searches?: boolean; accept_url?: string };
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

/** A lane inside a branch: a case's index, or its otherwise. */
export interface Parent {
  step: string;
  lane: number | "otherwise";
}

/** A place between steps; without a parent among the workflow's own. */
export interface Place {
  parent?: Parent;
  index: number;
}

export const sameLane = (a: Parent | undefined, b: Parent | undefined): boolean => a?.step === b?.step && a?.lane === b?.lane;

/** The lanes inside a step, in the order in which they are drawn. */
export function lanesOf(step: Step): { parent: Parent; title: string; steps: Step[] }[] {
  const lanes: { parent: Parent; title: string; steps: Step[] }[] = (step.cases ?? []).map((it, index) => ({
    parent: { step: step.id, lane: index },
    title: it.title,
    steps: it.steps,
  }));
  if (step.use === "branch") lanes.push({ parent: { step: step.id, lane: "otherwise" }, title: "otherwise", steps: step.otherwise?.steps ?? [] });
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
  if (step?.use !== "branch") return undefined;
  return parent.lane === "otherwise" ? (step.otherwise?.steps ?? []) : step.cases?.[parent.lane]?.steps;
}

/** What a step can see: everything that runs before it on its way, in order. For steps inside earlier branches too, as they may have run. */
export function before(workflow: Workflow, id: string): Step[] {
  const seen: Step[] = [];
  const all = (steps: Step[]): void => steps.forEach((step) => { seen.push(step); lanesOf(step).forEach((lane) => all(lane.steps)); });
  const go = (steps: Step[]): boolean => {
    for (const step of steps) {
      if (step.id === id) return true;
      const lanes = lanesOf(step);
      const holds = (it: Step): boolean => it.id === id || lanesOf(it).some((lane) => lane.steps.some(holds));
      const inside = lanes.find((lane) => lane.steps.some(holds));
      seen.push(step);
      if (inside) return go(inside.steps);
      lanes.forEach((lane) => all(lane.steps));
    }
    return false;
  };
  go(workflow.steps);
  return seen;
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
