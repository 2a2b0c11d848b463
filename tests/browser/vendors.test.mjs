// What our connectors send, and what their cases say that comes back, held against the services' own descriptions: the types that GitHub,
// Slack and Todoist publish. Each request, answer and delivery of cases/ becomes a constant of its type, and the compiler is the judge.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "yaml";

const here = dirname(fileURLToPath(import.meta.url));
const connectors = join(here, "../../connectors");
const modules = join(here, "node_modules");

/** A value as TypeScript; what is marked as a date becomes one. */
const literal = (value) => JSON.stringify(value).replace(/"@date:([^"]*)"/g, 'new Date("$1")');
const text = (value) => JSON.stringify(value);
const capital = (word) => word[0].toUpperCase() + word.slice(1);

const PART = `
/** Some of its fields, at any depth: cases leave out what nobody reads. */
type Part<T> = T extends readonly (infer I)[] ? Part<I>[] : T extends object ? { [K in keyof T]?: Part<T[K]> } : T extends string ? \`\${T}\` : T;
`;

/** Which path of the description a request's path is: the one with the most words in common. */
function template(paths, path) {
  const parts = path.split("/");
  const fits = paths.filter((it) => {
    const names = it.split("/");
    return names.length === parts.length && names.every((name, i) => name.startsWith("{") || name === parts[i]);
  });
  const words = (it) => it.split("/").filter((name) => !name.startsWith("{")).length;
  const found = fits.sort((a, b) => words(b) - words(a))[0];
  if (!found) return undefined;
  const given = {};
  found.split("/").forEach((name, i) => {
    if (name.startsWith("{")) given[name.slice(1, -1)] = decodeURIComponent(parts[i]);
  });
  return { found, given };
}

async function github() {
  const types = await readFile(join(modules, "@octokit/openapi-types/types.d.ts"), "utf8");
  const paths = [...types.slice(0, types.indexOf("\nexport interface webhooks")).matchAll(/^ {2}"(\/[^"]*)": \{$/gm)].map((found) => found[1]);
  assert.ok(paths.length > 500, "the types name GitHub's paths");
  return {
    head: `
import type { paths } from "@octokit/openapi-types";
import type { EventPayloadMap } from "@octokit/webhooks-types";
${PART}
type At<T, K> = K extends keyof T ? T[K] : never;
type Known<T> = [NonNullable<T>] extends [never] ? Record<string, never> : NonNullable<T>;
type Path<P extends keyof paths, M> = Known<At<At<At<paths[P], M>, "parameters">, "path">>;
type Query<P extends keyof paths, M> = Known<At<At<At<paths[P], M>, "parameters">, "query">>;
type Body<P extends keyof paths, M> = At<At<NonNullable<At<At<paths[P], M>, "requestBody">>, "content">, "application/json">;
type Answer<P extends keyof paths, M, S> = At<At<At<At<At<paths[P], M>, "responses">, S>, "content">, "application/json">;
type Event<N extends keyof EventPayloadMap> = Part<EventPayloadMap[N]>;
`,
    wrong: [
      `export const lables: Body<"/repos/{owner}/{repo}/issues", "post"> = { title: "x", lables: [] };`,
      `export const nothing: Body<"/repos/{owner}/{repo}/issues", "post"> = {};`,
      `export const page: Query<"/repos/{owner}/{repo}/issues", "get"> = { per_page: "100" };`,
      `export const state: Part<Answer<"/repos/{owner}/{repo}/issues", "post", 201>> = { number: "1" };`,
    ],
    test: (path, reads) => [`${reads.map(text).join(" | ") || "never"}`, `keyof Answer<${text(path)}, "get", 200>`],
    exchange({ request, response }) {
      const method = request.method.toLowerCase();
      const url = new URL(request.url);
      // Links to next pages name repositories by their numbers.
      const path = url.pathname.replace(/^\/repositories\/\d+\//, "/repos/octocat/Hello-World/");
      const known = template(paths, path);
      assert.ok(known, `GitHub has no ${path}`);
      const p = text(known.found);
      for (const name in known.given) if (/_number$/.test(name)) known.given[name] = Number(known.given[name]);
      const made = [
        [`Path<${p}, "${method}">`, known.given],
        [`Query<${p}, "${method}">`, request.query ?? {}],
      ];
      if (request.body != null) made.push([`Body<${p}, "${method}">`, request.body]);
      if (response.body != null) made.push([`Part<Answer<${p}, "${method}", ${response.status}>>`, response.body]);
      return made;
    },
    delivery({ headers, body }) {
      const sent = headers["content-type"].includes("json") ? body : new URLSearchParams(body).get("payload");
      return [[`Event<${text(headers["x-github-event"])}>`, JSON.parse(sent)]];
    },
  };
}

function slack() {
  const method = (path) => path.replace("/api/", "").split(".").map(capital).join("");
  return {
    head: `
import type * as api from "@slack/web-api";
import type { AllMessageEvents } from "@slack/types";
${PART}
`,
    wrong: [
      `export const txt: api.ChatPostMessageArguments = { channel: "C1", txt: "x" };`,
      `export const channel: api.ConversationsHistoryArguments = { limit: 200 };`,
      `export const ts: Part<api.ConversationsHistoryResponse> = { messages: [{ ts: 1 }] };`,
      `export const thread: Part<AllMessageEvents> = { type: "message", thread: "1.2" };`,
    ],
    test: (path, reads) => [reads.map(text).join(" | "), `keyof api.${capital(path.slice(1).split(".").map(capital).join(""))}Response`],
    exchange({ request, response }) {
      const name = method(new URL(request.url).pathname);
      return [
        [`NonNullable<api.${name}Arguments>`, { ...request.query, ...request.body }],
        [`Part<api.${name}Response>`, response.body],
      ];
    },
    delivery({ headers, body }) {
      if (!headers["content-type"].includes("json")) return [];
      const sent = JSON.parse(body);
      return sent.type === "event_callback" ? [["Part<AllMessageEvents>", sent.event]] : [];
    },
  };
}

function todoist() {
  // The package writes names its own way and reads times into dates.
  const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
  const shaped = (value, name = "") => {
    if (Array.isArray(value)) return value.map((item) => shaped(item));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, it]) => [camel(key), shaped(it, key)]));
    return typeof value === "string" && name.endsWith("_at") ? `@date:${value}` : value;
  };
  const operations = {
    "GET /projects": ["api.GetProjectsArgs", "Loose<api.GetProjectsResponse>"],
    "GET /sections": ["api.GetSectionsArgs", "Loose<api.GetSectionsResponse>"],
    "GET /tasks": ["api.GetTasksArgs", "Loose<api.GetTasksResponse>"],
    "POST /tasks": ["api.AddTaskArgs", "Loose<api.Task>"],
    "POST /tasks/{id}/close": ["Record<string, never>", "null"],
    "POST /comments": ["api.AddCommentArgs", "Loose<RawComment>"],
  };
  return {
    head: `
import type * as api from "@doist/todoist-sdk";
type RawComment = Omit<api.Comment, "taskId"> & { itemId: string };
/** Some of its fields; the service sends some that the package doesn't name. */
type Loose<T> = T extends readonly (infer I)[] ? Loose<I>[] : T extends Date ? T : T extends object ? { [K in keyof T]?: Loose<T[K]> } & { [name: string]: unknown } : T;
`,
    wrong: [
      `export const due: api.AddTaskArgs = { content: "x", due: "tomorrow" };`,
      `export const unit: api.AddTaskArgs = { content: "x", durationUnit: "minute" };`,
      `export const both: api.AddCommentArgs = { content: "x", taskId: "1", projectId: "2" };`,
      `export const id: Loose<api.Task> = { id: 1 };`,
    ],
    test: (path, reads) => [reads.map((name) => text(camel(name))).join(" | "), "keyof api.CurrentUser"],
    shapes: {
      task: (names) => [names.map((name) => text(camel(name))).join(" | "), "keyof api.Task"],
      comment: (names) => [names.map((name) => text(camel(name))).join(" | "), "keyof RawComment"],
    },
    exchange({ request, response }) {
      const path = new URL(request.url).pathname.replace(/^\/api\/v1/, "").replace(/^\/tasks\/[^/]+/, "/tasks/{id}");
      const known = operations[`${request.method} ${path}`];
      assert.ok(known, `nobody has looked up ${request.method} ${path}`);
      const made = [[known[0], shaped({ ...request.query, ...request.body })]];
      if (response.status < 400) made.push([known[1], shaped(response.body ?? null)]);
      return made;
    },
    delivery: () => [],
  };
}

