// The cases of a branch: title, condition, order. The steps inside are drawn in the flow.
import { html, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import { emptyTest } from "./conditions";
import { findStep, type Case, type Conditions } from "./model";
import { conditionInWords, isWritten } from "./words";

@customElement("tp-cases")
export class Cases extends Bound {
  /** The branch. */
  @property() step = "";

  protected override render(): TemplateResult {
    const { session, step } = this;
    const cases = findStep(session.document, step)?.step.cases ?? [];
    const off = !session.edits;
    return html`<div class="cases">
      ${cases.map((it, index) => this.one(it, index, cases.length))}
      <button type="button" class="button small" ?hidden=${off} @click=${() => this.add(cases.length)}>${icon("plus")}Add a case</button>
      <p class="hint">Cases are tried in order; the steps of the first one that holds are run. If none does, those under “otherwise” are.</p>
    </div>`;
  }

  private one(it: Case, index: number, length: number): TemplateResult {
    const { session, step } = this;
    const off = !session.edits;
    const issues = session.issuesAt(step).filter((issue) => issue.field?.startsWith(`cases[${index}]`));
    const touched = isWritten(it.if) && session.saving !== "saving";
    const move = (to: number): void => {
      session.edit([{ op: "move_case", step, from: index, to }]);
    };
    return html`<section class="case" aria-label="Case ${index + 1}" data-field="cases[${index}]">
      <div class="case-head">
        <input class="input case-title" aria-label="Title of case ${index + 1}" placeholder=${isWritten(it.if) ? conditionInWords(it.if) : `Case ${index + 1}`} .value=${it.title} ?disabled=${off} @input=${(event: Event) => session.edit([{ op: "set_case_title", step, index, title: (event.target as HTMLInputElement).value }])} />
        <button type="button" class="icon-button small" aria-label="Move case ${index + 1} up" title="Move up" ?disabled=${off || index === 0} @click=${() => move(index - 1)}>${icon("arrow-up", "small")}</button>
        <button type="button" class="icon-button small" aria-label="Move case ${index + 1} down" title="Move down" ?disabled=${off || index === length - 1} @click=${() => move(index + 1)}>${icon("arrow-down", "small")}</button>
        <button type="button" class="icon-button small" aria-label="Remove case ${index + 1}" title="Remove" ?disabled=${off || length === 1} @click=${() => this.drop(it, index)}>${icon("trash", "small")}</button>
      </div>
      <p class="case-if muted small">if</p>
      <tp-conditions .session=${session} .value=${it.if} label="Condition of case ${index + 1}" @value-change=${(event: CustomEvent<Conditions>) => session.edit([{ op: "set_case_condition", step, index, condition: event.detail }])}></tp-conditions>
      ${touched ? issues.map((issue) => html`<p class="error">${issue.message}</p>`) : ""}
    </section>`;
  }

  private add(index: number): void {
    this.session.edit([{ op: "add_case", step: this.step, index, case: { title: "", if: { all: [emptyTest()] }, steps: [] } }]);
    void this.updateComplete.then(() => this.querySelectorAll(".case")[index]?.querySelector("tp-text")?.focus());
  }

  private drop(it: Case, index: number): void {
    this.session.edit([{ op: "remove_case", step: this.step, index }]);
    if (it.steps.length > 0) this.session.say(`The case and its ${it.steps.length === 1 ? "step are" : `${it.steps.length} steps are`} gone.`, { label: "Undo", run: () => this.session.undo() });
  }
}
