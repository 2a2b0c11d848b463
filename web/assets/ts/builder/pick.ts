// A field whose values the service lists: a combobox that shows labels and stores values. What is typed stands as well (an id, an
// address, an expression), so nobody is stuck when the service doesn't answer.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import { equal, type Field, type Json } from "./model";
import "./text";

interface Option {
  value: Json;
  label: string;
}

/** At most so many are drawn; typing narrows the rest. */
const shown = 100;

@customElement("tp-pick")
export class Pick extends Bound {
  /** `trigger` or a step's id. */
  @property() owner = "";
  @property({ attribute: false }) field!: Field;
  @property({ attribute: false }) value: Json | undefined;
  @property() labelledby = "";
  @property() describedby = "";
  @property({ type: Boolean }) invalid = false;

  @state() private open = false;
  @state() private query = "";
  @state() private chosen = -1;
  @state() private loading = false;
  @state() private problem = "";
  @state() private options: Option[] = [];
  @state() private complete = true;
  /** Typed by hand: an expression, or an id that the list doesn't have. */
  @state() private byHand = false;

  /** What the list was asked for; another connection or input asks anew. */
  private asked = "";
  private asking: AbortController | undefined;
  private timer = 0;

  private get text(): string {
    return this.value === undefined || this.value === null ? "" : typeof this.value === "string" ? this.value : JSON.stringify(this.value);
  }

  private get isExpression(): boolean {
    return this.text.includes("{{");
  }

  private get label(): string {
    return this.options.find((it) => equal(it.value, this.value ?? null))?.label ?? "";
  }

  private get key(): string {
    const owner = this.session.owner(this.owner);
    const needs = (this.field.pick?.needs ?? []).map((name) => owner?.input?.[name] ?? null);
    return JSON.stringify([owner?.use, owner?.connection ?? null, needs, this.field.pick?.searches ? this.query : ""]);
  }

  protected override firstUpdated(): void {
    // A value that is there is shown by its label, when the service tells it.
    if (this.text !== "" && !this.isExpression && this.ready) void this.load();
  }

  private get ready(): boolean {
    const owner = this.session.owner(this.owner);
    const need = owner ? this.session.operation(owner.use)?.connection : undefined;
    return need?.required !== true || Boolean(owner?.connection);
  }

  private async load(): Promise<void> {
    const key = this.key;
    if (key === this.asked && !this.problem) return;
    this.asked = key;
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    this.loading = true;
    this.problem = "";
    try {
      await this.session.settled();
      const answer = await this.session.options(this.owner, this.field.name, this.field.pick?.searches ? this.query : "", asking.signal);
      if (asking.signal.aborted) return;
      if (answer.error) {
        this.options = [];
        this.problem = answer.error.hint ? `${answer.error.message} ${answer.error.hint}` : answer.error.message;
      } else {
        this.options = answer.options ?? [];
        this.complete = answer.complete ?? true;
      }
    } catch {
      if (asking.signal.aborted) return;
      this.options = [];
      this.problem = "The list could not be loaded. Type the value, or try again.";
    } finally {
      if (this.asking === asking) this.loading = false;
    }
  }

  private get found(): Option[] {
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (it: Option): boolean => {
      const text = `${it.label} ${String(it.value)}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    return (this.field.pick?.searches ? this.options : this.options.filter(fits)).slice(0, shown);
  }

  private show(): void {
    if (!this.session.edits) return;
    this.open = true;
    this.chosen = -1;
    void this.load();
  }

  private hide(): void {
    this.open = false;
    this.query = "";
    this.chosen = -1;
  }

  private take(value: Json | undefined): void {
    this.dispatchEvent(new CustomEvent("value-change", { detail: value, bubbles: true }));
    this.hide();
  }

  /** What stands in the box when it is left: the id in a pasted address, or what was typed. */
  private typed(): void {
    const text = this.query.trim();
    if (text === "") {
      this.hide();
      return;
    }
    const exact = this.options.find((it) => it.label.toLowerCase() === text.toLowerCase() || String(it.value) === text);
    if (exact) {
      this.take(exact.value);
      return;
    }
    this.take(this.inside(text) ?? text);
  }

  /** The id inside a pasted address. The server looks for it as well, so an expression that this browser can't read loses nothing. */
  private inside(text: string): string | undefined {
    const pattern = this.field.pick?.accept_url;
    if (!pattern) return undefined;
    try {
      return new RegExp(pattern).exec(text)?.[1];
    } catch {
      return undefined;
    }
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    const found = this.found;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!this.open) this.show();
      else if (found.length > 0) this.chosen = this.chosen < 0 ? (event.key === "ArrowDown" ? 0 : found.length - 1) : (this.chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      void this.updateComplete.then(() => this.querySelector(`#${this.id_(this.chosen)}`)?.scrollIntoView({ block: "nearest" }));
    } else if (event.key === "Enter") {
      event.preventDefault();
      const one = found[this.chosen];
      if (one) this.take(one.value);
      else this.typed();
    } else if (event.key === "Escape" && this.open) {
      event.preventDefault();
      event.stopPropagation();
      this.hide();
    }
  };

