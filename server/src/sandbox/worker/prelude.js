// What is in place before the user's code: a console, and the way of values in and out. It runs first, in the same fresh world, and
// keeps what it needs from being changed. `say` takes a line of the console, `tooMuch` hears that the output is too large.
(function (say, tooMuch, most) {
  "use strict";
  const { parse, stringify, rawJSON } = JSON;
  const { isSafeInteger, isFinite } = Number;
  const wellFormed = Function.prototype.call.bind(String.prototype.toWellFormed);
  const DEPTH = 6, ITEMS = 100, TEXT = 10000;

  // Whole numbers beyond 2^53 are BigInts in here, and keep their digits when they are written.
  Object.defineProperty(BigInt.prototype, "toJSON", {
    value() { return rawJSON(String(this)); }, writable: true, configurable: true,
  });

  const read = (text, hasLong) => hasLong
    ? parse(text, (key, value, { source }) => typeof value === "number" && !isSafeInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value)
    : parse(text);

  const place = (key) => (key === "" ? "The result" : `"${key}"`);

  const write = (result) => {
    let size = 0, noted = 0;
    const note = (text) => { if (++noted <= 5) say(wellFormed(text)); };
    const each = (key, value) => {
      size += key.length + 4;
      if (typeof value === "string") size += value.length;
      if (size > most) { tooMuch(); throw new RangeError("too much output"); }
      if (typeof value === "number" && !isFinite(value)) note(`${place(key)} is ${value}, which JSON doesn't know: it became null.`);
      if (typeof value === "function" || typeof value === "symbol") note(`${place(key)} is a ${typeof value} and was left out.`);
      if (value instanceof Map) return Object.fromEntries(value);
      if (value instanceof Set) return [...value];
      if (value instanceof Error) return { name: value.name, message: value.message };
      return value;
    };
    const text = stringify(result, each);
    return text === undefined ? "null" : text;
  };

  // A value as a line of a console shows it.
  const show = (value, depth = 0, inside = new Set()) => {
    switch (typeof value) {
      case "string": return depth === 0 ? value : stringify(value);
      case "bigint": return `${value}n`;
      case "function": return `[function ${value.name || "without a name"}]`;
      case "object": break;
      default: return String(value);
    }
    if (value === null) return "null";
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    if (value instanceof Date) return isFinite(value.getTime()) ? value.toISOString() : "Invalid Date";
    if (value instanceof RegExp) return String(value);
    if (value instanceof Promise) return "[promise: write await before it]";
    if (inside.has(value)) return "[circular]";
    if (depth === DEPTH) return Array.isArray(value) ? "[…]" : "{…}";
    inside.add(value);
    const next = (it) => show(it, depth + 1, inside);
    const rest = (count) => (count > ITEMS ? [`… ${count - ITEMS} more`] : []);
    let shown;
    if (Array.isArray(value)) {
      shown = `[${[...value.slice(0, ITEMS).map(next), ...rest(value.length)].join(", ")}]`;
    } else if (value instanceof Set) {
      shown = `Set {${[...[...value].slice(0, ITEMS).map(next), ...rest(value.size)].join(", ")}}`;
    } else if (value instanceof Map) {
      shown = `Map {${[...[...value].slice(0, ITEMS).map(([key, it]) => `${next(key)} => ${next(it)}`), ...rest(value.size)].join(", ")}}`;
    } else {
      const keys = Object.keys(value);
      const fields = keys.slice(0, ITEMS).map((key) => `${/^[\w$]+$/.test(key) ? key : stringify(key)}: ${next(value[key])}`);
      shown = `{${[...fields, ...rest(keys.length)].join(", ")}}`;
    }
    inside.delete(value);
    return shown;
  };

  const safely = (value) => {
    try {
      const text = String(show(value));
      return wellFormed(text.length > TEXT ? `${text.slice(0, TEXT)}… (${text.length - TEXT} characters left out)` : text);
    } catch (error) {
      return "[can't be shown]";
    }
  };

  const line = (level) => (...values) => { say(wellFormed(level + values.map(safely).join(" "))); };
  const console = { log: line(""), info: line(""), debug: line(""), dir: line(""), table: line(""), trace: line(""), warn: line("warning: "), error: line("error: ") };
  Object.defineProperty(globalThis, "console", { value: console, writable: true, configurable: true });

  return { read, write, show: safely };
})
