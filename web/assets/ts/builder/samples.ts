// The data that fields are mapped from: what really arrived and what steps really gave where there is any, examples otherwise.
import { lanesOf, type Catalogue, type Column, type DataTable, type Json, type Obj, type Question, type Step, type Trigger, type Workflow } from "./model";
import { readPath, type Key } from "./template";

export interface Sample {
  value: Json;
  /** Made up, because nothing real is there yet. */
  example: boolean;
  /** When the real one came. */
  at?: string;
}

/** A value inside data; undefined when the path leads nowhere. */
export function at(value: Json | undefined, keys: readonly Key[]): Json | undefined {
  let current = value;
  for (const key of keys) {
    if (Array.isArray(current)) current = typeof key === "number" ? current[key] : undefined;
    else if (typeof current === "object" && current !== null && Object.hasOwn(current, key)) current = current[key];
    else return undefined;
  }
  return current;
}

const answers: Record<string, Json> = {
  text: "Ada Lovelace",
  long_text: "Hello! I have a question about your offer.",
  number: 42,
  date: "2026-05-04",
  email: "ada@example.com",
  consent: true,
  boolean: true,
  file: { $file: "00000000-0000-0000-0000-000000000000", name: "photo.jpg", type: "image/jpeg", size: 48213 },
};

/** What a form's answers may look like, before anybody answered. */
export function exampleAnswers(questions: readonly Question[]): Obj {
  const example: Obj = {};
  for (const question of questions) {
    if (!question.name) continue;
    const named = question.kind === "text" && !/name/i.test(`${question.name} ${question.label}`);
    example[question.name] = question.kind === "choice" ? (question.options?.[0] ?? "") : named ? question.label || question.name : (answers[question.kind] ?? "");
  }
  return example;
}

function ofTrigger(trigger: Trigger, catalogue: Catalogue): Json {
  const known = catalogue.operations.find((it) => it.name === trigger.use)?.sample ?? {};
  const list = trigger.use === "form" ? trigger.input["fields"] : trigger.use === "manual" || trigger.use === "called" ? trigger.input["inputs"] : undefined;
  if (!Array.isArray(list) || typeof known !== "object" || known === null || Array.isArray(known)) return known;
  return { ...known, body: exampleAnswers(list as unknown as Question[]) };
}

function cell(column: Column): Json {
  switch (column.kind) {
    case "number":
      return 42;
    case "boolean":
      return true;
    case "date":
      return "2026-11-20";
    case "date_time":
      return "2026-11-20T10:25:00.000Z";
    case "choice":
      return column.options?.[0] ?? "";
    case "json":
      return {};
    default:
      return /mail/i.test(column.name) ? "ada@example.com" : column.name;
  }
}

/** What finding rows of a table may give, before anybody looked. */
function foundIn(table: DataTable): Json {
  const at = "2026-11-20T10:25:00.000Z";
  const row: Obj = { id: "0199a8f0-0000-7000-8000-000000000001", ...Object.fromEntries(table.columns.map((it) => [it.name, cell(it)])), created_at: at, updated_at: at };
  return { found: true, count: 1, first: row, rows: [row], more: false };
}

function ofStep(step: Step, catalogue: Catalogue): Json {
  if (step.use === "branch") return { case: 0, title: step.cases?.[0]?.title || "first case" };
  return catalogue.operations.find((it) => it.name === step.use)?.sample ?? {};
}

/** What a failed step leaves for the steps that are done instead. */
export const failure: Obj = { error: { kind: "not_found", message: "The other side says that there is no such thing." } };

/** What is there inside a loop or an error lane, beside the data of the steps. */
export interface Round {
  /** What the round of a for-each is for: the first item, for example. */
  item?: Json | undefined;
  index?: number | undefined;
  /** The step that failed. */
  failed?: string | undefined;
}

/** The data that the server works fields out with. */
export interface Sent {
  trigger: Json;
  steps: Obj;
  item?: Json;
  index?: number;
}

const steps = new WeakSet<object>();

/** Is it a whole step that is worked out, and not fields? */
export const isStep = (it: Obj): boolean => steps.has(it);

/** What says what a step gives without anything being done outside: the fields of a set step, a data step as a whole; undefined for others. */
export function toWorkOut(step: Step, catalogue: Catalogue): Obj | undefined {
  if (step.use === "set") {
    const fields = step.input?.["fields"];
    return typeof fields === "object" && fields !== null && !Array.isArray(fields) ? fields : undefined;
  }
  const operation = catalogue.operations.find((it) => it.name === step.use);
  if (operation?.category !== "data" || operation.connector !== "towpath" || operation.effect) return undefined;
  steps.add(step);
  return step as unknown as Obj;
}