  private id_(index: number): string {
    return `opt-${this.owner}-${this.field.name}-${index}`;
  }

  protected override render(): TemplateResult {
    if (this.byHand || this.isExpression) {
      return html`<div class="pick-box"><tp-text class="grow"
          .session=${this.session}
          .value=${this.text}
          labelledby=${this.labelledby}
          describedby=${this.describedby}
          placeholder=${this.field.placeholder ?? ""}
          ?invalid=${this.invalid}
          ?required=${this.field.required}
          .expressions=${this.field.expressions}
          @value-change=${(event: CustomEvent<string>) => { event.stopPropagation(); this.dispatchEvent(new CustomEvent("value-change", { detail: event.detail, bubbles: true })); }}
        ></tp-text>
        <button type="button" class="icon-button" aria-label="Pick from a list" title="Pick from a list" ?disabled=${!this.session.edits} @click=${() => { this.byHand = false; if (this.isExpression) this.take(undefined); void this.updateComplete.then(() => this.querySelector<HTMLInputElement>("input")?.focus()); }}>${icon("list")}</button></div>`;
    }
    const found = this.found;
    const list = `list-${this.owner}-${this.field.name}`;
    const label = this.label;
    const resting = label || this.text;
    return html`<div class="pick-box" @focusout=${(event: FocusEvent) => { if (!this.contains(event.relatedTarget as Node | null) && this.open) this.typed(); }}>
      <div class="pick-field grow">
        <input class="input" role="combobox" autocomplete="off" spellcheck="false" aria-autocomplete="list" aria-expanded=${this.open} aria-controls=${list} aria-activedescendant=${this.open && this.chosen >= 0 ? this.id_(this.chosen) : nothing} aria-labelledby=${this.labelledby} aria-describedby=${this.describedby || nothing} aria-invalid=${this.invalid ? "true" : nothing}
          placeholder=${this.open && resting ? resting : (this.field.placeholder || "Choose or type")} .value=${this.open ? this.query : resting} ?disabled=${!this.session.edits}
          @click=${() => { if (!this.open) this.show(); }}
          @input=${(event: Event) => this.onInput((event.target as HTMLInputElement).value)}
          @keydown=${this.onKey} />
        ${label && !this.open && label !== this.text ? html`<span class="pick-id muted small cut" title=${this.text}>${this.text}</span>` : nothing}
        ${this.open ? this.list(list, found) : nothing}
      </div>
      ${this.text !== "" && !this.open ? html`<button type="button" class="icon-button" aria-label="Empty the field" title="Empty the field" ?disabled=${!this.session.edits} @click=${() => this.take(undefined)}>${icon("x")}</button>` : nothing}
      ${this.field.expressions ? html`<button type="button" class="icon-button" aria-label="Use data of earlier steps" title="Use data of earlier steps" ?disabled=${!this.session.edits} @click=${() => { this.byHand = true; this.hide(); void this.updateComplete.then(() => this.querySelector<HTMLElement>("[contenteditable], input")?.focus()); }}>${icon("braces")}</button>` : nothing}
    </div>`;
  }

  private onInput(text: string): void {
    this.query = text;
    this.chosen = -1;
    if (!this.open) this.show();
    if (this.field.pick?.searches) {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.load(), 250);
    }
  }

  private list(id: string, found: Option[]): TemplateResult {
    const keep = (event: Event): void => event.preventDefault();
    return html`<div class="pick-list" @mousedown=${keep}>
      <div id=${id} role="listbox" aria-labelledby=${this.labelledby}>
        ${found.map((it, index) => html`<div id=${this.id_(index)} class="pick-option" role="option" aria-selected=${index === this.chosen || (this.chosen < 0 && equal(it.value, this.value ?? null))} @mousemove=${() => (this.chosen = index)} @click=${() => this.take(it.value)}><span class="grow cut">${it.label}</span>${it.label !== String(it.value) ? html`<span class="muted small cut">${String(it.value)}</span>` : nothing}</div>`)}
      </div>
      <p class="pick-note small ${this.problem ? "error" : "muted"}" role="status">${this.note(found)}</p>
    </div>`;
  }

  private note(found: Option[]): TemplateResult | string {
    if (this.loading) return "Asking the service …";
    if (this.problem) return html`${this.problem} <button type="button" class="link-button" @click=${() => void this.load()}>Try again</button>`;
    if (found.length === 0) return this.query ? `Nothing in the list fits. Enter takes “${this.query}” as it is.` : "The service lists nothing here.";
    if (!this.complete) return "There are more; type to find one, or type its ID.";
    return found.length === shown ? `The first ${shown}; type to narrow them down.` : `${found.length} to choose from.`;
  }
}
