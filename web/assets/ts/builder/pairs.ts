// Names and values in order: an object. An empty row waits at the end; a row without a name and a value is none.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import { asText } from "./field";
import { equal, type Json, type Obj } from "./model";
import "./text";

interface Row {
  name: string;
  value: Json;
}

@customElement("tp-pairs")
export class Pairs extends Bound {
  @property({ attribute: false }) value: Json | undefined;
  /** The id of the visible label. */
  @property() label = "";
  @property({ type: Boolean }) expressions = true;
  /** The list whose items the values are worked out for, as it is written. */
  @property() over = "";

  @state() private rows: Row[] = [];

  protected override willUpdate(): void {
    super.willUpdate();
    // Rows that the document can't hold (no name yet, or one twice) live here only.
    if (!equal(write(this.rows), this.value ?? {})) this.rows = read(this.value);
    const last = this.rows.at(-1);
    if (this.session.edits && (!last || last.name !== "" || last.value !== "")) this.rows = [...this.rows, { name: "", value: "" }];
  }

  private change(index: number, row: Partial<Row>): void {
    this.rows = this.rows.map((it, at) => (at === index ? { ...it, ...row } : it));
    this.tell();
  }

  private drop(index: number): void {
    this.rows = this.rows.filter((_, at) => at !== index);
    this.tell();
    void this.updateComplete.then(() => this.querySelectorAll<HTMLElement>(".pair-name")[Math.min(index, this.rows.length - 1)]?.focus());
  }

  private tell(): void {
    const value = write(this.rows);
    this.dispatchEvent(new CustomEvent("value-change", { detail: Object.keys(value).length > 0 ? value : undefined, bubbles: false }));
  }

  protected override render(): TemplateResult {
    const twice = this.rows.map((it) => it.name.trim()).filter((name, at, all) => name !== "" && all.indexOf(name) !== at);
    return html`<div class="pairs" role="group" aria-labelledby=${this.label}>
      ${this.rows.map(
        (row, index) => html`<div class="pair">
          <input class="input pair-name" aria-label="Name ${index + 1}" placeholder="name" .value=${row.name} ?disabled=${!this.session.edits} @input=${(event: Event) => this.change(index, { name: (event.target as HTMLInputElement).value })} />
          <tp-text .session=${this.session} .value=${asText(row.value)} .expressions=${this.expressions} .over=${this.over} label="Value of ${row.name || `row ${index + 1}`}" placeholder="value" @value-change=${(event: CustomEvent<string>) => { event.stopPropagation(); this.change(index, { value: event.detail }); }}></tp-text>
          <button type="button" class="icon-button small" aria-label="Remove ${row.name || `row ${index + 1}`}" title="Remove" ?hidden=${!this.session.edits || index === this.rows.length - 1} @click=${() => this.drop(index)}>${icon("x", "small")}</button>
        </div>`,
      )}
      ${twice.length > 0 ? html`<p class="error">“${twice[0]}” is here twice; only one of them counts.</p>` : nothing}
    </div>`;
  }
}

const read = (value: Json | undefined): Row[] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value).map(([name, it]) => ({ name, value: it })) : [];

function write(rows: readonly Row[]): Obj {
  const value: Obj = {};
  for (const row of rows) if (row.name.trim() !== "") value[row.name.trim()] = row.value;
  return value;
}
