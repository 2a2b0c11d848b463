// The picture: the trigger, then steps from top to bottom; lanes stand side by side, a loop and an error lane in a frame beneath their step. It is a nested list, so that a
// screen reader hears the same outline.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import { lanesOf, sameLane, walk, type Parent, type Place, type Step, type Trigger } from "./model";
import type { Runs } from "./runs";
import { caseTitle, isWritten, stepDetail, stepTitle } from "./words";

@customElement("tp-flow")
export class Flow extends Bound {
  @property({ attribute: false }) runs: Runs | undefined;

  private numbers = new Map<string, number>();

  protected override render(): TemplateResult {
    const { session } = this;
    const { document, view } = session;
    this.numbers = new Map(walk(document).map((it) => [it.step.id, it.number]));
    return html`<ol class="lane top" aria-label="Steps of the workflow">
      <li class="stop">
        ${document.trigger
          ? this.card(document.trigger, 1)
          : !session.edits
            ? html`<p class="card-empty">${icon("bolt")}<span>Nothing starts this yet</span></p>`
            : html`<button type="button" class="card-empty" data-step="trigger" aria-current=${view.show === "pick trigger" ? "step" : "false"} @click=${() => session.show({ show: "pick trigger" })}>${icon("bolt")}<span>Choose what starts this</span></button>`}
      </li>
      ${document.trigger ? this.lane(document.steps, undefined) : nothing}
    </ol>`;
  }

  private lane(steps: Step[], parent: Parent | undefined): TemplateResult {
    const at = (index: number): Place => (parent ? { parent, index } : { index });
    return html`${this.plus(at(0), parent ? "first" : "")}
      ${steps.map((step, index) => html`<li class="stop">
          ${this.card(step, this.numbers.get(step.id) ?? 0)}
          ${this.inside(step)}
        </li>
        ${this.plus(at(index + 1), index === steps.length - 1 ? "last" : "", step)}`)}`;
  }

  /** What is inside a step: lanes side by side, a loop around its steps, and beneath it all what is done when it fails. */
  private inside(step: Step): TemplateResult {
    const lanes = lanesOf(step);
    const side = lanes.filter((it) => it.parent.lane !== "body" && it.parent.lane !== "rescue");
    const body = lanes.find((it) => it.parent.lane === "body");
    const rescue = lanes.find((it) => it.parent.lane === "rescue");
    return html`${side.length > 0 ? this.split(step, side) : nothing}
      ${body ? this.box(step, body, "loop-box", body.title, step.use === "repeat" ? "repeat" : "loop") : nothing}
      ${rescue ? this.box(step, rescue, "rescue-box", rescue.title, "alert") : nothing}`;
  }

  /** Steps that are gone through on their own, in a frame with a name. */
  private box(step: Step, lane: ReturnType<typeof lanesOf>[number], kind: string, title: string, picture: string): TemplateResult {
    const rounds = lane.parent.lane === "body" ? this.runs?.of(step.id)?.rounds : undefined;
    return html`<div class="box ${kind}">
      <p class="box-title">${icon(picture, "small")}<span>${title}</span>${rounds ? html`<span class="box-rounds">${rounds}</span>` : nothing}</p>
      <ol class="lane" aria-label="${stepTitle(step, this.session.catalogue)}: ${title}">${this.lane(lane.steps, lane.parent)}</ol>
    </div>`;
  }

  private split(step: Step, lanes: ReturnType<typeof lanesOf>): TemplateResult {
    return html`<div class="split">
      ${lanes.map(({ parent, steps, title: name }) => {
        const one = typeof parent.lane === "string" ? undefined : step.cases?.[parent.lane];
        const title = !one ? name : one.title || isWritten(one.if) ? caseTitle(one) : `case ${Number(parent.lane) + 1}`;
        const run = this.runs?.of(step.id);
        const taken = run !== undefined && steps.some((it) => this.runs?.of(it.id)?.tone !== "off" && this.runs?.of(it.id) !== undefined);
        return html`<div class="split-lane ${taken ? "taken" : ""}">
          <button type="button" class="lane-title" title=${title} @click=${() => this.openCase(step.id, parent)}><span class="cut">${title}</span></button>
          <ol class="lane" aria-label=${step.use === "branch" ? `If ${title}` : title}>${this.lane(steps, parent)}</ol>
        </div>`;
      })}
    </div>`;
  }

  private openCase(step: string, parent: Parent): void {
    this.session.open(step);
    const field = typeof parent.lane === "string" ? undefined : this.session.owner(step)?.use === "parallel" ? "lanes" : `cases[${parent.lane}]`;
    if (field) this.dispatchEvent(new CustomEvent("lead-to", { detail: { step, field }, bubbles: true }));
  }

