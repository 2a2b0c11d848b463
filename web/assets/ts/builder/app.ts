// The builder: header, picture, panel, checklist. It owns the session and the keyboard; everything else draws.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../shared/element";
import { Refused } from "../shared/http";
import { icon } from "../shared/icons";
import { ago } from "../shared/times";
import { emptyTest } from "./conditions";
import { copyStep, findStep, freshId, laneSteps, type Issue, type Operation as Kind, type Place, type Step } from "./model";
import { Runs } from "./runs";
import { Session } from "./session";
import { stepsUsed } from "./template";
import type { Text } from "./text";
import { stepTitle } from "./words";
import { ownZone } from "./zone";
import type { Data } from "./data";
import type { Flow } from "./flow";
import type { Panel } from "./panel";
import "./flow";
import "./panel";
import "./picker";
import "./versions";

@customElement("tp-builder")
export class Builder extends PageElement {
  @property() workflow = "";
  @property({ type: Boolean }) edits = false;
  @property({ type: Boolean }) publishes = false;
  @property({ type: Boolean }) operates = false;

  @state() private session: Session | undefined;
  @state() private broken = "";
  @state() private checklist = false;
  private runs: Runs | undefined;
  private lastField: Text | undefined;
  private live: EventSource | undefined;
  private clock = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.start();
    window.addEventListener("beforeunload", this.onLeave);
    window.addEventListener("pagehide", this.onHide);
    window.addEventListener("online", this.onOnline);
    document.addEventListener("visibilitychange", this.watch);
    document.addEventListener("keydown", this.onKey);
    this.clock = window.setInterval(() => this.requestUpdate(), 5_000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("beforeunload", this.onLeave);
    window.removeEventListener("pagehide", this.onHide);
    window.removeEventListener("online", this.onOnline);
    document.removeEventListener("visibilitychange", this.watch);
    document.removeEventListener("keydown", this.onKey);
    window.clearInterval(this.clock);
    this.live?.close();
  }

  private async start(): Promise<void> {
    const session = new Session(this.workflow);
    session.edits = this.edits;
    session.publishes = this.publishes;
    session.operates = this.operates;
    try {
      await session.load();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.broken = error.message;
      return;
    }
    session.addEventListener("change", () => this.requestUpdate());
    this.runs = new Runs(session);
    this.querySelector(":scope > .builder-wait")?.remove();
    this.session = session;
    if (!session.document.trigger && session.edits) session.view = { show: "pick trigger" };
    this.watch();
    await this.updateComplete;
    this.focusPanel();
  }

  /** One stream for everything: a browser has six connections for an address, over all its tabs. */
  private readonly watch = (): void => {
    this.live?.close();
    this.live = undefined;
    const { session } = this;
    if (document.hidden || !session) return;
    const live = new EventSource(`${session.path}/live`);
    this.live = live;
    const everything = (): void => {
      void session.reload();
      void session.refreshVariables();
      if (session.samples.tables) void session.refreshTables();
      void session.arrivals.read();
    };
    live.addEventListener("ready", everything);
    live.addEventListener("missed", everything);
    live.addEventListener("workflow", () => void session.reload());
    live.addEventListener("event", () => void session.arrivals.read());
    live.addEventListener("run", (event) => {
      const { run } = JSON.parse((event as MessageEvent<string>).data) as { run: string };
      void this.runs?.moved(run);
      if (!session.arrivals.knows(run)) void session.arrivals.read();
    });
  };

  private readonly onLeave = (event: BeforeUnloadEvent): void => {
    if (this.session?.unsaved && this.session.saving === "offline") event.preventDefault();
  };

  private readonly onHide = (): void => void this.session?.save(true);

  private readonly onOnline = (): void => void this.session?.save();

  // ── drawing ──

