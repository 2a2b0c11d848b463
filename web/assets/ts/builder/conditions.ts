// A condition as rows of value, comparison, value; joined by all or any, with groups one level deep. Nobody writes a comparison.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import { asText } from "./field";
import type { Column, Conditions, Json, Test } from "./model";
import { parse } from "./template";
import { aboutOf, operator, operators, type Operator } from "./words";
import "./text";

export const emptyTest = (): Test => ({ value: "", is: "equals", to: "" });

type Group = { all: Conditions[] } | { any: Conditions[] };

const isGroup = (it: Conditions): it is Group => "all" in it || "any" in it;
const partsOf = (it: Group): Conditions[] => ("all" in it ? it.all : it.any);
const withParts = (it: Group, parts: Conditions[]): Group => ("all" in it ? { all: parts } : { any: parts });
const asGroup = (it: Conditions | undefined): Group => (it && isGroup(it) ? it : { all: it ? [it] : [emptyTest()] });

/** What every row of a table has besides its columns. */
const owns: (Column & { title: string })[] = [
  { id: "id", name: "id", kind: "text", title: "ID" },
  { id: "created_at", name: "created_at", kind: "date_time", title: "When it was added" },
  { id: "updated_at", name: "updated_at", kind: "date_time", title: "When it was last changed" },
];
const own = (name: Json): Column | undefined => owns.find((it) => it.name === name);

/** Which comparisons suit a column. */
const aboutColumn = (column: Column): Operator["about"] =>
  column.kind === "number" ? "number" : column.kind === "boolean" ? "yes or no" : column.kind === "date" || column.kind === "date_time" ? "date" : column.kind === "json" ? "anything" : "text";

@customElement("tp-conditions")
export class ConditionsElement extends Bound {
  @property({ attribute: false }) value: Conditions | undefined;
  /** What the rows are about, for screen readers. */
  @property() label = "Condition";
  /** The list whose items are looked at, as it is written. */
  @property() over = "";
  /** The columns of the table whose rows are looked at: rows choose one in the place of a value. */
  @property({ attribute: false }) columns: Column[] | undefined;

  private tell(value: Conditions): void {
    this.dispatchEvent(new CustomEvent("value-change", { detail: value, bubbles: false }));
  }

  protected override render(): TemplateResult {
    return html`<div class="conditions" role="group" aria-label=${this.label}>${this.group(asGroup(this.value), 0, (it) => this.tell(it))}</div>`;
  }

  private group(group: Group, depth: number, change: (group: Conditions) => void): TemplateResult {
    const parts = partsOf(group);
    const off = !this.session.edits;
    const set = (index: number, part: Conditions | undefined): void => change(withParts(group, part === undefined ? parts.filter((_, at) => at !== index) : parts.map((was, at) => (at === index ? part : was))));
    const word = "all" in group ? "and" : "or";
    return html`
      ${parts.map((part, index) => html`
        ${index > 0
          ? html`<div class="condition-join">${index === 1
              ? html`<select class="join" aria-label="How the conditions are joined" ?disabled=${off} @change=${(event: Event) => change((event.target as HTMLSelectElement).value === "all" ? { all: parts } : { any: parts })}>
                  <option value="all" ?selected=${word === "and"}>and</option><option value="any" ?selected=${word === "or"}>or</option>
                </select>`
              : html`<span class="muted small">${word}</span>`}</div>`
          : nothing}
        ${isGroup(part)
          ? html`<div class="condition-group">${this.group(part, depth + 1, (it) => set(index, partsOf(it as Group).length > 0 ? it : undefined))}</div>`
          : "expression" in part
            ? this.expression(part, () => set(index, undefined), (it) => set(index, it))
            : this.row(part, parts.length > 1 || depth > 0, index, () => set(index, undefined), (it) => set(index, it))}`)}
      <div class="row tight" ?hidden=${off}>
        <button type="button" class="button quiet small" @click=${() => this.add(() => change(withParts(group, [...parts, emptyTest()])))}>${icon("plus")}${parts.length === 0 ? "Add a condition" : `${word} …`}</button>
        ${depth === 0 && parts.length > 0 ? html`<button type="button" class="button quiet small" @click=${() => this.add(() => change(withParts(group, [...parts, "all" in group ? { any: [emptyTest(), emptyTest()] } : { all: [emptyTest(), emptyTest()] }])))}>${icon("plus")}Group</button>` : nothing}
      </div>`;
  }

  private add(change: () => void): void {
    const had = this.querySelectorAll("tp-text").length;
    change();
    void this.updateComplete.then(() => this.querySelectorAll("tp-text")[had]?.focus());
  }

