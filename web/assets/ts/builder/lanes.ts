// The lanes of a parallel step: their names and their order. The steps inside are drawn in the flow.
import { html, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import { findStep, type NamedLane } from "./model";

/** As many as the engine takes. */
const MOST = 20;

@customElement("tp-lanes")
export class Lanes extends Bound {
  /** The parallel step. */
  @property() step = "";

  protected override render(): TemplateResult {
    const { session, step } = this;
    const lanes = findStep(session.document, step)?.step.lanes ?? [];
    const off = !session.edits;
    return html`<div class="field" data-field="lanes"><span class="label">Lanes</span>
      <div class="cases">
        ${lanes.map((it, index) => this.one(it, index, lanes.length))}
        <button type="button" class="button small" ?hidden=${off || lanes.length >= MOST} @click=${() => this.add(lanes.length)}>${icon("plus")}Add a lane</button>
      </div></div>`;
  }

  private one(it: NamedLane, index: number, length: number): TemplateResult {
    const { session, step } = this;
    const off = !session.edits;
    const move = (to: number): void => session.edit([{ op: "move_lane", step, from: index, to }]);
    return html`<div class="case-head">
      <input class="input case-title" aria-label="Name of lane ${index + 1}" placeholder="Lane ${index + 1}" .value=${it.title} ?disabled=${off} @input=${(event: Event) => session.edit([{ op: "set_lane_title", step, index, title: (event.target as HTMLInputElement).value }])} />
      <button type="button" class="icon-button small" aria-label="Move lane ${index + 1} to the left" title="Move left" ?disabled=${off || index === 0} @click=${() => move(index - 1)}>${icon("arrow-up", "small")}</button>
      <button type="button" class="icon-button small" aria-label="Move lane ${index + 1} to the right" title="Move right" ?disabled=${off || index === length - 1} @click=${() => move(index + 1)}>${icon("arrow-down", "small")}</button>
      <button type="button" class="icon-button small" aria-label="Remove lane ${index + 1}" title="Remove" ?disabled=${off || length === 1} @click=${() => this.drop(it, index)}>${icon("trash", "small")}</button>
    </div>`;
  }

  private add(index: number): void {
    this.session.edit([{ op: "add_lane", step: this.step, index, lane: { title: "", steps: [] } }]);
    void this.updateComplete.then(() => this.querySelectorAll<HTMLInputElement>(".case-title")[index]?.focus());
  }

  private drop(it: NamedLane, index: number): void {
    this.session.edit([{ op: "remove_lane", step: this.step, index }]);
    if (it.steps.length > 0) this.session.say(`The lane and its ${it.steps.length === 1 ? "step are" : `${it.steps.length} steps are`} gone.`, { label: "Undo", run: () => this.session.undo() });
  }
}