  protected override render(): TemplateResult | typeof nothing {
    const { session } = this;
    if (this.broken) return html`<div class="builder-wait"><p class="banner bad">${this.broken}</p><a class="button" href="/workflows">Back to the workflows</a></div>`;
    if (!session) return nothing;
    const open = session.view.show !== "nothing";
    return html`
      ${this.header(session)}
      <div class="builder ${open ? "with-panel" : ""}" @pick=${this.onPick} @panel-close=${this.close} @field-focus=${this.onFieldFocus} @ask-data=${this.onAskData} @data-pick=${this.onDataPick} @data-left=${this.onDataLeft} @next-field=${this.onNextField} @step-up=${(event: CustomEvent<string>) => this.move(event.detail, -1)} @step-down=${(event: CustomEvent<string>) => this.move(event.detail, 1)} @step-copy=${(event: CustomEvent<string>) => this.copy(event.detail)} @step-remove=${(event: CustomEvent<string>) => this.drop(event.detail)} @change-trigger=${() => session.show({ show: "pick trigger" })} @lead-to=${(event: CustomEvent<{ step: string; field: string }>) => this.leadTo(event.detail.step, event.detail.field)}>
        <div class="canvas" @click=${(event: Event) => { if (event.target === event.currentTarget) this.close(); }}>
          <tp-flow .session=${session} .runs=${this.runs}></tp-flow>
        </div>
        ${this.runBanner(session)}
        ${open ? html`<aside class="side" aria-label="Step">${this.side(session)}</aside>` : nothing}
      </div>
      ${this.todo(session)}
      <div class="toasts builder-toasts" role="status" aria-live="polite">${session.toast ? html`<div class="toast ${session.toast.bad ? "bad" : ""}"><span class="grow">${session.toast.text}</span>${session.toast.action ? html`<button type="button" class="button small quiet" @click=${() => { session.toast?.action?.run(); session.hush(); }}>${session.toast.action.label}</button>` : nothing}<button type="button" class="icon-button small" aria-label="Dismiss" @click=${() => session.hush()}>${icon("x", "small")}</button></div>` : nothing}</div>`;
  }

  private header(session: Session): TemplateResult {
    const { state, publishedVersion } = session;
    const saved = { saved: `Saved · ${ago(session.savedAt, new Date())}`, saving: "Saving …", offline: "Offline: kept here, sent when the server answers", failed: "Not saved" }[session.saving];
    const blocked = session.blocking.length > 0;
    const upToDate = state === "published" && !session.unpublished;
    return html`<header class="builder-bar">
      <a class="button quiet back" href="/workflows" aria-label="Back to the workflows">${icon("chevron-left")}<span>Workflows</span></a>
      <input class="workflow-name" aria-label="Name of the workflow" maxlength="200" .value=${session.document.name} ?disabled=${!session.edits} @change=${(event: Event) => { const input = event.target as HTMLInputElement; const name = input.value.trim(); if (name && name !== session.document.name) session.edit([{ op: "set_name", name }]); else input.value = session.document.name; }} @keydown=${(event: KeyboardEvent) => { if (event.key === "Enter") (event.target as HTMLElement).blur(); }} />
      <span class="badge dot state ${state === "published" ? "ok" : state === "paused" ? "wait" : ""}">${state === "published" ? `v${publishedVersion} runs` : state}</span>
      <span class="saving ${session.saving} small" role="status">${session.edits ? saved : "You may look, not change"}</span>
      <span class="grow"></span>
      ${session.edits
        ? html`<button type="button" class="icon-button" aria-label="Undo" title="Undo (Ctrl+Z)" ?disabled=${!session.canUndo} @click=${() => session.undo()}>${icon("undo")}</button>
          <button type="button" class="icon-button" aria-label="Redo" title="Redo (Ctrl+Shift+Z)" ?disabled=${!session.canRedo} @click=${() => session.redo()}>${icon("redo")}</button>`
        : nothing}
      <button type="button" class="icon-button" aria-label="Versions" title="Versions" @click=${() => session.show({ show: "versions" })}>${icon("history")}</button>
      <a class="button quiet runs" href="/runs?workflow=${session.id}" aria-label="Runs of this workflow" title="Runs of this workflow">${icon("list")}<span>Runs</span></a>
      ${state !== "draft" && session.publishes ? html`<button type="button" class="button quiet pause" aria-label=${state === "paused" ? "Resume" : "Pause"} @click=${() => void session.act(state === "paused" ? "resume" : "pause")}>${icon(state === "paused" ? "play" : "pause")}<span>${state === "paused" ? "Resume" : "Pause"}</span></button>` : nothing}
      ${session.publishes ? html`<button type="button" class="button primary publish" ?disabled=${upToDate} aria-disabled=${blocked} title=${blocked ? "Something is missing: see below" : ""} @click=${() => void this.publish()}>${upToDate ? html`${icon("check")}Published` : "Publish"}</button>` : nothing}
    </header>`;
  }

