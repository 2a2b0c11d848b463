// Data as a tree of names and values, for people who don't write JSON; as text for those who do.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import { equal, type Json } from "./model";
import { hasExpression } from "./template";
import "./text";

type Kind = "text" | "number" | "yes or no" | "group" | "list" | "empty";

const kindOf = (value: Json): Kind =>
  value === null ? "empty" : Array.isArray(value) ? "list" : typeof value === "object" ? "group" : typeof value === "number" ? "number" : typeof value === "boolean" ? "yes or no" : "text";

const blank: Record<Kind, () => Json> = { text: () => "", number: () => 0, "yes or no": () => true, group: () => ({}), list: () => [], empty: () => null };

/** What is left of a value when it becomes another kind. */
function turn(value: Json, into: Kind): Json {
  if (into === "text") return typeof value === "object" ? "" : String(value);
  if (into === "number" && typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value))) return Number(value);
  if (into === "list" && typeof value === "object" && value !== null && !Array.isArray(value)) return Object.values(value);
  return blank[into]();
}

@customElement("tp-json")
export class JsonField extends Bound {
  @property({ attribute: false }) value: Json | undefined;
  @property() label = "";

  @state() private raw = false;
  @state() private draft = "";
  @state() private wrong = "";

  private tell(value: Json | undefined): void {
    this.dispatchEvent(new CustomEvent("value-change", { detail: value, bubbles: false }));
  }

  protected override render(): TemplateResult {
    const value = this.value;
    return html`<div class="json" role="group" aria-labelledby=${this.label}>
      <div class="json-modes">
        <button type="button" class="link-button small" @click=${this.toggle}>${this.raw ? "Edit as fields" : "Edit as JSON"}</button>
      </div>
      ${this.raw
        ? html`<textarea class="textarea mono" rows="8" spellcheck="false" aria-labelledby=${this.label} aria-invalid=${this.wrong !== ""} ?disabled=${!this.session.edits} .value=${this.draft} @input=${this.onRaw}></textarea>
            ${this.wrong ? html`<p class="error">${this.wrong}</p>` : nothing}`
        : value === undefined
          ? this.node({}, [], (it) => this.tell(it))
          : this.node(value, [], (it) => this.tell(it))}
    </div>`;
  }

  private readonly toggle = (): void => {
    this.raw = !this.raw;
    this.draft = this.value === undefined ? "" : JSON.stringify(this.value, null, 2);
    this.wrong = "";
  };

  private readonly onRaw = (event: Event): void => {
    this.draft = (event.target as HTMLTextAreaElement).value;
    const text = this.draft.trim();
    if (text === "") {
      this.wrong = "";
      this.tell(undefined);
      return;
    }
    try {
      const value = JSON.parse(text) as Json;
      this.wrong = "";
      if (!equal(value, this.value)) this.tell(value);
    } catch (error) {
      // A lone expression is a value too.
      if (hasExpression(text) && text.startsWith("{{") && text.endsWith("}}")) {
        this.wrong = "";
        this.tell(text);
      } else this.wrong = `This is no JSON yet: ${error instanceof Error ? error.message : "it can't be read"}. Texts with {{ }} need quotes.`;
    }
  };