  private card(step: Step | Trigger, number: number): TemplateResult {
    const { session } = this;
    const operation = session.operation(step.use);
    const selected = session.view.show === "step" && session.view.id === step.id;
    const title = stepTitle(step, session.catalogue);
    const detail = stepDetail(step, session.catalogue);
    const blocked = session.issuesAt(step.id).some((it) => it.severity === "blocks");
    const run = this.runs?.of(step.id) ?? (step.id === "trigger" && this.runs?.shown ? { tone: "ok" as const, label: "started the run", duration: null, error: null } : undefined);
    const state = run?.label ?? (blocked ? "something is missing" : "");
    return html`<button type="button" class="step-card about-${operation?.category ?? "none"} ${run ? `run-${run.tone}` : ""}" data-step=${step.id} aria-current=${selected ? "step" : "false"} title=${run?.error ?? nothing} @click=${() => session.open(step.id)}>
      <span class="step-icon">${icon(operation?.icon ?? "circle")}</span>
      <span class="step-words"><span class="step-title"><span class="step-number">${number}</span><span class="step-name">${title}</span></span>${detail ? html`<span class="step-detail cut">${detail}</span>` : nothing}${state ? html`<span class="visually-hidden">${state}</span>` : nothing}</span>
      ${run
        ? html`<span class="step-run ${run.tone}">${icon(run.tone === "ok" ? "check" : run.tone === "bad" ? "x" : run.tone === "off" ? "minus" : run.tone === "wait" ? "wait" : "run", "small")}${run.duration ? html`<span>${run.duration}</span>` : nothing}</span>`
        : blocked
          ? html`<span class="step-todo" title="Something is missing"></span>`
          : "on_error" in step && step.on_error === "continue"
            ? html`<span class="muted" title="Goes on when this fails">${icon("arrow-right", "small")}</span>`
            : nothing}
    </button>`;
  }

  private plus(at: Place, kind: string, after?: Step): TemplateResult {
    const { session } = this;
    if (!session.edits) return html`<li class="plus ${kind}" aria-hidden="true"></li>`;
    const view = session.view;
    const chosen = view.show === "pick step" && view.at.index === at.index && sameLane(view.at.parent, at.parent);
    const where = after ? `after ${stepTitle(after, session.catalogue)}` : at.parent ? "at the start of this lane" : "after the trigger";
    return html`<li class="plus ${kind}"><button type="button" class=${chosen ? "chosen" : ""} aria-label="Add a step ${where}" title="Add a step here" @click=${() => session.show({ show: "pick step", at })}>${icon("plus", "small")}</button></li>`;
  }

  /** The card of a step gets the focus. */
  focusStep(id: string): void {
    void this.updateComplete.then(() => {
      const card = this.querySelector<HTMLElement>(`[data-step="${CSS.escape(id)}"]`);
      card?.focus({ preventScroll: true });
      card?.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
  }

  protected override firstUpdated(): void {
    this.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** Arrows walk the steps: up and down in reading order, left and right between lanes. */
  private onKey(event: KeyboardEvent): void {
    const target = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-step], .plus button") : null;
    if (!target || event.ctrlKey || event.metaKey || event.altKey) return;
    const cards = [...this.querySelectorAll<HTMLElement>("[data-step]")];
    const go = (to: HTMLElement | undefined): void => {
      event.preventDefault();
      to?.focus();
      to?.scrollIntoView({ block: "nearest", inline: "nearest" });
    };
    const follows = (it: HTMLElement): boolean => (target.compareDocumentPosition(it) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
    const precedes = (it: HTMLElement): boolean => (target.compareDocumentPosition(it) & Node.DOCUMENT_POSITION_PRECEDING) !== 0;
    if (event.key === "ArrowDown") go(cards.find(follows));
    else if (event.key === "ArrowUp") go(cards.filter(precedes).at(-1));
    else if (event.key === "Home") go(cards[0]);
    else if (event.key === "End") go(cards.at(-1));
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      const lane = target.closest(".split-lane");
      const own = target.matches("[data-step]") ? target.parentElement?.querySelector(":scope > .split") : null;
      const lanes = [...((own ?? lane?.parentElement)?.querySelectorAll<HTMLElement>(":scope > .split-lane") ?? [])];
      const next = own && event.key === "ArrowRight" ? lanes[0] : lanes[lanes.findIndex((it) => it === lane) + (event.key === "ArrowRight" ? 1 : -1)];
      if (next) go(next.querySelector<HTMLElement>("[data-step]") ?? next.querySelector<HTMLElement>(".plus button") ?? undefined);
    }
  }
}
