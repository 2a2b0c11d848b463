// One field of an operation's form: label, control by its kind, what is wrong with it. Its value changes by an edit of the session.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { Bound } from "./bound";
import { equal, type Conditions, type Field, type Json } from "./model";
import { setInput } from "./operations";
import { spanField } from "./span";
import { timeField, zoneField } from "./zone";
import "./code";
import "./conditions";
import "./json";
import "./pick";
import "./pairs";
import "./questions";
import "./row";
import "./text";

@customElement("tp-field")
export class FieldElement extends Bound {
  /** `trigger` or a step's id. */
  @property() owner = "";
  @property({ attribute: false }) field!: Field;

  private get value(): Json | undefined {
    return this.session.owner(this.owner)?.input?.[this.field.name];
  }

  /** The list that the field is worked out for each item of. */
  private get over(): string {
    const list = this.field.each === undefined ? "" : this.session.owner(this.owner)?.input?.[this.field.each];
    return typeof list === "string" ? list : list === undefined ? "" : JSON.stringify(list);
  }

  private change(value: Json | undefined): void {
    // What is the default anyway need not be written down; an emptied field is no field.
    const same = value !== undefined && this.field.default !== undefined && equal(value, this.field.default);
    const empty = value === "" || (Array.isArray(value) && value.length === 0 && this.field.default === undefined);
    this.session.edit([setInput(this.owner, this.field.name, same || empty ? undefined : value)]);
  }

  protected override render(): TemplateResult {
    const field = this.field;
    const id = `f-${this.owner}-${field.name}`;
    const issues = this.session.issuesAt(this.owner, field.name);
    const wrong = issues.filter((it) => it.severity === "blocks" || this.value !== undefined);
    // What the server said last is out of date while something newer is on its way.
    const stale = this.session.saving === "saving" && !this.loud;
    const shown = stale ? [] : this.touched || this.value !== undefined ? wrong : wrong.filter(() => this.loud);
    const described = `${field.help ? `${id}-hint ` : ""}${shown.length > 0 ? `${id}-error` : ""}`.trim();
    if (field.kind.kind === "boolean") {
      return html`<div class="field" data-field=${field.name}>
        <label class="check"><input type="checkbox" .checked=${Boolean(this.value ?? field.default ?? false)} ?disabled=${!this.session.edits} @change=${(event: Event) => this.change((event.target as HTMLInputElement).checked)} aria-describedby=${described || nothing} /><span>${field.title}${field.help ? html`<span class="hint" id="${id}-hint">${field.help}</span>` : nothing}</span></label>
        ${this.errors(shown, id)}
      </div>`;
    }
    return html`<div class="field" data-field=${field.name}>
      <span class="label" id="${id}-label" @click=${this.focusControl}>${field.title}${field.required ? html`<span class="required" title="Needed" aria-hidden="true"> *</span>` : nothing}</span>
      ${this.control(id, described, shown.length > 0)}
      ${field.help ? html`<p class="hint" id="${id}-hint">${field.help}${field.kind.kind === "code" ? " Tab indents; Escape, then Tab, leaves the field." : nothing}</p>` : nothing}
      ${this.errors(shown, id)}
    </div>`;
  }

  /** Complaints about a field that nobody touched yet are kept for the checklist. */
  private touched = false;
  @property({ type: Boolean }) loud = false;

  private errors(issues: { message: string }[], id: string): TemplateResult | typeof nothing {
    if (issues.length === 0) return nothing;
    return html`<div id="${id}-error">${issues.map((it) => html`<p class="error">${it.message}</p>`)}</div>`;
  }

  private readonly focusControl = (): void => {
    this.querySelector<HTMLElement>("tp-code, [contenteditable], input, select, textarea, button")?.focus();
  };

  protected override firstUpdated(): void {
    this.addEventListener("focusout", () => {
      if (!this.touched) {
        this.touched = true;
        this.requestUpdate();
      }
    });
  }

