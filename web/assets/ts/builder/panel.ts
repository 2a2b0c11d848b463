// The panel of one step: its name, its form, conditions and cases, what happens when it fails, its test; the data below.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import { emptyTest } from "./conditions";
import { findStep, isShown, lanesOf, walk, type Conditions, type Field, type OnError, type Retry, type Step, type Trigger } from "./model";
import { setTitle } from "./operations";
import { spanField } from "./span";
import { stepTitle } from "./words";
import "./cases";
import "./connection";
import "./data";
import "./lanes";
import "./field";
import "./trial";
import "./trigger-card";

@customElement("tp-panel")
export class Panel extends Bound {
  /** `trigger` or a step's id. */
  @property() owner = "";

  @state() private advanced = false;

  protected override updated(changed: Map<PropertyKey, unknown>): void {
    super.updated(changed);
    // Another step begins at its top, however far down the one before was read.
    if (changed.has("owner")) this.querySelector(".panel-body")?.scrollTo(0, 0);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session } = this;
    const owner = session.owner(this.owner);
    if (!owner) return nothing;
    const operation = session.operation(owner.use);
    const isTrigger = this.owner === "trigger";
    const number = isTrigger ? 1 : (walk(session.document).find((it) => it.step.id === this.owner)?.number ?? 0);
    const fields = (operation?.inputs ?? []).filter((it) => isShown(it, owner.input ?? {}, operation?.inputs ?? []));
    const plain = fields.filter((it) => !it.advanced);
    const hidden = fields.filter((it) => it.advanced);
    // Its address is what a person comes for: a webhook's always, a form's once there is somebody to send it to.
    const cardFirst = owner.use === "webhook" || (owner.use === "form" && session.publishedVersion !== null);
    return html`<section class="panel" aria-labelledby="panel-operation">
      <header class="panel-head">
        <h2 class="visually-hidden">${stepTitle(owner, session.catalogue)}</h2>
        <span class="panel-icon about-${operation?.category ?? "none"}">${icon(operation?.icon ?? "circle")}</span>
        <div class="grow"><input class="panel-title" aria-label="Title of this step" placeholder=${stepTitle({ ...owner, title: "" } as Step, session.catalogue)} .value=${owner.title ?? ""} ?disabled=${!session.edits} @change=${(event: Event) => session.edit([setTitle(this.owner, (event.target as HTMLInputElement).value)])} />
          <div class="muted small" id="panel-operation"><span class="step-number">${number}</span>${operation?.title ?? owner.use}</div></div>
        ${this.menu(owner, isTrigger)}
        <button type="button" class="icon-button" aria-label="Close" title="Close (Esc)" @click=${() => this.send("panel-close")}>${icon("x")}</button>
      </header>
      <div class="panel-body">
        ${operation ? nothing : html`<p class="banner bad">This server doesn't know “${owner.use}”. Remove the step, or update Towpath.</p>`}
        ${"note" in owner && owner.note !== undefined ? this.note(owner) : nothing}
        ${operation?.connection ? html`<tp-connection .session=${session} owner=${this.owner} .need=${operation.connection} ?loud=${this.loud}></tp-connection>` : nothing}
        ${cardFirst ? html`<tp-trigger-card .session=${session}></tp-trigger-card>` : nothing}
        <form class="stack form" @submit=${(event: Event) => event.preventDefault()}>
          ${plain.map((it) => this.field(it))}
          ${owner.use === "branch" ? html`<tp-cases .session=${session} step=${this.owner}></tp-cases>` : nothing}
          ${owner.use === "parallel" ? html`<tp-lanes .session=${session} step=${this.owner}></tp-lanes>` : nothing}
          ${owner.use === "filter" ? this.condition(owner as Step, "Go on only if") : nothing}
          ${owner.use === "repeat" ? this.condition(owner as Step, "After each round, do another one if") : nothing}
          ${isTrigger || !operation ? nothing : this.afterFailure(owner as Step)}
          ${this.more(owner, hidden, isTrigger)}
        </form>
        ${owner.use === "schedule" ? html`<tp-schedule-card .session=${session}></tp-schedule-card>` : nothing}
        ${isTrigger && !cardFirst ? html`<tp-trigger-card .session=${session}></tp-trigger-card>` : nothing}
        ${isTrigger || !operation || ["parallel", "repeat"].includes(owner.use) ? nothing : html`<tp-trial .session=${session} step=${this.owner}></tp-trial>`}
        ${operation?.help ? html`<details class="fold"><summary>About ${operation.title}</summary><p class="small muted">${operation.help}</p></details>` : nothing}
      </div>
      ${isTrigger ? nothing : html`<tp-data .session=${session}></tp-data>`}
      <footer class="panel-foot">${this.foot(owner)}</footer>
    </section>`;
  }

  private send(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  private field(field: Field): TemplateResult {
    return html`<tp-field .session=${this.session} owner=${this.owner} .field=${field} ?loud=${this.loud}></tp-field>`;
  }

  /** After somebody asked what is missing, fields that nobody touched complain too. */
  @property({ type: Boolean }) loud = false;

  private foot(owner: Step | Trigger): TemplateResult {
    const { session } = this;
    if (!session.edits) return html``;
    if (owner.use === "branch") {
      const cases = (owner as Step).cases ?? [];
      const empty = cases.findIndex((it) => it.steps.length === 0);
      if (empty >= 0) return html`<button type="button" class="button primary" data-continue @click=${() => session.show({ show: "pick step", at: { parent: { step: this.owner, lane: empty }, index: 0 } })}>${icon("plus")}Add a step to ${cases.length === 1 ? "this case" : `case ${empty + 1}`}</button>`;
    }
    const inside = this.emptyInside(owner);
    if (inside) return inside;
    const place = this.owner === "trigger" ? { index: 0 } : findStep(session.document, this.owner)?.place;
    if (!place) return html``;
    const at = this.owner === "trigger" ? place : { ...place, index: place.index + 1 };
    return html`<button type="button" class="button ${owner.use === "stop" ? "" : "primary"}" data-continue @click=${() => session.show({ show: "pick step", at })}>${icon("plus")}Continue with the next step</button>`;
  }

  /** The way to the first lane that is still empty, of a loop or a parallel step. */
  private emptyInside(owner: Step | Trigger): TemplateResult | undefined {
    if (this.owner === "trigger") return undefined;
    const lane = lanesOf(owner as Step).find((it) => it.steps.length === 0 && (it.parent.lane === "body" || owner.use === "parallel"));
    if (!lane || lane.parent.lane === "rescue") return undefined;
    const where = lane.parent.lane === "body" ? "inside" : `to ${lane.title}`;
    return html`<button type="button" class="button primary" data-continue @click=${() => this.session.show({ show: "pick step", at: { parent: lane.parent, index: 0 } })}>${icon("plus")}Add a step ${where}</button>`;
  }

  private menu(owner: Step | Trigger, isTrigger: boolean): TemplateResult | typeof nothing {
    const { session } = this;
    if (!session.edits) return nothing;
    const press = (name: string) => (event: Event): void => {
      (event.target as HTMLElement).closest("details")?.removeAttribute("open");
      this.send(name, this.owner);
    };
    return html`<details class="menu" data-menu><summary class="icon-button" aria-label="More about this step" title="More">${icon("dots")}</summary>
      <div class="menu-items">
        ${isTrigger
          ? html`<button type="button" @click=${press("change-trigger")}>${icon("refresh")}Choose another trigger</button>`
          : html`<button type="button" @click=${press("step-up")}>${icon("arrow-up")}Move up</button>
            <button type="button" @click=${press("step-down")}>${icon("arrow-down")}Move down</button>
            <button type="button" @click=${press("step-copy")}>${icon("copy")}Duplicate</button>
            ${"note" in owner && owner.note !== undefined ? nothing : html`<button type="button" @click=${(event: Event) => { (event.target as HTMLElement).closest("details")?.removeAttribute("open"); session.edit([{ op: "set_note", step: this.owner, note: " " }]); void this.updateComplete.then(() => this.querySelector<HTMLElement>(".step-note textarea")?.focus()); }}>${icon("edit")}Add a note</button>`}
            <hr /><button type="button" class="danger" @click=${press("step-remove")}>${icon("trash")}Remove</button>`}
      </div></details>`;
  }

  private note(step: Step): TemplateResult {
    const { session } = this;
    return html`<div class="field step-note"><label for="step-note">Note</label><textarea id="step-note" rows="2" ?disabled=${!session.edits} .value=${(step.note ?? "").trim()} @change=${(event: Event) => { const text = (event.target as HTMLTextAreaElement).value.trim(); session.edit([text ? { op: "set_note", step: step.id, note: text } : { op: "set_note", step: step.id }]); }}></textarea></div>`;
  }

  private condition(step: Step, label: string): TemplateResult {
    const { session } = this;
    const issues = session.issuesAt(step.id).filter((it) => it.field?.startsWith("if"));
    return html`<div class="field" data-field="if"><span class="label">${label}</span>
      <tp-conditions .session=${session} .value=${step.if ?? { all: [emptyTest()] }} label=${label} @value-change=${(event: CustomEvent<Conditions>) => session.edit([{ op: "set_condition", step: step.id, condition: event.detail }])}></tp-conditions>
      ${step.if && this.loud ? issues.map((it) => html`<p class="error">${it.message}</p>`) : nothing}</div>`;
  }

  private more(owner: Step | Trigger, fields: Field[], isTrigger: boolean): TemplateResult | typeof nothing {
    const acts = !isTrigger && this.session.operation(owner.use)?.effect != null;
    if (fields.length === 0 && !acts) return nothing;
    const step = owner as Step;
    const set = [...fields.filter((it) => owner.input?.[it.name] !== undefined), ...(acts && (step.retry || step.timeout) ? [1] : [])].length;
    return html`<details class="fold" ?open=${this.advanced} @toggle=${(event: Event) => (this.advanced = (event.target as HTMLDetailsElement).open)}>
      <summary>Advanced${set > 0 ? html` <span class="badge">${set} set</span>` : nothing}</summary>
      <div class="stack">${this.advanced ? html`${fields.map((it) => this.field(it))}${acts ? this.failure(step) : nothing}` : nothing}</div>
    </details>`;
  }

  private failure(step: Step): TemplateResult {
    const { session } = this;
    const off = !session.edits;
    const retry: Retry = step.retry ?? { attempts: 5, first: "1s", max: "5m" };
    const set = (change: Partial<Retry>): void => {
      const next = { ...retry, ...change };
      const usual = next.attempts === 5 && next.first === "1s" && next.max === "5m";
      session.edit([usual ? { op: "set_retry", step: step.id } : { op: "set_retry", step: step.id, retry: next }]);
    };
    return html`<fieldset class="stack" data-field="retry"><legend class="label">When it fails</legend>
      <div class="field"><label for="retry-attempts">Tries in all</label><input id="retry-attempts" type="number" min="1" max="100" .value=${String(retry.attempts)} ?disabled=${off} @change=${(event: Event) => { const n = Math.round((event.target as HTMLInputElement).valueAsNumber); if (n >= 1 && n <= 100) set({ attempts: n }); }} />
        <p class="hint">Only what may be repeated is tried again: a call that nobody knows the outcome of waits for a person.</p></div>
      ${retry.attempts > 1 ? html`<div class="two"><div class="field"><span class="label" id="retry-first">First wait</span>${spanField(retry.first, "retry-first", "", off, undefined, (it) => it && set({ first: it }))}</div>
        <div class="field"><span class="label" id="retry-max">Longest wait</span>${spanField(retry.max, "retry-max", "", off, undefined, (it) => it && set({ max: it }))}</div></div>` : nothing}
      <div class="field" data-field="timeout"><span class="label" id="step-timeout">Give up one try after</span>${spanField(step.timeout ?? "60s", "step-timeout", "", off, undefined, (it) => session.edit([it && it !== "60s" ? { op: "set_timeout", step: step.id, timeout: it } : { op: "set_timeout", step: step.id }]))}</div>
    </fieldset>`;
  }

  /** What becomes of the run when the step failed for good. */
  private afterFailure(step: Step): TemplateResult | typeof nothing {
    if (["stop", "respond", "delay"].includes(step.use)) return nothing;
    const { session } = this;
    const now = step.on_error ?? "fail";
    const way = (on_error: OnError, words: string): TemplateResult => html`<label><input type="radio" name="on-error" .checked=${now === on_error} ?disabled=${!session.edits} @change=${() => this.chooseFailure(step, on_error)} /><span>${words}</span></label>`;
    return html`<div class="field" data-field="on_error"><span class="label" id="on-error">If this fails</span>
      <div class="segments" role="radiogroup" aria-labelledby="on-error">${way("fail", "Stop the run")}${way("continue", "Go on")}${way("rescue", "Do other steps")}</div>
      ${now === "rescue" ? html`<p class="hint">The steps under “if this fails” are done instead, and then the run goes on. They find what went wrong under this step's “error”.</p>` : nothing}
      ${now === "continue" ? html`<p class="hint">What follows finds what went wrong under this step's “error”.</p>` : nothing}</div>`;
  }

  private chooseFailure(step: Step, on_error: OnError): void {
    this.session.edit([{ op: "set_on_error", step: step.id, on_error }]);
    // There is nothing to be done yet: the picker offers what could be.
    if (on_error === "rescue" && !step.rescue) this.session.show({ show: "pick step", at: { parent: { step: step.id, lane: "rescue" }, index: 0 } });
  }

  /** The first field that is empty and needed gets the focus, else the first that can be typed in. */
  focusFirst(): void {
    void this.updateComplete.then(async () => {
      const fields = [...this.querySelectorAll("tp-field, tp-cases, tp-conditions")] as (HTMLElement & { updateComplete?: Promise<unknown> })[];
      await Promise.all(fields.map((it) => it.updateComplete));
      await Promise.all([...this.querySelectorAll("tp-text, tp-conditions")].map((it) => (it as unknown as { updateComplete: Promise<unknown> }).updateComplete));
      const boxes = [...this.querySelectorAll<HTMLElement>(".form .text-box, .form input:not([type=radio]):not([type=checkbox]):not(.case-title), .form textarea")].filter((it) => it.offsetParent !== null);
      const empty = (it: HTMLElement): boolean => (it instanceof HTMLInputElement || it instanceof HTMLTextAreaElement ? it.value === "" : it.classList.contains("blank"));
      const needed = boxes.find((it) => empty(it) && (it.getAttribute("aria-required") === "true" || it.closest("tp-conditions") !== null));
      // A form comes with its questions: its name is what somebody wants to change first.
      const target = needed ?? (this.session.owner(this.owner)?.use === "form" ? boxes[0] : boxes.find(empty)) ?? boxes[0] ?? this.querySelector<HTMLElement>("[data-continue]");
      const text = target?.closest("tp-text");
      if (text) text.focus();
      else target?.focus();
    });
  }

  /** Leads to a field that an issue is about. */
  async leadTo(field: string | undefined): Promise<void> {
    this.loud = true;
    await this.updateComplete;
    const name = field?.split(/[.[]/)[0] ?? "";
    const known = this.session.operation(this.session.owner(this.owner)?.use ?? "")?.inputs.find((it) => it.name === name);
    if (known?.advanced || ["retry", "timeout"].includes(name)) this.advanced = true;
    await this.updateComplete;
    const exact = field ? this.querySelector<HTMLElement>(`[data-field="${CSS.escape(/^cases\[\d+\]/.exec(field)?.[0] ?? name)}"]`) : null;
    if (!exact) return this.focusFirst();
    exact.scrollIntoView({ block: "center" });
    await new Promise((done) => setTimeout(done, 0));
    const target = exact.querySelector<HTMLElement>("tp-code, .text-box.blank, .text-box, textarea, select, input:not(.case-title)");
    const text = target?.closest("tp-text");
    if (text) text.focus();
    else target?.focus();
  }
}
