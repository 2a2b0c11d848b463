// A workflow in words: what a step does in one line, a condition as a sentence. Pure.
import type { Catalogue, Conditions, Json, Step, Test, Trigger, Workflow } from "./model";
import { leadingPath, parse, readPath } from "./template";
import { cut } from "./samples";

export interface Operator {
  is: string;
  words: string;
  /** How many values it compares with. */
  needs: 0 | 1 | 2;
  about: "anything" | "text" | "number" | "date" | "yes or no";
}

export const operators: Operator[] = [
  { is: "equals", words: "is", needs: 1, about: "anything" },
  { is: "not_equals", words: "is not", needs: 1, about: "anything" },
  { is: "is_empty", words: "is empty", needs: 0, about: "anything" },
  { is: "is_not_empty", words: "is not empty", needs: 0, about: "anything" },
  { is: "exists", words: "exists", needs: 0, about: "anything" },
  { is: "does_not_exist", words: "does not exist", needs: 0, about: "anything" },
  { is: "contains", words: "contains", needs: 1, about: "text" },
  { is: "not_contains", words: "does not contain", needs: 1, about: "text" },
  { is: "starts_with", words: "starts with", needs: 1, about: "text" },
  { is: "ends_with", words: "ends with", needs: 1, about: "text" },
  { is: "one_of", words: "is one of", needs: 1, about: "text" },
  { is: "not_one_of", words: "is none of", needs: 1, about: "text" },
  { is: "matches", words: "matches the pattern", needs: 1, about: "text" },
  { is: "greater_than", words: "is greater than", needs: 1, about: "number" },
  { is: "at_least", words: "is at least", needs: 1, about: "number" },
  { is: "less_than", words: "is less than", needs: 1, about: "number" },
  { is: "at_most", words: "is at most", needs: 1, about: "number" },
  { is: "between", words: "is between", needs: 2, about: "number" },
  { is: "before", words: "is before", needs: 1, about: "date" },
  { is: "after", words: "is after", needs: 1, about: "date" },
  { is: "is_true", words: "is true", needs: 0, about: "yes or no" },
  { is: "is_false", words: "is false", needs: 0, about: "yes or no" },
];

export const operator = (is: string): Operator => operators.find((it) => it.is === is) ?? { is, words: is, needs: 1, about: "anything" };

/** Which operators suit a value best. */
export const aboutOf = (value: Json | undefined): Operator["about"] =>
  typeof value === "number" ? "number" : typeof value === "boolean" ? "yes or no" : typeof value === "string" && /^\d{4}-\d\d-\d\d([T ]|$)/.test(value) ? "date" : "text";

/** The last name of a path, as people would say it. */
export function shortName(expression: string): string {
  const keys = readPath(expression) ?? leadingPath(expression);
  if (!keys) return cut(expression, 32);
  const names = keys.filter((it): it is string => typeof it === "string");
  const last = names.at(-1) ?? expression;
  return cut(last.replace(/_/g, " "), 32);
}

/** A text with its expressions named. */
export function inWords(value: Json | undefined, most = 48): string {
  if (value === undefined || value === null || value === "") return "…";
  if (Array.isArray(value)) return cut(value.map((it) => inWords(it, 24)).join(" and "), most);
  if (typeof value === "object") return cut(JSON.stringify(value), most);
  return cut(parse(String(value)).map((part) => ("text" in part ? part.text : shortName(part.expression))).join("").replace(/\s+/g, " ").trim() || "…", most);
}

const isTest = (it: Conditions): it is Test => "is" in it;

/** A condition as a sentence without its "if". */
export function conditionInWords(it: Conditions | undefined): string {
  if (!it) return "…";
  if (isTest(it)) {
    const how = operator(it.is);
    return [inWords(it.value, 28), how.words, how.needs > 0 ? inWords(it.to, 28) : ""].filter(Boolean).join(" ");
  }
  if ("expression" in it) return cut(it.expression, 48) || "…";
  const [parts, word] = "all" in it ? [it.all, "and"] : [it.any, "or"];
  if (parts.length === 0) return "all" in it ? "always" : "never";
  const said = parts.map((part) => (isTest(part) || parts.length === 1 ? conditionInWords(part) : `(${conditionInWords(part)})`));
  return cut(said.join(` ${word} `), 90);
}

/** A case's title, or its condition when nobody gave it one. */
export const caseTitle = (it: { title: string; if: Conditions }): string => it.title || conditionInWords(it.if);

/** What stands on a step's card: its title, or what it does. */
export const stepTitle = (step: Step | Trigger, catalogue: Catalogue): string => {
  if (step.title) return step.title;
  const operation = catalogue.operations.find((it) => it.name === step.use);
  if (step.use === "form" && inputText(step.input, "title")) return `When “${inputText(step.input, "title")}” is sent`;
  if (step.use === "schedule") return scheduleInWords(step.input ?? {});
  if (step.use === "branch" && "cases" in step) {
    const cases = step.cases ?? [];
    if (cases.length === 1 && cases[0] && isWritten(cases[0].if)) return `If ${caseTitle(cases[0])}`;
    return cases.length > 1 ? `Branch into ${cases.length + 1} ways` : (operation?.title ?? step.use);
  }
  if (step.use === "for_each" && inputText(step.input, "list")) return `For each of ${inWords(step.input?.["list"], 40)}`;
  if (step.use === "repeat" && "if" in step && step.if && isWritten(step.if)) return `Repeat while ${conditionInWords(step.if)}`;
  if (step.use === "parallel" && "lanes" in step && step.lanes?.some((it) => it.title)) return `At the same time: ${step.lanes.map((it, index) => it.title || `lane ${index + 1}`).join(", ")}`;
  if (step.use === "filter" && "if" in step && step.if && isWritten(step.if)) return `Go on only if ${conditionInWords(step.if)}`;
  const kept = step.use === "list.filter" ? (step.input?.["condition"] as Conditions | undefined) : undefined;
  if (kept && isWritten(kept)) return `Keep only items where ${conditionInWords(kept)}`;
  return operation?.sentence || step.use;
};