  private control(id: string, described: string, invalid: boolean): TemplateResult {
    const { field, session } = this;
    const kind = field.kind.kind;
    const value = this.value;
    const label = `${id}-label`;
    const off = !session.edits;
    const over = this.over;
    const text = (more: { multiline?: boolean; code?: boolean; becomes?: "" | "number"; write?: (text: string) => Json | undefined }): TemplateResult => html`<tp-text
      .session=${session}
      .value=${asText(value ?? field.default)}
      labelledby=${label}
      describedby=${described}
      placeholder=${field.placeholder ?? ""}
      ?multiline=${more.multiline ?? false}
      ?code=${more.code ?? false}
      ?invalid=${invalid}
      ?required=${field.required}
      .expressions=${field.expressions}
      .over=${over}
      .becomes=${more.becomes ?? ""}
      @value-change=${(event: CustomEvent<string>) => this.change(more.write ? more.write(event.detail) : event.detail)}
    ></tp-text>`;
    const owner = session.owner(this.owner);
    const operation = owner && session.operation(owner.use);
    if (operation?.inputs.some((it) => it.kind.table === field.name)) {
      return html`<tp-table .session=${session} .field=${field} .value=${value} labelledby=${label} describedby=${described} ?invalid=${invalid} @value-change=${(event: CustomEvent<string>) => this.change(event.detail)}></tp-table>`;
    }
    if (field.pick) {
      return html`<tp-pick .session=${session} .owner=${this.owner} .field=${field} .value=${value ?? field.default} labelledby=${label} describedby=${described} ?invalid=${invalid} @value-change=${(event: CustomEvent<Json | undefined>) => this.change(event.detail)}></tp-pick>`;
    }
    switch (kind) {
      case "multiline":
        return text({ multiline: true });
      case "code":
        return html`<tp-code .session=${session} .value=${asText(value ?? field.default)} label=${field.title} placeholder=${field.placeholder ?? ""} ?invalid=${invalid} ?required=${field.required} .lines=${this.linesOf(invalid)} .names=${this.inputNames} @value-change=${(event: CustomEvent<string>) => this.change(event.detail)}></tp-code>`;
      case "html":
        return text({ multiline: true, code: true });
      case "number":
        return text({ becomes: "number", write: asNumber });
      case "choice":
        return this.choice(label, described);
      case "choices":
        return html`<div class="choices" role="group" aria-labelledby=${label}>
          ${(field.kind.options ?? []).map((option) => {
            const chosen = Array.isArray(value) ? value : Array.isArray(field.default) ? field.default : [];
            const on = chosen.some((it) => equal(it, option.value));
            const toggle = (): void => this.change((field.kind.options ?? []).map((it) => it.value).filter((it) => (equal(it, option.value) ? !on : chosen.some((was) => equal(was, it)))));
            return html`<label class="check"><input type="checkbox" .checked=${on} ?disabled=${off} @change=${toggle} /><span>${option.title}</span></label>`;
          })}
        </div>`;
      case "span":
        return spanField(value ?? field.default, label, described, off, field.expressions ? text({}) : undefined, (it) => this.change(it));
      case "time":
        return timeField(value ?? field.default, { label, described, off, invalid }, (it) => this.change(it));
      case "zone":
        return zoneField(value ?? field.default, { label, described, off, invalid }, field.placeholder ?? "", (it) => this.change(it));
      case "date_time":
        return text({});
      case "pairs":
        return html`<tp-pairs .session=${session} .value=${value} label=${label} .expressions=${field.expressions} .over=${over} @value-change=${(event: CustomEvent<Json | undefined>) => this.change(event.detail)}></tp-pairs>`;
      case "conditions":
        return html`<tp-conditions .session=${session} .value=${value as unknown as Conditions | undefined} .over=${over} label=${field.title} @value-change=${(event: CustomEvent<Conditions>) => this.change(event.detail as unknown as Json)}></tp-conditions>`;
      case "row":
        return html`<tp-row .session=${session} .value=${value} .table=${session.tableOf(owner?.input?.[field.kind.table ?? ""])} owner=${this.owner} name=${field.name} label=${label} ?changes=${operation?.name === "table.update"} ?loud=${this.loud} @value-change=${(event: CustomEvent<Json | undefined>) => this.change(event.detail)}></tp-row>`;
      case "row_conditions":
        return html`<tp-conditions .session=${session} .value=${value as unknown as Conditions | undefined} .columns=${session.tableOf(owner?.input?.[field.kind.table ?? ""])?.columns ?? []} label=${field.title} @value-change=${(event: CustomEvent<Conditions>) => this.change(event.detail as unknown as Json)}></tp-conditions>`;
      case "json":
        return html`<tp-json .session=${session} .value=${value} label=${label} @value-change=${(event: CustomEvent<Json | undefined>) => this.change(event.detail)}></tp-json>`;
      case "emails":
        return text({});
      case "lines":
        return html`<textarea class="textarea" rows="3" aria-labelledby=${label} aria-describedby=${described || nothing} placeholder=${field.placeholder ?? ""} ?disabled=${off} .value=${lines(value)} @change=${(event: Event) => this.change((event.target as HTMLTextAreaElement).value.split("\n").map((it) => it.trim()).filter(Boolean))}></textarea>`;
      case "files":
        return text({});
      case "form_fields":
      case "inputs":
        return html`<tp-questions .session=${session} .value=${value ?? field.default} label=${label} ?inputs=${kind === "inputs"} @value-change=${(event: CustomEvent<Json>) => this.change(event.detail)}></tp-questions>`;
      default:
        return text({});
    }
  }