  private node(value: Json, path: (string | number)[], change: (value: Json | undefined) => void): TemplateResult {
    const off = !this.session.edits;
    if (Array.isArray(value)) {
      const set = (index: number, it: Json | undefined): void => change(it === undefined ? value.filter((_, at) => at !== index) : value.map((was, at) => (at === index ? it : was)));
      return html`<div class="json-rows">
        ${value.map((it, index) => this.row(html`<span class="json-index">${index + 1}</span>`, `item ${index + 1}`, it, [...path, index], (next) => set(index, next)))}
        <button type="button" class="button quiet small" ?hidden=${off} @click=${() => change([...value, ""])}>${icon("plus")}Add an item</button>
      </div>`;
    }
    if (typeof value === "object" && value !== null) {
      const entries = Object.entries(value);
      const rename = (index: number, name: string): void => {
        const wanted = name.trim();
        if (wanted === "" || entries.some(([key], at) => key === wanted && at !== index)) return;
        change(Object.fromEntries(entries.map(([key, it], at) => [at === index ? wanted : key, it])));
      };
      const set = (index: number, it: Json | undefined): void => change(Object.fromEntries(entries.flatMap(([key, was], at) => (at !== index ? [[key, was]] : it === undefined ? [] : [[key, it]]))));
      const fresh = (): string => {
        for (let n = entries.length + 1; ; n++) if (!(`field_${n}` in value)) return `field_${n}`;
      };
      return html`<div class="json-rows">
        ${entries.map(([key, it], index) =>
          this.row(
            html`<input class="input pair-name" aria-label="Name" .value=${key} ?disabled=${off} @change=${(event: Event) => { const input = event.target as HTMLInputElement; rename(index, input.value); input.value = Object.keys((this.value ?? {}) as object).includes(input.value.trim()) ? input.value.trim() : input.value; }} />`,
            key,
            it,
            [...path, key],
            (next) => set(index, next),
          ),
        )}
        <button type="button" class="button quiet small" ?hidden=${off} @click=${() => this.add(change, value, fresh())}>${icon("plus")}Add a field</button>
      </div>`;
    }
    return this.leaf(value, path.length === 0 ? "value" : String(path.at(-1)), change);
  }

  private add(change: (value: Json) => void, value: { [key: string]: Json }, name: string): void {
    change({ ...value, [name]: "" });
    void this.updateComplete.then(() => {
      const names = [...this.querySelectorAll<HTMLInputElement>(".pair-name")];
      const fresh = names.find((it) => it.value === name);
      fresh?.focus();
      fresh?.select();
    });
  }

  private leaf(value: Json, name: string, change: (value: Json | undefined) => void): TemplateResult {
    const off = !this.session.edits;
    if (typeof value === "boolean") {
      return html`<select class="select" aria-label="Value of ${name}" ?disabled=${off} @change=${(event: Event) => change((event.target as HTMLSelectElement).value === "true")}><option value="true" ?selected=${value}>true</option><option value="false" ?selected=${!value}>false</option></select>`;
    }
    if (typeof value === "number") {
      return html`<input class="input" type="number" step="any" aria-label="Value of ${name}" .value=${String(value)} ?disabled=${off} @change=${(event: Event) => { const it = (event.target as HTMLInputElement).valueAsNumber; if (Number.isFinite(it)) change(it); }} />`;
    }
    if (value === null) return html`<span class="muted small">empty (null)</span>`;
    return html`<tp-text .session=${this.session} .value=${String(value)} label="Value of ${name}" placeholder="value" @value-change=${(event: CustomEvent<string>) => { event.stopPropagation(); change(event.detail); }}></tp-text>`;
  }

  private row(name: TemplateResult, label: string, value: Json, path: (string | number)[], change: (value: Json | undefined) => void): TemplateResult {
    const kind = kindOf(value);
    const nested = kind === "group" || kind === "list";
    const kinds: Kind[] = ["text", "number", "yes or no", "group", "list", "empty"];
    return html`<div class="json-row ${nested ? "nested" : ""}">
      ${name}
      ${nested ? html`<span class="json-kind muted small">${kind}</span>` : this.leaf(value, label, change)}
      <select class="json-type" aria-label="Kind of ${label}" title="Kind of value" ?disabled=${!this.session.edits} @change=${(event: Event) => change(turn(value, (event.target as HTMLSelectElement).value as Kind))}>
        ${kinds.map((it) => html`<option value=${it} ?selected=${it === kind}>${it}</option>`)}
      </select>
      <button type="button" class="icon-button small" aria-label="Remove ${label}" title="Remove" ?hidden=${!this.session.edits} @click=${() => change(undefined)}>${icon("x", "small")}</button>
      ${nested ? html`<div class="json-inner">${this.node(value, path, change)}</div>` : nothing}
    </div>`;
  }
}