  private side(session: Session): TemplateResult | typeof nothing {
    const { view } = session;
    switch (view.show) {
      case "pick trigger":
        return html`<tp-picker .session=${session} kind="trigger" heading="What starts this workflow?"></tp-picker>`;
      case "pick step":
        return html`<tp-picker .session=${session} kind="action" heading="What happens next?"></tp-picker>`;
      case "step":
        return html`<tp-panel .session=${session} owner=${view.id}></tp-panel>`;
      case "versions":
        return html`<tp-versions .session=${session}></tp-versions>`;
      default:
        return nothing;
    }
  }

  private runBanner(session: Session): TemplateResult | typeof nothing {
    const run = this.runs?.shown;
    if (!run) return nothing;
    const over = run.ended_at !== null;
    const tone = run.state === "succeeded" ? "ok" : run.state === "failed" || run.state === "dead_lettered" ? "bad" : run.state === "waiting" ? "wait" : "info";
    return html`<div class="run-banner banner ${tone}" role="status">
      ${icon(tone === "ok" ? "circle-check" : tone === "bad" ? "circle-x" : "run")}
      <span class="grow">${over ? `This run ${run.state === "succeeded" ? "succeeded" : run.state}` : "A run is under way"}${run.reason && run.state !== "succeeded" ? `: ${run.reason}` : ""}</span>
      <a href="/runs/${run.id}">See the run</a>
      <button type="button" class="icon-button small" aria-label="Hide the run" title="Hide" @click=${() => { this.runs?.hide(); void session; }}>${icon("x", "small")}</button>
    </div>`;
  }

  private todo(session: Session): TemplateResult {
    const blocking = session.blocking;
    const warnings = session.issues.filter((it) => it.severity === "warning");
    const list = [...blocking, ...warnings];
    const first = blocking[0];
    if (!session.edits || list.length === 0) {
      if (!session.edits || (session.state !== "draft" && !session.unpublished)) return html``;
      return html`<footer class="todo done">${session.state === "draft" ? html`${icon("circle-check", "small")}<span>Everything is filled in. Publish it, and it runs.</span>` : html`${icon("info", "small")}<span>Version ${session.publishedVersion} ${session.state === "paused" ? "is paused" : "runs"}. Publish to make your changes run.</span>`}</footer>`;
    }
    return html`<footer class="todo">
      ${this.checklist ? html`<ul class="todo-list" id="todo-list">${list.map((it) => html`<li><button type="button" class=${it.severity} @click=${() => this.lead(it)}>${icon(it.severity === "blocks" ? "circle" : "info", "small")}<span>${this.where(session, it)}${it.message}</span></button></li>`)}</ul>` : nothing}
      <div class="todo-line">
        ${first
          ? html`<strong class="todo-count">${blocking.length === 1 ? "1 thing left before publishing:" : `${blocking.length} things left before publishing:`}</strong> <button type="button" class="link-button cut" @click=${() => this.lead(first)}>${this.where(session, first)}${first.message}</button>`
          : html`<span class="muted cut">${warnings.length === 1 ? warnings[0]?.message : `${warnings.length} things to look at`}</span>`}
        <span class="grow"></span>
        ${list.length > 1 || !first ? html`<button type="button" class="button quiet small" aria-expanded=${this.checklist} aria-controls="todo-list" @click=${() => (this.checklist = !this.checklist)}>${this.checklist ? "Close" : "Show all"}${icon(this.checklist ? "chevron-down" : "arrow-up", "small")}</button>` : nothing}
      </div>
    </footer>`;
  }

  private where(session: Session, issue: Issue): string {
    const owner = issue.step ? session.owner(issue.step) : undefined;
    return owner ? `${stepTitle(owner, session.catalogue)}: ` : "";
  }

  // ── what presses do ──

  private lead(issue: Issue): void {
    this.checklist = false;
    if (!issue.step) {
      if (!this.session?.document.trigger) this.session?.show({ show: "pick trigger" });
      else if (this.session.document.steps.length === 0) this.session.show({ show: "pick step", at: { index: 0 } });
      return;
    }
    this.leadTo(issue.step, issue.field);
  }

  private leadTo(step: string, field: string | undefined): void {
    this.session?.open(step);
    void this.updateComplete.then(() => this.querySelector<Panel>("tp-panel")?.updateComplete.then(() => this.querySelector<Panel>("tp-panel")?.leadTo(field)));
  }

