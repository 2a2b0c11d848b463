// The questions of a hosted form, or the inputs of a manual run: add, remove, reorder, change.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import type { Json, Question } from "./model";

const formKinds: [string, string][] = [
  ["text", "Text"],
  ["long_text", "Long text"],
  ["email", "E-mail address"],
  ["number", "Number"],
  ["choice", "Choice"],
  ["date", "Date"],
  ["file", "File"],
  ["consent", "Consent"],
];
const inputKinds: [string, string][] = [
  ["text", "Text"],
  ["long_text", "Long text"],
  ["number", "Number"],
  ["choice", "Choice"],
  ["date", "Date"],
  ["email", "E-mail address"],
  ["boolean", "Yes or no"],
];

/** A name for expressions out of a label: "Your name" becomes `your_name`. */
export const nameOf = (label: string): string =>
  label.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").replace(/^(\d)/, "q_$1").slice(0, 40) || "question";

@customElement("tp-questions")
export class Questions extends Bound {
  @property({ attribute: false }) value: Json | undefined;
  @property() label = "";
  /** Inputs of a manual run, not questions of a form. */
  @property({ type: Boolean }) inputs = false;

  @state() private open = -1;

  private get list(): Question[] {
    return Array.isArray(this.value) ? (this.value as unknown as Question[]) : [];
  }

  private tell(list: Question[]): void {
    this.dispatchEvent(new CustomEvent("value-change", { detail: list as unknown as Json, bubbles: false }));
  }

  private change(index: number, change: Partial<Question>): void {
    this.tell(this.list.map((it, at) => (at === index ? clean({ ...it, ...change }) : it)));
  }

  private move(index: number, to: number): void {
    const list = [...this.list];
    const [moved] = list.splice(index, 1);
    if (!moved || to < 0 || to > list.length) return;
    list.splice(to, 0, moved);
    this.open = to;
    this.tell(list);
    void this.updateComplete.then(() => this.querySelectorAll<HTMLElement>(".question-head")[to]?.focus());
  }

  private add(): void {
    const taken = new Set(this.list.map((it) => it.name));
    const base = this.inputs ? "input" : "question";
    let n = this.list.length + 1;
    while (taken.has(`${base}_${n}`)) n++;
    const label = `${this.inputs ? "Input" : "Question"} ${n}`;
    this.open = this.list.length;
    this.tell([...this.list, { name: `${base}_${n}`, label, kind: "text" }]);
    void this.updateComplete.then(() => {
      const field = this.querySelector<HTMLInputElement>(".question.open .question-label");
      field?.focus();
      field?.select();
    });
  }

  protected override render(): TemplateResult {
    const list = this.list;
    return html`<div class="questions" role="group" aria-labelledby=${this.label}>
      ${list.map((it, index) => this.question(it, index, list.length))}
      <button type="button" class="button small" ?hidden=${!this.session.edits} @click=${this.add}>${icon("plus")}${this.inputs ? "Add an input" : "Add a question"}</button>
    </div>`;
  }

  private question(it: Question, index: number, length: number): TemplateResult {
    const kinds = this.inputs ? inputKinds : formKinds;
    const open = this.open === index;
    const off = !this.session.edits;
    const kindTitle = kinds.find(([key]) => key === it.kind)?.[1] ?? it.kind;
    const text = (event: Event): string => (event.target as HTMLInputElement).value;
    return html`<div class="question ${open ? "open" : ""}">
      <button type="button" class="question-head" aria-expanded=${open} @click=${() => (this.open = open ? -1 : index)}>
        ${icon(open ? "chevron-down" : "chevron-right", "small")}<span class="grow cut">${it.label || it.name}${it.required ? html`<span class="required" aria-label="needed"> *</span>` : nothing}</span><span class="muted small">${kindTitle}</span>
      </button>
      ${open
        ? html`<div class="question-body">
            <div class="field"><label for="q-label-${index}">Label</label><input id="q-label-${index}" class="question-label" .value=${it.label} ?disabled=${off} @input=${(event: Event) => this.relabel(index, it, text(event))} /></div>
            <div class="field"><label for="q-kind-${index}">Kind</label>
              <select id="q-kind-${index}" ?disabled=${off} @change=${(event: Event) => this.change(index, { kind: text(event) })}>${kinds.map(([key, title]) => html`<option value=${key} ?selected=${key === it.kind}>${title}</option>`)}</select></div>
            ${it.kind === "choice"
              ? html`<div class="field"><label for="q-options-${index}">Options, one per line</label><textarea id="q-options-${index}" rows="3" ?disabled=${off} .value=${(it.options ?? []).join("\n")} @change=${(event: Event) => this.change(index, { options: text(event).split("\n").map((one) => one.trim()).filter(Boolean) })}></textarea></div>`
              : nothing}
            <div class="field"><label for="q-help-${index}">Help <span class="optional">under the field</span></label><input id="q-help-${index}" .value=${it.help ?? ""} ?disabled=${off} @change=${(event: Event) => this.change(index, { help: text(event).trim() })} /></div>
            <div class="field"><label for="q-name-${index}">Name <span class="optional">in the data</span></label><input id="q-name-${index}" class="mono" .value=${it.name} ?disabled=${off} @change=${(event: Event) => this.change(index, { name: this.unique(nameOf(text(event)), index) })} /></div>
            <div class="row apart">
              <label class="check"><input type="checkbox" .checked=${it.required ?? false} ?disabled=${off} @change=${(event: Event) => this.change(index, { required: (event.target as HTMLInputElement).checked })} /><span>Must be answered</span></label>
              <span class="row tight">
                <button type="button" class="icon-button small" aria-label="Move up" title="Move up" ?disabled=${off || index === 0} @click=${() => this.move(index, index - 1)}>${icon("arrow-up", "small")}</button>
                <button type="button" class="icon-button small" aria-label="Move down" title="Move down" ?disabled=${off || index === length - 1} @click=${() => this.move(index, index + 1)}>${icon("arrow-down", "small")}</button>
                <button type="button" class="icon-button small" aria-label="Remove ${it.label}" title="Remove" ?disabled=${off} @click=${() => { this.open = -1; this.tell(this.list.filter((_, at) => at !== index)); }}>${icon("trash", "small")}</button>
              </span>
            </div>
          </div>`
        : nothing}
    </div>`;
  }

  /** The name follows the label as long as nobody leans on it: while it is the one that was made up. */
  private relabel(index: number, it: Question, label: string): void {
    const made = /^(question|input)_\d+$/.test(it.name) || it.name === this.unique(nameOf(it.label), index);
    const used = JSON.stringify(this.session.document.steps).includes(`trigger.body.${it.name}`);
    this.change(index, made && !used ? { label, name: this.unique(nameOf(label), index) } : { label });
  }

  private unique(name: string, index: number): string {
    const taken = new Set(this.list.filter((_, at) => at !== index).map((it) => it.name));
    if (!taken.has(name)) return name;
    for (let n = 2; ; n++) if (!taken.has(`${name}_${n}`)) return `${name}_${n}`;
  }
}

/** Empty parts are left out. */
function clean(it: Question): Question {
  const { help, required, options, ...rest } = it;
  return { ...rest, ...(required ? { required } : {}), ...(help ? { help } : {}), ...(it.kind === "choice" ? { options: options ?? [] } : {}) };
}
