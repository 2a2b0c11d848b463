// One workflow being edited: the document as the person sees it, what has not reached the server yet, undo and redo, the samples.
// Every change goes through `edit`; elements listen for "change" and draw.
import { call, Refused } from "../shared/http";
import { around, before, equal, findStep, isLoop, walk, type Catalogue, type DataTable, type Issue, type Json, type Step, type Trigger, type Workflow } from "./model";
import { about, applyAll, DoesNotFit, rebase, sameField, type Operation } from "./operations";
import { Arrivals } from "./arrivals";
import { Resolver } from "./resolver";
import { Samples, type Round } from "./samples";
import { parse } from "./template";

export interface Loaded {
  id: string;
  name: string;
  state: "draft" | "published" | "paused";
  document: Workflow;
  revision: number;
  published_version: number | null;
  latest_version: number;
  unpublished_changes: boolean;
  issues: Issue[];
}

interface Undoable {
  undo: Operation[];
  redo: Operation[];
  /** The field that was typed in, and when, to join what belongs together. */
  field?: string | undefined;
  at: number;
}

/** What the panel beside the flow shows. */
export type View = { show: "nothing" } | { show: "step"; id: string } | { show: "pick trigger" } | { show: "pick step"; at: import("./model").Place } | { show: "versions" };

export type Saving = "saved" | "saving" | "offline" | "failed";

/** Typing on in one field within this time is one step of undo. */
const JOIN = 2_000;
/** How long typing rests before it is saved. */
const REST = 500;

/** What a service lists for a field, or why it doesn't. */
export interface Options {
  options?: { value: Json; label: string }[];
  complete?: boolean;
  error?: { message: string; hint?: string };
}

export class Session extends EventTarget {
  document: Workflow = { towpath: 1, name: "", steps: [] };
  state: Loaded["state"] = "draft";
  revision = 0;
  publishedVersion: number | null = null;
  unpublished = false;
  issues: Issue[] = [];
  catalogue: Catalogue = { operations: [], connectors: [], functions: [] };
  readonly samples = new Samples();
  readonly resolver = new Resolver(this);
  readonly arrivals = new Arrivals(this);

  view: View = { show: "nothing" };
  saving: Saving = "saved";
  savedAt = new Date();
  edits = false;
  publishes = false;
  operates = false;
  /** A sentence for the person, with something to press. */
  toast: { text: string; action?: { label: string; run: () => void }; bad?: boolean } | undefined;

  /** Made here, not sent yet; then sent, not answered yet. */
  private waiting: Operation[] = [];
  private sent: Operation[] = [];
  private done: Undoable[] = [];
  private undone: Undoable[] = [];
  private timer = 0;
  private retries = 0;
  private toastTimer = 0;

  constructor(readonly id: string) {
    super();
  }

  get path(): string {
    return `/api/v1/workflows/${this.id}`;
  }

  async load(): Promise<void> {
    const [catalogue, loaded] = await Promise.all([call<Catalogue>("GET", "/api/v1/catalogue"), call<Loaded>("GET", this.path), this.loadVariables()]);
    this.catalogue = catalogue;
    this.take(loaded);
    this.restoreSamples();
    if (walk(this.document).some((it) => it.step.use.startsWith("table."))) void this.refreshTables();
  }

  /** The workspace's data tables; undefined until some step asked for them. */
  get tables(): DataTable[] | undefined {
    if (!this.samples.tables && !this.tablesAsked) void this.refreshTables();
    return this.samples.tables;
  }

  private tablesAsked = false;

  /** The table that a step names, by its id or its name. */
  tableOf(named: Json | undefined): DataTable | undefined {
    return named === undefined || named === "" ? undefined : this.tables && this.samples.tableOf(named);
  }