  private readonly close = (): void => {
    const { session } = this;
    if (!session) return;
    const was = session.view;
    if (!session.document.trigger) return;
    session.show({ show: "nothing" });
    const back = was.show === "step" ? was.id : was.show === "pick step" ? this.stepBefore(was.at) : "trigger";
    this.querySelector<Flow>("tp-flow")?.focusStep(back);
  };

  /** The step that stands before a place. */
  private stepBefore(at: Place): string {
    const steps = this.session ? laneSteps(this.session.document, at.parent) : undefined;
    return steps?.[at.index - 1]?.id ?? at.parent?.step ?? "trigger";
  }

  private readonly onPick = (event: CustomEvent<Kind>): void => {
    const { session } = this;
    if (!session) return;
    const kind = event.detail;
    if (session.view.show === "pick trigger") {
      const old = session.document.trigger;
      session.edit([{ op: "set_trigger", trigger: { id: "trigger", use: kind.name, input: old?.use === kind.name ? old.input : start(kind) } }]);
      if (old?.use !== kind.name) session.setTriggerSample(undefined);
      session.open("trigger");
    } else if (session.view.show === "pick step") {
      const step: Step = { id: freshId(session.document, kind.name), use: kind.name, input: start(kind) };
      if (kind.name === "branch") step.cases = [{ title: "", if: { all: [emptyTest()] }, steps: [] }];
      if (kind.name === "filter" || kind.name === "repeat") step.if = { all: [emptyTest()] };
      if (kind.name === "parallel") step.lanes = [{ title: "", steps: [] }, { title: "", steps: [] }];
      session.edit([{ op: "add_step", at: session.view.at, step }]);
      session.open(step.id);
    }
    void this.updateComplete.then(() => this.focusPanel());
  };

  /** After something was opened: the place to type is ready. */
  private focusPanel(): void {
    const picker = this.querySelector<HTMLElement>("tp-picker");
    if (picker) picker.focus();
    else this.querySelector<Panel>("tp-panel")?.focusFirst();
  }

  private shown = "";

