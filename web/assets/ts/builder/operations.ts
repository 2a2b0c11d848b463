// Edits of a document: what autosave sends, what undo takes back and what a stale tab replays. Each changes one thing, and applying
// it yields the edit that takes it back. The server applies the same edits to the same document. Pure.
import { findStep, laneSteps, type Case, type Conditions, type Json, type NamedLane, type OnError, type Parent, type Place, type Retry, type Step, type Trigger, type Workflow } from "./model";

/** As the API takes them. A field that is left out (`title`, `value`, …) is removed. */
export type Operation =
  | { op: "set_name"; name: string }
  | { op: "set_trigger"; trigger: Trigger }
  | { op: "remove_trigger" }
  | { op: "set_trigger_title"; title?: string }
  | { op: "set_trigger_input"; field: string; value?: Json }
  | { op: "add_step"; at: Place; step: Step }
  | { op: "remove_step"; step: string }
  | { op: "move_step"; step: string; to: Place }
  | { op: "set_input"; step: string; field: string; value?: Json }
  | { op: "set_title"; step: string; title?: string }
  | { op: "set_note"; step: string; note?: string }
  | { op: "set_condition"; step: string; condition?: Conditions }
  | { op: "add_case"; step: string; index: number; case: Case }
  | { op: "remove_case"; step: string; index: number }
  | { op: "move_case"; step: string; from: number; to: number }
  | { op: "set_case_title"; step: string; index: number; title: string }
  | { op: "set_case_condition"; step: string; index: number; condition: Conditions }
  | { op: "add_lane"; step: string; index: number; lane: NamedLane }
  | { op: "remove_lane"; step: string; index: number }
  | { op: "move_lane"; step: string; from: number; to: number }
  | { op: "set_lane_title"; step: string; index: number; title: string }
  | { op: "set_retry"; step: string; retry?: Retry }
  | { op: "set_timeout"; step: string; timeout?: string }
  | { op: "set_on_error"; step: string; on_error: OnError }
  /** `trigger` names the trigger. */
  | { op: "set_connection"; step: string; connection?: string };

/** An edit that does not fit the document any more: its step is gone, or somebody else moved it. */
export class DoesNotFit extends Error {}

const refuse = (what: string): never => {
  throw new DoesNotFit(what);
};

/** The document after the edit, and the edits that take it back. The document given is not changed. */
export function apply(workflow: Workflow, operation: Operation): { workflow: Workflow; inverse: Operation[] } {
  const next = structuredClone(workflow);
  return { workflow: next, inverse: change(next, operation) };
}

/** Several edits one after the other; the inverses stand in the order in which they must be applied. */
export function applyAll(workflow: Workflow, operations: readonly Operation[]): { workflow: Workflow; inverse: Operation[] } {
  const next = structuredClone(workflow);
  const inverse: Operation[] = [];
  for (const operation of operations) inverse.unshift(...change(next, operation));
  return { workflow: next, inverse };
}

function stepOf(workflow: Workflow, id: string): Step {
  return findStep(workflow, id)?.step ?? refuse(`There is no step ${id} any more.`);
}

/** A lane to work on. One with a name that was never written down is made; `tidy` takes it away when it stays empty. */
function stepsOf(workflow: Workflow, parent: Parent | undefined): Step[] {
  if (typeof parent?.lane === "string") (stepOf(workflow, parent.step)[parent.lane] ??= { steps: [] });
  return laneSteps(workflow, parent) ?? refuse("The lane that this belongs to is gone.");
}

function tidy(workflow: Workflow, parent: Parent | undefined): void {
  if (typeof parent?.lane !== "string") return;
  const step = findStep(workflow, parent.step)?.step;
  if (step?.[parent.lane]?.steps.length === 0) delete step[parent.lane];
}

const lanesIn = (workflow: Workflow, id: string): NamedLane[] => (stepOf(workflow, id).lanes ??= []);

const laneAt = (workflow: Workflow, id: string, index: number): NamedLane => lanesIn(workflow, id)[index] ?? refuse("That lane is gone.");

function casesOf(workflow: Workflow, id: string): Case[] {
  return (stepOf(workflow, id).cases ??= []);
}

const within = (index: number, length: number): number => (index >= 0 && index <= length ? index : refuse("That place is gone."));