/** Has somebody begun to write this condition? */
export const isWritten = (it: Conditions): boolean => !conditionInWords(it).startsWith("…");

const inputText = (input: { [key: string]: Json } | undefined, key: string): string => {
  const value = input?.[key];
  return typeof value === "string" ? value.trim() : "";
};

/** The second line of a step's card: what it works on. */
export function stepDetail(step: Step | Trigger, catalogue: Catalogue): string {
  const input = step.input ?? {};
  switch (step.use) {
    case "http.request": {
      const url = inputText(input, "url");
      return url ? `${inputText(input, "method") || "GET"} ${inWords(url.replace(/^https?:\/\//, ""), 40)}` : "";
    }
    case "email.send":
      return input["to"] ? `to ${inWords(input["to"], 40)}` : "";
    case "set": {
      const fields = input["fields"];
      return typeof fields === "object" && fields !== null ? cut(Object.keys(fields).join(", "), 44) : "";
    }
    case "filter":
      return "";
    case "delay":
      return input["mode"] === "until" ? `until ${inWords(input["until"], 36)}` : input["for"] ? `for ${spanInWords(input["for"])}` : "";
    case "respond":
      return `status ${inWords(input["status"] ?? 200, 12)}`;
    case "stop":
      return inputText(input, "reason") ? inWords(input["reason"], 40) : "";
    case "branch":
      return "";
    case "for_each": {
      const many = Number(input["at_once"] ?? 1);
      return [many > 1 ? `${many} at a time` : "", input["on_failed"] === "go_on" ? "goes on when one fails" : ""].filter(Boolean).join(", ");
    }
    case "repeat":
      return `at most ${inWords(input["most"] ?? 100, 12)} rounds`;
    case "parallel":
      return input["join"] === "first" ? "goes on with the first" : input["join"] === "some" ? `goes on when ${inWords(input["needed"] ?? 1, 12)} are done` : "";
    case "schedule":
      return inputText(input, "zone").replaceAll("_", " ");
    default:
      return catalogue.operations.find((it) => it.name === step.use)?.title ?? "";
  }
}

const weekdays: [string, string][] = [
  ["mon", "Monday"],
  ["tue", "Tuesday"],
  ["wed", "Wednesday"],
  ["thu", "Thursday"],
  ["fri", "Friday"],
  ["sat", "Saturday"],
  ["sun", "Sunday"],
];

/** A schedule as the engine says it; a cron line as it stands. */
export function scheduleInWords(input: { [key: string]: Json }): string {
  const at = ` at ${(inputText(input, "at") || "09:00").padStart(5, "0")}`;
  const count = (key: string, usual: number): number => Number(input[key] ?? usual);
  switch (input["repeat"] ?? "days") {
    case "minutes":
      return count("minutes", 15) === 1 ? "Every minute" : `Every ${count("minutes", 15)} minutes`;
    case "hours":
      return count("hours", 1) === 1 ? "Every hour" : `Every ${count("hours", 1)} hours`;
    case "weeks": {
      const chosen = Array.isArray(input["days"]) ? input["days"] : ["mon"];
      const names = weekdays.filter(([key]) => chosen.includes(key)).map(([, name]) => name);
      if (names.length === 7) return `Every day${at}`;
      if (names.join() === "Monday,Tuesday,Wednesday,Thursday,Friday") return `Every weekday${at}`;
      return `Every ${[names.slice(0, -1).join(", "), ...names.slice(-1)].filter(Boolean).join(" and ") || "…"}${at}`;
    }
    case "months":
      return `${input["day"] === "last" ? "On the last day" : `On day ${inputText(input, "day") || "1"}`} of the month${at}`;
    case "cron":
      return inputText(input, "cron") ? `By the cron line ${inputText(input, "cron")}` : "By a cron line …";
    default:
      return `Every day${at}`;
  }
}

const units: Record<string, string> = { ms: "millisecond", s: "second", m: "minute", h: "hour", d: "day" };

export function spanInWords(value: Json): string {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(String(value).trim());
  if (!match?.[1] || !match[2]) return inWords(value, 30);
  return `${match[1]} ${units[match[2]]}${match[1] === "1" ? "" : "s"}`;
}

/** The workflow in a sentence, for the list and for screen readers. */
export function summary(workflow: Workflow, catalogue: Catalogue): string {
  const start = workflow.trigger ? stepTitle(workflow.trigger, catalogue) : "Nothing starts this yet";
  return [start, ...workflow.steps.slice(0, 4).map((it) => stepTitle(it, catalogue).toLowerCase())].join(", ");
}