  protected override updated(changed: PropertyValues): void {
    void changed;
    const view = this.session?.view;
    const key = JSON.stringify(view);
    if (key === this.shown) return;
    this.shown = key;
    this.lastField = undefined;
    // The picker is there to be typed in at once; a panel only when something was just added (see onPick).
    if (view?.show === "pick step" || view?.show === "pick trigger") this.querySelector<HTMLElement>("tp-picker")?.focus();
    if (view?.show === "step") document.querySelector(`[data-step="${CSS.escape(view.id)}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  private move(id: string, by: number): void {
    const { session } = this;
    const found = session && findStep(session.document, id);
    if (!session || !found) return;
    const length = laneSteps(session.document, found.place.parent)?.length ?? 0;
    const index = found.place.index + by;
    if (index < 0 || index >= length) {
      session.say(by < 0 ? "It is the first step of its lane already." : "It is the last step of its lane already.");
      return;
    }
    session.edit([{ op: "move_step", step: id, to: { ...found.place, index } }]);
  }

  private copy(id: string): void {
    const { session } = this;
    const found = session && findStep(session.document, id);
    if (!session || !found) return;
    const step = copyStep(session.document, found.step);
    session.edit([{ op: "add_step", at: { ...found.place, index: found.place.index + 1 }, step }]);
    session.open(step.id);
  }

  private drop(id: string): void {
    const { session } = this;
    const found = session && findStep(session.document, id);
    if (!session || !found) return;
    const title = stepTitle(found.step, session.catalogue);
    const next = laneSteps(session.document, found.place.parent)?.[found.place.index + 1]?.id ?? this.stepBefore(found.place);
    session.edit([{ op: "remove_step", step: id }]);
    const leaning = stepsUsed(session.document.steps).has(id);
    session.say(`“${title}” is gone.${leaning ? " Other steps used its data." : ""}`, { label: "Undo", run: () => session.undo() });
    this.querySelector<Flow>("tp-flow")?.focusStep(next);
  }

  private async publish(): Promise<void> {
    const { session } = this;
    if (!session) return;
    await session.save();
    const first = session.blocking[0];
    if (first) {
      session.say(session.blocking.length === 1 ? "One thing is missing before this can be published." : `${session.blocking.length} things are missing before this can be published.`);
      this.lead(first);
      return;
    }
    if (await session.act("publish")) {
      const what = session.document.trigger?.use === "manual" ? "Run it from the trigger." : "What arrives from now on starts a run, and lights up the steps here.";
      session.say(`Version ${session.publishedVersion} is published. ${what}`);
    }
  }

  // ── fields and data ──

  private readonly onFieldFocus = (event: CustomEvent<Text>): void => {
    this.lastField = event.detail;
  };

  private readonly onAskData = (): void => this.querySelector<Data>("tp-data")?.search();

  private readonly onDataPick = (event: CustomEvent<string>): void => {
    const field = this.lastField?.isConnected ? this.lastField : (this.querySelector<Text>("tp-panel .form tp-text") ?? undefined);
    if (!field) return;
    field.insert(event.detail);
  };

  private readonly onDataLeft = (): void => this.lastField?.focus();

  /** Enter in a one-line field goes to the next one, and at the end to what comes next. */
  private readonly onNextField = (event: Event): void => {
    const from = event.target as HTMLElement;
    const all = [...this.querySelectorAll<HTMLElement>(".panel .form .text-box, .panel .form select, .panel .form textarea, .panel .form input:not(.case-title), .panel [data-continue]")].filter((it) => it.offsetParent !== null);
    const own = from.querySelector<HTMLElement>(".text-box");
    const next = own ? all[all.indexOf(own) + 1] : undefined;
    const text = next?.closest("tp-text");
    if (text) (text as Text).focus();
    else next?.focus();
  };

  // ── the keyboard ──

  private readonly onKey = (event: KeyboardEvent): void => {
    const { session } = this;
    if (!session || event.defaultPrevented) return;
    // Inside an element's own root as well: there the event's target is the element.
    const origin = event.composedPath()[0];
    const target = origin instanceof HTMLElement ? origin : document.body;
    const typing = target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
    const control = event.ctrlKey || event.metaKey;
    if (control && event.key.toLowerCase() === "z" && !(typing && /^(INPUT|TEXTAREA)$/.test(target.tagName))) {
      event.preventDefault();
      if (event.shiftKey) session.redo();
      else session.undo();
    } else if (control && event.key.toLowerCase() === "y" && !typing) {
      event.preventDefault();
      session.redo();
    } else if (control && event.key === "Enter" && session.view.show === "step") {
      event.preventDefault();
      this.querySelector<HTMLElement>("[data-continue]")?.click();
    } else if (control && event.key.toLowerCase() === "s") {
      event.preventDefault();
      void session.save();
    } else if (event.key === "Escape") {
      const menu = target.closest("details[open].menu");
      if (menu) return;
      event.preventDefault();
      if (this.checklist) this.checklist = false;
      else this.close();
    } else if (event.key === "/" && !typing && !control) {
      event.preventDefault();
      this.querySelector<Data>("tp-data")?.search();
    } else if (!typing && !control && !event.altKey) this.onStepKey(event, session, target);
  };

  private onStepKey(event: KeyboardEvent, session: Session, target: HTMLElement): void {
    const card = target.closest<HTMLElement>("[data-step]");
    const id = card?.dataset["step"] ?? (session.view.show === "step" ? session.view.id : undefined);
    if (!id || !session.edits) return;
    if (event.key.toLowerCase() === "a") {
      event.preventDefault();
      const found = findStep(session.document, id);
      const at: Place = found ? { ...found.place, index: found.place.index + 1 } : { index: 0 };
      session.show({ show: "pick step", at });
    } else if ((event.key === "Delete" || event.key === "Backspace") && card && id !== "trigger") {
      event.preventDefault();
      this.drop(id);
    } else if (event.key === "Enter" && card) {
      event.preventDefault();
      if (id === "trigger" && !session.document.trigger) session.show({ show: "pick trigger" });
      else {
        session.open(id);
        void this.updateComplete.then(() => this.querySelector<Panel>("tp-panel")?.focusFirst());
      }
    }
  }
}

/** What a fresh step or trigger begins with, beyond the defaults of its fields. */
function start(kind: Kind): Step["input"] & object {
  if (kind.name === "form") {
    return {
      title: "Contact us",
      fields: [
        { name: "name", label: "Your name", kind: "text", required: true },
        { name: "email", label: "Your e-mail address", kind: "email", required: true },
        { name: "message", label: "Your message", kind: "long_text", required: true },
      ],
    };
  }
  // Whoever picks a schedule means the clock on the own wall.
  if (kind.name === "schedule") return { zone: ownZone() };
  return {};
}
