// Texts with expressions in them: taken apart into words and pills, and put together again. Pure.

export type Part = { text: string } | { expression: string };

/** Splits `Hello {{ trigger.body.name }}!`. A string inside an expression may hold `}}`; an expression that never ends is text. */
export function parse(template: string): Part[] {
  const parts: Part[] = [];
  let rest = 0;
  let from = 0;
  for (;;) {
    const start = template.indexOf("{{", from);
    if (start < 0) break;
    const end = closing(template, start + 2);
    if (end < 0) break;
    if (start > rest) parts.push({ text: template.slice(rest, start) });
    parts.push({ expression: template.slice(start + 2, end).trim() });
    rest = from = end + 2;
  }
  if (rest < template.length) parts.push({ text: template.slice(rest) });
  return parts;
}

/** Where the `}}` stands that ends an expression begun before `from`; -1 when there is none. */
function closing(template: string, from: number): number {
  let quote = "";
  let depth = 0;
  for (let i = from; i < template.length; i++) {
    const c = template.charAt(i);
    if (quote) {
      if (c === "\\") i++;
      else if (c === quote) quote = "";
    } else if (c === '"' || c === "'") quote = c;
    else if (c === "{") depth++;
    else if (c === "}") {
      if (depth > 0) depth--;
      else if (template.charAt(i + 1) === "}") return i;
    }
  }
  return -1;
}

export const write = (parts: Part[]): string =>
  parts.map((part) => ("text" in part ? part.text : `{{ ${part.expression} }}`)).join("");

export const hasExpression = (value: unknown): boolean => {
  if (typeof value === "string") return parse(value).some((part) => "expression" in part);
  if (Array.isArray(value)) return value.some(hasExpression);
  return typeof value === "object" && value !== null && Object.values(value).some(hasExpression);
};

export type Key = string | number;

/** Keys as an expression writes them: `trigger.body.items[0]["first name"]`. */
export function writePath(keys: readonly Key[]): string {
  return keys
    .map((key, i) => {
      if (typeof key === "number") return `[${key}]`;
      if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return i === 0 ? key : `.${key}`;
      return `[${JSON.stringify(key)}]`;
    })
    .join("");
}

/** The keys of an expression that is nothing but a path; undefined for every other. */
export function readPath(expression: string): Key[] | undefined {
  const keys: Key[] = [];
  const step = /^(?:\.?([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\['([^'\\]*)'\])/;
  let rest = expression.trim();
  while (rest) {
    const match = step.exec(rest);
    if (!match) return undefined;
    if (match[1] !== undefined) {
      if ((keys.length === 0) === rest.startsWith(".")) return undefined;
      keys.push(match[1]);
    } else if (keys.length === 0) return undefined;
    else if (match[2] !== undefined) keys.push(Number(match[2]));
    else if (match[3] !== undefined) {
      try {
        keys.push(JSON.parse(match[3]) as string);
      } catch {
        return undefined;
      }
    } else keys.push(match[4] ?? "");
    rest = rest.slice(match[0].length);
  }
  return keys.length > 0 ? keys : undefined;
}

/** The path that an expression begins with, filters and all cut off: what its pill is named after. */
export function leadingPath(expression: string): Key[] | undefined {
  const whole = readPath(expression);
  if (whole) return whole;
  const bar = expression.search(/\s*\|/);
  return bar > 0 ? readPath(expression.slice(0, bar)) : undefined;
}

/** The steps that a value's expressions name. */
export function stepsUsed(value: unknown): Set<string> {
  const used = new Set<string>();
  const look = (it: unknown): void => {
    if (typeof it === "string") {
      for (const part of parse(it)) {
        if ("expression" in part) for (const match of part.expression.matchAll(/\bsteps\.([a-z][a-z0-9_]*)/g)) used.add(match[1] ?? "");
      }
    } else if (Array.isArray(it)) it.forEach(look);
    else if (typeof it === "object" && it !== null) Object.values(it).forEach(look);
  };
  look(value);
  return used;
}