/** Everything that is known of a workflow's data. */
export class Samples {
  /** The event that was picked, of the ones that really arrived. */
  trigger: { value: Json; at?: string; id?: string } | undefined;
  /** What steps gave when they were tried, or in the last run. */
  readonly steps = new Map<string, { value: Json; at?: string }>();
  /** The workspace's data tables, once a step asked for them. */
  tables: DataTable[] | undefined;
  /** The workspace's variables by their names. */
  vars: Obj = {};
  /** What fields with expressions come to over what is known of the steps before; undefined until it is worked out. */
  workOut: (fields: Obj) => Json | undefined = () => undefined;

  of(workflow: Workflow, catalogue: Catalogue, id: string): Sample {
    if (id === "trigger") {
      if (this.trigger) return { ...this.trigger, example: false };
      return { value: workflow.trigger ? ofTrigger(workflow.trigger, catalogue) : {}, example: true };
    }
    const tried = this.steps.get(id);
    if (tried) return { ...tried, example: false };
    const step = find(workflow.steps, id);
    if (!step) return { value: {}, example: true };
    // Nothing is done outside: what it gives follows from what is known already.
    const fields = toWorkOut(step, catalogue);
    if (fields) return { value: this.workOut(fields) ?? (isStep(fields) ? ofStep(step, catalogue) : fields), example: true };
    const last = step.use === "for_each" ? step.body?.steps.at(-1) : undefined;
    if (last && !step.input?.["result"]) {
      const one = this.of(workflow, catalogue, last.id).value;
      return { value: { count: 2, succeeded: 2, filtered: 0, failed: 0, items: [one, one], failures: [] }, example: true };
    }
    const table = step.use === "table.find" ? this.tableOf(step.input?.["table"]) : undefined;
    return { value: table ? foundIn(table) : ofStep(step, catalogue), example: true };
  }

  /** The table that a step names, by its id or its name. */
  tableOf(named: Json | undefined): DataTable | undefined {
    const words = typeof named === "string" ? named.trim().toLowerCase() : "";
    return words === "" ? undefined : this.tables?.find((it) => it.id === words || it.name.toLowerCase() === words);
  }

  /** As the API takes them: the trigger and the given steps. */
  send(workflow: Workflow, catalogue: Catalogue, steps: readonly Step[], round?: Round): Sent {
    const outputs: Obj = {};
    for (const step of steps) outputs[step.id] = step.id === round?.failed ? failure : this.of(workflow, catalogue, step.id).value;
    const inside = { ...(round?.item === undefined ? {} : { item: round.item }), ...(round?.index === undefined ? {} : { index: round.index }) };
    return { trigger: this.of(workflow, catalogue, "trigger").value, steps: outputs, ...inside };
  }

  /** What an expression that is nothing but a path comes to; undefined for any other, and for paths that lead nowhere. */
  look(workflow: Workflow, catalogue: Catalogue, expression: string, round?: Round): Json | undefined {
    const keys = readPath(expression);
    if (keys?.[0] === "item") return at(round?.item, keys.slice(1));
    if (keys?.[0] === "index" && keys.length === 1) return round?.index;
    if (keys?.[0] === "steps" && keys[1] !== undefined && keys[1] === round?.failed) return at(failure, keys.slice(2));
    if (keys?.[0] === "vars") return at(this.vars, keys.slice(1));
    if (keys?.[0] === "trigger") return at(this.of(workflow, catalogue, "trigger").value, keys.slice(1));
    const step = keys?.[1];
    if (keys?.[0] === "steps" && typeof step === "string") return at(this.of(workflow, catalogue, step).value, keys.slice(2));
    return undefined;
  }
}

function find(steps: readonly Step[], id: string): Step | undefined {
  for (const step of steps) {
    if (step.id === id) return step;
    for (const lane of lanesOf(step)) {
      const found = find(lane.steps, id);
      if (found) return found;
    }
  }
  return undefined;
}

/** A value in one short line. */
export function brief(value: Json | undefined, most = 60): string {
  if (value === undefined) return "nothing";
  if (value === null) return "empty";
  if (value === "") return "empty text";
  if (Array.isArray(value)) return value.length === 1 ? "1 item" : `${value.length} items`;
  if (typeof value === "object") {
    if ("$file" in value && typeof value["name"] === "string") return value["name"];
    const keys = Object.keys(value);
    return keys.length === 0 ? "no fields" : cut(keys.join(", "), most);
  }
  if (typeof value === "boolean") return value ? "true" : "false";
  return cut(String(value).replace(/\s+/g, " "), most);
}

export const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