  /** The lines of the code that complaints are about. */
  private linesOf(invalid: boolean): number[] {
    if (!invalid) return [];
    return this.session.issuesAt(this.owner, this.field.name).flatMap((it) => /\bline (\d+)/.exec(it.message)?.[1] ?? []).map(Number);
  }

  /** What the step hands to its code. */
  private get inputNames(): string[] {
    const given = this.session.owner(this.owner)?.input?.["input"];
    return typeof given === "object" && given !== null && !Array.isArray(given) ? Object.keys(given) : [];
  }

  private choice(label: string, described: string): TemplateResult {
    const { field } = this;
    const options = field.kind.options ?? [];
    const now = this.value ?? field.default;
    const off = !this.session.edits;
    if (options.length <= 4 && options.reduce((sum, it) => sum + it.title.length, 0) <= 36) {
      return html`<div class="segments" role="radiogroup" aria-labelledby=${label} aria-describedby=${described || nothing}>
        ${options.map((it) => html`<label><input type="radio" name="${this.owner}-${field.name}" .checked=${equal(it.value, now)} ?disabled=${off} @change=${() => this.change(it.value)} /><span>${it.title}</span></label>`)}
      </div>`;
    }
    const index = options.findIndex((it) => equal(it.value, now));
    return html`<select class="select" aria-labelledby=${label} aria-describedby=${described || nothing} ?disabled=${off} @change=${(event: Event) => this.change(options[Number((event.target as HTMLSelectElement).value)]?.value)}>
      ${index < 0 ? html`<option value="-1" selected disabled>Choose …</option>` : nothing}
      ${options.map((it, at) => html`<option value=${at} ?selected=${at === index}>${it.title}</option>`)}
    </select>`;
  }
}

export const asText = (value: Json | undefined): string =>
  value === undefined || value === null ? "" : typeof value === "string" ? value : Array.isArray(value) && value.every((it) => typeof it === "string") ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value);

/** A number as a number; what isn't one (an expression, or half a number) as it was typed. */
export const asNumber = (text: string): Json | undefined => {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const number = Number(trimmed);
  return Number.isFinite(number) && String(number) === trimmed ? number : trimmed;
};

const lines = (value: Json | undefined): string => (Array.isArray(value) ? value.map((it) => String(it)).join("\n") : typeof value === "string" ? value : "");