  private row(test: Test, removable: boolean, index: number, remove: () => void, change: (test: Test) => void): TemplateResult {
    const off = !this.session.edits;
    const how = operator(test.is);
    const column = this.columns && (this.columns.find((it) => it.name === test.value) ?? own(test.value));
    const first = column ? aboutColumn(column) : aboutOf(this.lookAt(test.value));
    const groups = this.columns ? [...new Set(["anything", ...(column ? [first] : ["text", "number", "date", "yes or no"])])] : [...new Set([first === "text" ? "anything" : first, "anything", "text", "number", "date", "yes or no"])];
    const offered = operators.filter((it) => !this.columns || !["matches", "exists", "does_not_exist"].includes(it.is));
    const choose = (is: string): void => {
      const next = operator(is);
      const to: Json | undefined = next.needs === 0 ? undefined : next.needs === 2 ? (Array.isArray(test.to) ? test.to : [test.to ?? "", ""]) : Array.isArray(test.to) ? (test.to[0] ?? "") : (test.to ?? "");
      change(to === undefined ? { value: test.value, is } : { value: test.value, is, to });
    };
    const two = Array.isArray(test.to) ? test.to : ["", ""];
    const text = (value: Json | undefined, label: string, placeholder: string, write: (text: string) => void, becomes = false): TemplateResult => html`<tp-text .session=${this.session} .value=${asText(value)} .over=${this.over} label=${label} placeholder=${placeholder} .becomes=${becomes ? "number" : ""} @value-change=${(event: CustomEvent<string>) => { event.stopPropagation(); write(event.detail); }}></tp-text>`;
    const number = how.about === "number";
    return html`<div class="condition">
      ${this.columns ? this.column(test, index, off, change) : text(test.value, `Value ${index + 1}`, "Pick a value from the data", (value) => change({ ...test, value }), number)}
      <div class="condition-how">
        <select class="select" aria-label="Comparison ${index + 1}" ?disabled=${off} @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
          ${groups.map((about) => html`<optgroup label=${about}>${offered.filter((it) => it.about === about || (column?.kind === "date" || column?.kind === "date_time" ? about === "date" && it.is === "between" : false)).map((it) => html`<option value=${it.is} ?selected=${it.is === test.is}>${it.words}</option>`)}</optgroup>`)}
        </select>
        ${removable && !off ? html`<button type="button" class="icon-button small" aria-label="Remove condition ${index + 1}" title="Remove" @click=${remove}>${icon("x", "small")}</button>` : nothing}
      </div>
      ${how.needs === 1 ? text(test.to, `Compared with ${index + 1}`, test.is.includes("one_of") ? "a, b, c" : "a value", (to) => change({ ...test, to }), number) : nothing}
      ${how.needs === 2 ? html`<div class="condition-two">${text(two[0], "From", "from", (it) => change({ ...test, to: [it, two[1] ?? ""] }), number)}<span class="muted small">and</span>${text(two[1], "To", "to", (it) => change({ ...test, to: [two[0] ?? "", it] }), number)}</div>` : nothing}
    </div>`;
  }

  /** The column that a row of conditions is about. */
  private column(test: Test, index: number, off: boolean, change: (test: Test) => void): TemplateResult {
    const columns = this.columns ?? [];
    const known = columns.some((it) => it.name === test.value) || own(test.value) !== undefined;
    return html`<select class="select" aria-label="Column ${index + 1}" ?disabled=${off} @change=${(event: Event) => change({ ...test, value: (event.target as HTMLSelectElement).value })}>
      ${known ? nothing : html`<option value="" selected disabled>${typeof test.value === "string" && test.value !== "" ? `“${test.value}” is gone` : columns.length > 0 ? "Choose a column" : "Choose a table first"}</option>`}
      ${columns.map((it) => html`<option value=${it.name} ?selected=${it.name === test.value}>${it.name}</option>`)}
      ${columns.length > 0 ? html`<optgroup label="of every row">${owns.map((it) => html`<option value=${it.name} ?selected=${it.name === test.value}>${it.title}</option>`)}</optgroup>` : nothing}
    </select>`;
  }

  private expression(it: { expression: string }, remove: () => void, change: (it: { expression: string }) => void): TemplateResult {
    return html`<div class="condition"><input class="input mono" aria-label="Expression that is true or false" .value=${it.expression} ?disabled=${!this.session.edits} @change=${(event: Event) => change({ expression: (event.target as HTMLInputElement).value })} />
      <button type="button" class="icon-button small" aria-label="Remove the expression" title="Remove" @click=${remove}>${icon("x", "small")}</button></div>`;
  }

  /** The sample's value behind a lone pill: it decides which comparisons come first. */
  private lookAt(value: Json): Json | undefined {
    const parts = typeof value === "string" ? parse(value) : [];
    return parts.length === 1 && parts[0] && "expression" in parts[0] ? this.session.resolver.get(String(value), this.over)?.value : undefined;
  }
}