/** Sets or removes an optional property; answers with what it was, under the name that an operation gives it. */
function swap<T extends object, K extends keyof T, N extends string>(target: T, key: K, value: T[K] | undefined, name: N): { [name in N]?: NonNullable<T[K]> } {
  const old = target[key];
  if (value === undefined) delete target[key];
  else target[key] = structuredClone(value);
  return (old === undefined ? {} : { [name]: old }) as { [name in N]?: NonNullable<T[K]> };
}

const triggerOf = (workflow: Workflow): Trigger => workflow.trigger ?? refuse("There is no trigger any more.");

function change(workflow: Workflow, it: Operation): Operation[] {
  switch (it.op) {
    case "set_name": {
      const name = workflow.name;
      workflow.name = it.name;
      return [{ op: "set_name", name }];
    }
    case "set_trigger": {
      const old = workflow.trigger;
      workflow.trigger = structuredClone(it.trigger);
      return [old ? { op: "set_trigger", trigger: old } : { op: "remove_trigger" }];
    }
    case "remove_trigger": {
      const old = triggerOf(workflow);
      delete workflow.trigger;
      return [{ op: "set_trigger", trigger: old }];
    }
    case "set_trigger_title":
      return [{ op: "set_trigger_title", ...swap(triggerOf(workflow), "title", it.title, "title") }];
    case "set_trigger_input":
      return [{ op: "set_trigger_input", field: it.field, ...swap(triggerOf(workflow).input, it.field, it.value, "value") }];
    case "add_step": {
      if (findStep(workflow, it.step.id)) refuse(`There is a step ${it.step.id} already.`);
      const lane = stepsOf(workflow, it.at.parent);
      lane.splice(within(it.at.index, lane.length), 0, structuredClone(it.step));
      return [{ op: "remove_step", step: it.step.id }];
    }
    case "remove_step": {
      const found = take(workflow, it.step);
      tidy(workflow, found.place.parent);
      return [{ op: "add_step", at: found.place, step: found.step }];
    }
    case "move_step": {
      const parent = it.to.parent;
      const inside = findStep(workflow, it.step)?.step;
      if (parent && inside && findStep({ ...workflow, steps: [inside] }, parent.step)) refuse("A step can't be moved into itself.");
      const found = take(workflow, it.step);
      const target = stepsOf(workflow, parent);
      target.splice(within(it.to.index, target.length), 0, found.step);
      tidy(workflow, found.place.parent);
      return [{ op: "move_step", step: it.step, to: found.place }];
    }
    case "set_input": {
      const input = (stepOf(workflow, it.step).input ??= {});
      return [{ op: "set_input", step: it.step, field: it.field, ...swap(input, it.field, it.value, "value") }];
    }
    case "set_title":
      return [{ op: "set_title", step: it.step, ...swap(stepOf(workflow, it.step), "title", it.title, "title") }];
    case "set_note":
      return [{ op: "set_note", step: it.step, ...swap(stepOf(workflow, it.step), "note", it.note, "note") }];
    case "set_condition":
      return [{ op: "set_condition", step: it.step, ...swap(stepOf(workflow, it.step), "if", it.condition, "condition") }];
    case "set_retry":
      return [{ op: "set_retry", step: it.step, ...swap(stepOf(workflow, it.step), "retry", it.retry, "retry") }];
    case "set_timeout":
      return [{ op: "set_timeout", step: it.step, ...swap(stepOf(workflow, it.step), "timeout", it.timeout, "timeout") }];
    case "set_on_error": {
      const old = swap(stepOf(workflow, it.step), "on_error", it.on_error === "fail" ? undefined : it.on_error, "on_error");
      return [{ op: "set_on_error", step: it.step, on_error: old.on_error ?? "fail" }];
    }
    case "set_connection": {
      const target: Trigger | Step = it.step === "trigger" ? triggerOf(workflow) : stepOf(workflow, it.step);
      return [{ op: "set_connection", step: it.step, ...swap(target, "connection", it.connection, "connection") }];
    }
    case "add_lane": {
      const lanes = lanesIn(workflow, it.step);
      lanes.splice(within(it.index, lanes.length), 0, structuredClone(it.lane));
      return [{ op: "remove_lane", step: it.step, index: it.index }];
    }
    case "remove_lane": {
      const gone = laneAt(workflow, it.step, it.index);
      lanesIn(workflow, it.step).splice(it.index, 1);
      return [{ op: "add_lane", step: it.step, index: it.index, lane: gone }];
    }
    case "move_lane": {
      const moved = laneAt(workflow, it.step, it.from);
      laneAt(workflow, it.step, it.to);
      const lanes = lanesIn(workflow, it.step);
      lanes.splice(it.from, 1);
      lanes.splice(it.to, 0, moved);
      return [{ op: "move_lane", step: it.step, from: it.to, to: it.from }];
    }
    case "set_lane_title": {
      const one = laneAt(workflow, it.step, it.index);
      const title = one.title;
      one.title = it.title;
      return [{ op: "set_lane_title", step: it.step, index: it.index, title }];
    }
    case "add_case": {
      const cases = casesOf(workflow, it.step);
      cases.splice(within(it.index, cases.length), 0, structuredClone(it.case));
      return [{ op: "remove_case", step: it.step, index: it.index }];
    }
    case "remove_case": {
      const gone = caseOf(workflow, it.step, it.index);
      casesOf(workflow, it.step).splice(it.index, 1);
      return [{ op: "add_case", step: it.step, index: it.index, case: gone }];
    }
    case "move_case": {
      const moved = caseOf(workflow, it.step, it.from);
      const cases = casesOf(workflow, it.step);
      caseOf(workflow, it.step, it.to);
      cases.splice(it.from, 1);
      cases.splice(it.to, 0, moved);
      return [{ op: "move_case", step: it.step, from: it.to, to: it.from }];
    }
    case "set_case_title": {
      const one = caseOf(workflow, it.step, it.index);
      const title = one.title;
      one.title = it.title;
      return [{ op: "set_case_title", step: it.step, index: it.index, title }];
    }
    case "set_case_condition": {
      const one = caseOf(workflow, it.step, it.index);
      const condition = one.if;
      one.if = structuredClone(it.condition);
      return [{ op: "set_case_condition", step: it.step, index: it.index, condition }];
    }
  }
}