/** The constants of a connector, one a line, and what each line is about. */
async function source(id, service) {
  const folder = join(connectors, id);
  const manifest = parse(await readFile(join(folder, "connector.yaml"), "utf8"));
  const lines = service.head.split("\n");
  const about = {};
  const put = (line, what) => about[lines.push(line)] = what;
  const reads = (texts) => texts.map((it) => it.match(/response\.body\.(\w+)/)?.[1]).filter(Boolean);
  const { test: tried, account } = manifest.connection;
  const [names, known] = service.test(tried.get, reads([account.id, account.label]));
  put(`export const account: (it: ${names}) => ${known} = (it) => it;`, "the account");
  for (const [shape, made] of Object.entries(service.shapes ?? {})) {
    const [own, theirs] = made(Object.keys(manifest.types[shape].properties));
    put(`export const shape_${shape}: (it: ${own}) => ${theirs} = (it) => it;`, `the type ${shape}`);
  }
  let count = 0;
  for (const file of (await readdir(join(folder, "cases"))).sort()) {
    const it = parse(await readFile(join(folder, "cases", file), "utf8"));
    const made = [...(it.exchange ?? []).flatMap((one) => service.exchange(one)), ...(it.delivery ? service.delivery(it.delivery) : [])];
    for (const [type, value] of made) put(`export const it${count++}: ${type} = ${literal(value)};`, file);
  }
  for (const line of service.wrong) {
    put("// @ts-expect-error: what must not pass", "a mistake that is no mistake to the compiler");
    lines.push(line);
  }
  return { code: lines.join("\n"), about, count };
}

test("requests, answers and deliveries are as the services describe them", async () => {
  const folder = await mkdtemp(join(modules, ".vendors-"));
  try {
    const services = { github: await github(), slack: slack(), todoist: todoist() };
    const sources = {};
    for (const [id, service] of Object.entries(services)) {
      sources[id] = await source(id, service);
      assert.ok(sources[id].count > 10, `${id} has cases`);
      await writeFile(join(folder, `${id}.ts`), sources[id].code);
    }
    const compilerOptions = { strict: true, noEmit: true, skipLibCheck: true, module: "nodenext", target: "es2022", types: [] };
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: Object.keys(services).map((id) => `${id}.ts`) }));
    const compiler = join(modules, "typescript/bin/tsc");
    const { stdout } = await promisify(execFile)(process.execPath, [compiler, "--pretty", "false", "-p", folder], { maxBuffer: 1 << 26 }).catch((failed) => failed);
    const told = stdout.split("\n").filter(Boolean).map((line) => {
      const at = line.match(/(\w+)\.ts\((\d+),/);
      return at ? `${at[1]}/cases/${sources[at[1]].about[at[2]]}: ${line}` : line;
    });
    assert.deepEqual(told, []);
  } finally {
    await rm(folder, { recursive: true });
  }
});
