// Steps over data tables: which table, and a field for each of its columns. The columns are the table's own, so a form follows when
// somebody adds one.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import { asText } from "./field";
import type { Column, DataTable, Field, Json, Obj } from "./model";
import "./text";

const hints: Record<string, string> = {
  text: "",
  number: "a number",
  boolean: "yes or no",
  date: "2026-11-20",
  date_time: "2026-11-20 10:25",
  json: "data of an earlier step",
};

/** Which table a step works on. */
@customElement("tp-table")
export class TableElement extends Bound {
  @property({ attribute: false }) field!: Field;
  @property({ attribute: false }) value: Json | undefined;
  @property() labelledby = "";
  @property() describedby = "";
  @property({ type: Boolean }) invalid = false;

  protected override render(): TemplateResult {
    const { session } = this;
    const tables = session.tables;
    const now = session.tableOf(this.value);
    const named = typeof this.value === "string" && this.value !== "";
    const choose = (event: Event): void => {
      this.dispatchEvent(new CustomEvent("value-change", { detail: (event.target as HTMLSelectElement).value, bubbles: false }));
    };
    return html`<div class="table-choice">
      <select class="select grow" aria-labelledby=${this.labelledby} aria-describedby=${this.describedby || nothing} aria-invalid=${this.invalid ? "true" : nothing} ?disabled=${!session.edits} @change=${choose} @focus=${() => void session.refreshTables()}>
        ${now ? nothing : html`<option value="" selected disabled>${named && tables ? "This table is gone" : "Choose a table"}</option>`}
        ${(tables ?? []).map((it) => html`<option value=${it.id} ?selected=${it.id === now?.id}>${it.name}</option>`)}
      </select>
      ${now
        ? html`<a class="icon-button" href="/tables/${now.id}" target="_blank" aria-label="Open the table ${now.name}" title="Open the table">${icon("table")}</a>`
        : tables?.length === 0
          ? html`<a class="button" href="/tables/new" target="_blank">${icon("plus")}Make one</a>`
          : nothing}
    </div>`;
  }
}

/** Values for the columns of a table. */
@customElement("tp-row")
export class RowElement extends Bound {
  @property({ attribute: false }) value: Json | undefined;
  @property({ attribute: false }) table: DataTable | undefined;
  @property() label = "";
  /** Is it a change? Then what is left empty stays as it is. */
  @property({ type: Boolean }) changes = false;
  @property() owner = "";
  @property() name = "";
  @property({ type: Boolean }) loud = false;
  /** Columns of few values whose value comes from data all the same. */
  @state() private readonly fromData = new Set<string>();

  private get values(): Obj {
    return typeof this.value === "object" && this.value !== null && !Array.isArray(this.value) ? this.value : {};
  }

  private change(name: string, value: Json | undefined): void {
    const rest = Object.entries(this.values).filter(([key]) => key !== name);
    const next = value === undefined || value === "" ? rest : [...rest, [name, value] as [string, Json]];
    // In the order of the columns, so that the same row is written the same way.
    const order = (key: string): number => {
      const at = this.table?.columns.findIndex((it) => it.name === key) ?? -1;
      return at < 0 ? Number.MAX_SAFE_INTEGER : at;
    };
    next.sort(([a], [b]) => order(a) - order(b));
    this.dispatchEvent(new CustomEvent("value-change", { detail: next.length > 0 ? Object.fromEntries(next) : undefined, bubbles: false }));
  }

  protected override render(): TemplateResult {
    const { table, values } = this;
    if (!table) return html`<p class="muted small">Choose a table first: its columns are shown here.</p>`;
    const known = new Set(table.columns.map((it) => it.name));
    const strangers = Object.keys(values).filter((name) => !known.has(name));
    return html`<div class="row-form" role="group" aria-labelledby=${this.label}>
      ${table.columns.map((it) => this.column(it, values[it.name], table))}
      ${strangers.map((name) => html`<div class="row-column"><span class="label">${name}</span><p class="error">The table has no column “${name}” any more. <button type="button" class="link-button" ?hidden=${!this.session.edits} @click=${() => this.change(name, undefined)}>Take it out</button></p></div>`)}
    </div>`;
  }

  private column(column: Column, value: Json | undefined, table: DataTable): TemplateResult {
    const needed = !this.changes && ((column.required ?? false) || table.key.includes(column.name));
    const id = `row-${this.owner}-${column.id}`;
    const issues = this.session.issuesAt(this.owner, `${this.name}.${column.name}`).filter(() => this.loud || value !== undefined);
    return html`<div class="row-column" data-column=${column.name}>
      <span class="label" id=${id}>${column.name}${needed ? html`<span class="required" title="Needed" aria-hidden="true"> *</span>` : nothing}</span>
      ${this.control(column, value, id)}
      ${issues.map((it) => html`<p class="error">${it.message}</p>`)}
    </div>`;
  }

  private control(column: Column, value: Json | undefined, label: string): TemplateResult {
    const { session } = this;
    const few = column.kind === "boolean" ? [["true", "Yes"], ["false", "No"]] : column.kind === "choice" ? (column.options ?? []).map((it) => [it, it]) : [];
    const open = typeof value === "string" && value.includes("{{");
    if (few.length > 0 && !open && !this.fromData.has(column.name)) {
      const now = value === undefined ? "" : String(value);
      const choose = (event: Event): void => {
        const text = (event.target as HTMLSelectElement).value;
        this.change(column.name, column.kind === "boolean" && text !== "" ? text === "true" : text);
      };
      return html`<div class="table-choice">
        <select class="select grow" aria-labelledby=${label} ?disabled=${!session.edits} @change=${choose}>
          <option value="" ?selected=${now === ""}>${this.changes ? "as it is" : "empty"}</option>
          ${few.map(([key, words]) => html`<option value=${key ?? ""} ?selected=${key === now}>${words}</option>`)}
        </select>
        <button type="button" class="icon-button" aria-label="Use data for ${column.name}" title="Use data of earlier steps" ?disabled=${!session.edits} @click=${() => { this.fromData.add(column.name); this.requestUpdate(); void this.updateComplete.then(() => this.querySelector<HTMLElement>(`[data-column="${CSS.escape(column.name)}"] .text-box`)?.focus()); }}>${icon("braces")}</button>
      </div>`;
    }
    return html`<tp-text .session=${session} .value=${asText(value)} labelledby=${label} placeholder=${this.changes ? "as it is" : (hints[column.kind] ?? "")} .becomes=${column.kind === "number" ? "number" : ""} @value-change=${(event: CustomEvent<string>) => { event.stopPropagation(); this.change(column.name, event.detail); }}></tp-text>`;
  }
}