function caseOf(workflow: Workflow, step: string, index: number): Case {
  return casesOf(workflow, step)[index] ?? refuse("That case is gone.");
}

/** Takes a step out of its lane. */
function take(workflow: Workflow, id: string): { step: Step; place: Place } {
  const found = findStep(workflow, id) ?? refuse(`There is no step ${id} any more.`);
  stepsOf(workflow, found.place.parent).splice(found.place.index, 1);
  return found;
}

/** What two edits of the same field have in common, so that typing is one step of undo and not one per letter. */
export function sameField(operation: Operation): string | undefined {
  switch (operation.op) {
    case "set_name":
    case "set_trigger_title":
      return operation.op;
    case "set_trigger_input":
      return `trigger/${operation.field}`;
    case "set_input":
      return `${operation.step}/input/${operation.field}`;
    case "set_title":
    case "set_note":
    case "set_condition":
    case "set_retry":
    case "set_timeout":
      return `${operation.step}/${operation.op}`;
    case "set_case_title":
    case "set_case_condition":
    case "set_lane_title":
      return `${operation.step}/${operation.op}/${operation.index}`;
    default:
      return undefined;
  }
}

/**
 * Puts own edits on top of a document that others changed meanwhile. An edit that no longer fits is left out and counted: what it
 * was about is gone.
 */
export function rebase(workflow: Workflow, own: readonly Operation[]): { workflow: Workflow; kept: Operation[]; lost: number } {
  let current = workflow;
  const kept: Operation[] = [];
  for (const operation of own) {
    try {
      current = apply(current, operation).workflow;
      kept.push(operation);
    } catch (error) {
      if (!(error instanceof DoesNotFit)) throw error;
    }
  }
  return { workflow: current, kept, lost: own.length - kept.length };
}

/** The step that an edit is about, to show it after undo and redo. */
export function about(operation: Operation): string | undefined {
  switch (operation.op) {
    case "set_name":
      return undefined;
    case "set_trigger":
    case "remove_trigger":
    case "set_trigger_title":
    case "set_trigger_input":
      return "trigger";
    case "add_step":
      return operation.step.id;
    default:
      return operation.step;
  }
}

/** An edit of a field, of the trigger or of a step. */
export const setInput = (step: string, field: string, value: Json | undefined): Operation => {
  const set = value === undefined ? {} : { value };
  return step === "trigger" ? { op: "set_trigger_input", field, ...set } : { op: "set_input", step, field, ...set };
};

export const setTitle = (step: string, title: string): Operation => {
  const set = title.trim() ? { title: title.trim() } : {};
  return step === "trigger" ? { op: "set_trigger_title", ...set } : { op: "set_title", step, ...set };
};