  /** Reads the tables (again). What can't be had now is had the next time. */
  async refreshTables(): Promise<void> {
    this.tablesAsked = true;
    try {
      const { items } = await call<{ items: DataTable[] }>("GET", "/api/v1/tables?limit=200");
      if (equal(items, this.samples.tables)) return;
      this.samples.tables = items;
      this.resolver.forget();
      this.changed();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  /** The workspace's variables, also when somebody comes back from their page. */
  async loadVariables(): Promise<void> {
    const { variables } = await call<{ variables: { name: string; value: Json }[] }>("GET", "/api/v1/variables");
    const vars = Object.fromEntries(variables.map((it) => [it.name, it.value]));
    if (equal(vars, this.samples.vars)) return;
    this.samples.vars = vars;
    this.resolver.forget();
    this.changed();
  }

  /** The same, for when nobody waits: what can't be had now is had the next time. */
  async refreshVariables(): Promise<void> {
    try {
      await this.loadVariables();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  /** Takes over what the server says, as it stands. */
  take(loaded: Loaded): void {
    this.document = loaded.document;
    this.revision = loaded.revision;
    this.takeState(loaded);
    this.issues = loaded.issues;
    this.keepView();
    this.changed();
  }

  takeState(loaded: Pick<Loaded, "state" | "published_version" | "unpublished_changes">): void {
    this.state = loaded.state;
    this.publishedVersion = loaded.published_version;
    this.unpublished = loaded.unpublished_changes;
  }

  changed(): void {
    this.dispatchEvent(new Event("change"));
  }

  // ── looking ──

  owner(id: string): Step | Trigger | undefined {
    return id === "trigger" ? this.document.trigger : findStep(this.document, id)?.step;
  }

  operation(use: string): import("./model").Operation | undefined {
    return this.catalogue.operations.find((it) => it.name === use);
  }

  /** The steps whose data the step that is open may use. */
  get visible(): Step[] {
    if (this.view.show === "step" && this.view.id !== "trigger") return before(this.document, this.view.id);
    return [];
  }

  get blocking(): Issue[] {
    return this.issues.filter((it) => it.severity === "blocks");
  }

  issuesAt(id: string, field?: string): Issue[] {
    return this.issues.filter((it) => it.step === id && (field === undefined || it.field === field || (it.field?.startsWith(`${field}.`) ?? false) || (it.field?.startsWith(`${field}[`) ?? false)));
  }

  /** What this step gives, as far as it is known. */
  sample(id: string): import("./samples").Sample {
    return this.samples.of(this.document, this.catalogue, id);
  }

  look(expression: string, over = ""): Json | undefined {
    return this.samples.look(this.document, this.catalogue, expression, this.roundOver(over));
  }

  /** Where the step that is open stands: in which round of which loops, and after which failure. */
  get round(): Round {
    if (this.view.show !== "step" || this.view.id === "trigger") return {};
    return this.roundAt(this.view.id);
  }

  /** `own`: a loop's own fields are worked out inside its rounds, as what a for-each keeps of a round is. */
  roundAt(id: string, own = true): Round {
    const round: Round = {};
    const outer = around(this.document, id);
    const step = findStep(this.document, id)?.step;
    if (step && isLoop(step) && (own || step.use === "repeat")) outer.push({ step, lane: "body" });
    for (const { step, lane } of outer) {
      if (lane === "rescue") round.failed = step.id;
      if (lane !== "body") continue;
      round.index = 0;
      if (step.use === "for_each") round.item = this.firstItem(step.input?.["list"], round);
    }
    return round;
  }

  /** The data at the first item of a list that a step works on; without a list, where the step itself stands. */
  roundOver(list: string): Round {
    return list === "" ? this.round : { ...this.round, item: this.firstItem(list, this.round), index: 0 };
  }

  /** The first item of a list, as far as the list is known. */
  private firstItem(list: Json | undefined, round: Round): Json | undefined {
    const parts = typeof list === "string" ? parse(list) : [];
    const only = parts.length === 1 ? parts[0] : undefined;
    if (!only || !("expression" in only)) return Array.isArray(list) ? list[0] : undefined;
    const value = this.samples.look(this.document, this.catalogue, only.expression, round) ?? this.resolver.listOf(String(list));
    return Array.isArray(value) ? value[0] : undefined;
  }

  show(view: View): void {
    this.view = view;
    this.changed();
  }

  open(id: string): void {
    this.show({ show: "step", id });
  }

  // ── editing ──

  /** Makes changes: at once here, soon on the server. */
  edit(operations: Operation[]): void {
    if (!this.edits || operations.length === 0) return;
    const result = applyAll(this.document, operations);
    const field = operations.length === 1 && operations[0] ? sameField(operations[0]) : undefined;
    const last = this.done.at(-1);
    const now = Date.now();
    if (last && field && last.field === field && now - last.at < JOIN) {
      last.redo = operations;
      last.at = now;
    } else this.done.push({ undo: result.inverse, redo: operations, field, at: now });
    if (this.done.length > 500) this.done.shift();
    this.undone = [];
    this.put(result.workflow, operations);
  }

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  undo(): void {
    const entry = this.done.pop();
    if (entry) this.replay(entry, entry.undo, this.undone);
  }

  redo(): void {
    const entry = this.undone.pop();
    if (entry) this.replay(entry, entry.redo, this.done);
  }

  private replay(entry: Undoable, operations: Operation[], onto: Undoable[]): void {
    try {
      const result = applyAll(this.document, operations);
      onto.push({ ...entry, field: undefined });
      const where = operations.map(about).find((it) => it !== undefined && (it === "trigger" ? result.workflow.trigger : findStep(result.workflow, it)));
      if (where) this.view = { show: "step", id: where };
      this.put(result.workflow, operations);
    } catch (error) {
      if (!(error instanceof DoesNotFit)) throw error;
      this.say("This can't be taken back any more: somebody else changed the same place since.");
    }
  }

  private put(workflow: Workflow, operations: Operation[]): void {
    this.document = workflow;
    const last = this.waiting.at(-1);
    const first = operations[0];
    if (last && first && operations.length === 1 && sameField(first) !== undefined && sameField(first) === sameField(last)) this.waiting[this.waiting.length - 1] = first;
    else this.waiting.push(...operations);
    this.keepView();
    if (this.saving !== "offline") this.saving = "saving";
    this.schedule(REST);
    this.changed();
  }

  /** A panel about what is gone closes. */
  private keepView(): void {
    if (this.view.show === "step" && !this.owner(this.view.id)) this.view = { show: "nothing" };
    if (this.view.show === "pick step" && this.view.at.parent && !findStep(this.document, this.view.at.parent.step)) this.view = { show: "nothing" };
  }

  // ── saving ──

  private schedule(after: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.save(), after);
  }

  get unsaved(): boolean {
    return this.waiting.length > 0 || this.sent.length > 0;
  }

  private saves: Promise<void> | undefined;

  /** Sends what waits, and answers when everything is on the server or can't be sent. */
  async save(keepalive = false): Promise<void> {
    window.clearTimeout(this.timer);
    while (this.saves) await this.saves;
    if (!this.unsaved) return;
    this.saves = this.send(keepalive).finally(() => (this.saves = undefined));
    await this.saves;
    if (this.waiting.length > 0 && this.saving === "saving") await this.save(keepalive);
  }

  private async send(keepalive: boolean): Promise<void> {
    // What was sent and never answered goes again word for word: the server knows it then.
    if (this.sent.length === 0) {
      this.sent = this.waiting;
      this.waiting = [];
    }
    try {
      const answer = await call<{ revision: number; issues: Issue[]; unpublished_changes?: boolean }>("POST", `${this.path}/edits`, { base: this.revision, operations: this.sent }, { keepalive });
      this.sent = [];
      this.revision = answer.revision;
      this.issues = answer.issues;
      this.unpublished = answer.unpublished_changes ?? this.publishedVersion !== null;
      this.saved();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refused(error);
    }
    this.changed();
  }

  private saved(): void {
    this.retries = 0;
    this.saving = this.waiting.length > 0 ? "saving" : "saved";
    this.savedAt = new Date();
  }

  private refused(error: Refused): void {
    if (error.mayPass) {
      this.saving = "offline";
      // What was sent stays apart: the next try sends it again word for word.
      this.retries += 1;
      this.schedule(Math.min(30_000, 1_000 * 2 ** Math.min(this.retries, 5)));
      return;
    }
    const body = error.body as { code?: string; workflow: Loaded; includes_yours: boolean } | undefined;
    if (body?.code === "stale-revision") {
      const own = body.includes_yours ? this.waiting : [...this.sent, ...this.waiting];
      const result = rebase(body.workflow.document, own);
      this.sent = [];
      this.waiting = result.kept;
      this.document = result.workflow;
      this.revision = body.workflow.revision;
      this.takeState(body.workflow);
      this.issues = body.workflow.issues;
      this.keepView();
      this.say(result.lost > 0 ? "Somebody else removed a step that you were changing; that change was left out." : "This was also edited elsewhere; both changes are in.");
      this.saved();
      return;
    }
    // The edit itself is refused: what the server has is the truth.
    this.sent = [];
    this.waiting = [];
    this.done = [];
    this.undone = [];
    this.saving = "failed";
    this.say(`This change was not saved. ${error.message}`, undefined, true);
    void this.reload();
  }

  /** Answers once what was edited is on the server, or can't be sent. */
  async settled(): Promise<void> {
    await this.save();
  }

  /** What can be picked in a field of a step or of the trigger. */
  options(owner: string, field: string, query: string, signal: AbortSignal): Promise<Options> {
    return call<Options>("POST", `${this.path}/steps/${encodeURIComponent(owner)}/options`, { field, query }, { signal });
  }

  /** Reads the workflow again, when somebody else changed it and nothing of one's own is under way. */
  async reload(): Promise<void> {
    if (this.unsaved) return;
    try {
      const loaded = await call<Loaded>("GET", this.path);
      if (this.unsaved) return;
      if (loaded.revision !== this.revision || this.saving === "failed") this.take(loaded);
      else {
        this.takeState(loaded);
        this.issues = loaded.issues;
        this.changed();
      }
      if (this.saving === "failed") this.saving = "saved";
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  /** Publishes, pauses or resumes, once everything is saved. True when it went well. */
  async act(what: "publish" | "pause" | "resume"): Promise<boolean> {
    await this.save();
    if (this.unsaved) {
      this.say("The last changes are not saved yet: the server can't be reached. Try again in a moment.", undefined, true);
      return false;
    }
    try {
      const loaded = await call<Loaded>("POST", `${this.path}/${what}`, what === "publish" ? { revision: this.revision } : undefined);
      this.takeState(loaded);
      this.issues = loaded.issues;
      this.changed();
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.say(error.message, undefined, true);
      await this.reload();
      return false;
    }
  }

  // ── words ──

  say(text: string, action?: { label: string; run: () => void }, bad = false): void {
    this.toast = { text, ...(action ? { action } : {}), bad };
    window.clearTimeout(this.toastTimer);
    this.toastTimer = window.setTimeout(() => this.hush(), bad || action ? 8_000 : 4_000);
    this.changed();
  }

  hush(): void {
    this.toast = undefined;
    this.changed();
  }

  // ── samples ──

  setTriggerSample(sample: Samples["trigger"]): void {
    this.samples.trigger = sample;
    this.resolver.forget();
    this.changed();
  }

  setStepSample(id: string, value: Json): void {
    this.samples.steps.set(id, { value, at: new Date().toISOString() });
    this.resolver.forget();
    try {
      sessionStorage.setItem(`samples ${this.id}`, JSON.stringify([...this.samples.steps]));
    } catch {
      // A full or forbidden store: the samples live as long as the page.
    }
    this.changed();
  }

  private restoreSamples(): void {
    try {
      const stored = JSON.parse(sessionStorage.getItem(`samples ${this.id}`) ?? "[]") as [string, { value: Json; at?: string }][];
      for (const [id, sample] of stored) if (findStep(this.document, id)) this.samples.steps.set(id, sample);
    } catch {
      // Not ours, or not readable.
    }
  }
}
