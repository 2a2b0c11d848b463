// A field for code: an editor once it is fetched, a plain box until then and where it can't be.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { Bound } from "./bound";
import type { Editor } from "./code-editor";

@customElement("tp-code")
export class Code extends Bound {
  @property() value = "";
  @property() label = "";
  @property() placeholder = "";
  @property({ type: Boolean }) invalid = false;
  @property({ type: Boolean }) required = false;
  /** Lines that something is wrong with, from 1. */
  @property({ attribute: false }) lines: readonly number[] = [];
  /** What the code finds under `input`. */
  @property({ attribute: false }) names: readonly string[] = [];

  @state() private editor: Editor | undefined;
  private wantsFocus = false;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.fetch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.editor?.destroy();
    this.editor = undefined;
  }

  private async fetch(): Promise<void> {
    await this.updateComplete;
    // Without it the plain box stays.
    const module = await import("./code-editor").catch(() => undefined);
    const host = this.querySelector<HTMLElement>(".code-host");
    if (!module || !host || !this.isConnected || this.editor) return;
    const { value: text, label, placeholder, required } = this;
    const typing = this.querySelector("textarea") === document.activeElement;
    this.editor = module.open(host, { text, label, placeholder, required, changed: (it) => this.tell(it), names: () => this.names });
    if (typing || this.wantsFocus) this.editor.focus();
  }

  private tell(text: string): void {
    this.value = text;
    this.dispatchEvent(new CustomEvent("value-change", { detail: text, bubbles: true }));
  }

  override focus(): void {
    this.wantsFocus = true;
    if (this.editor) this.editor.focus();
    else this.querySelector("textarea")?.focus();
  }

  protected override updated(): void {
    this.editor?.take(this.value);
    this.editor?.mark(this.lines);
    this.editor?.state(this.invalid, this.session.edits);
  }

  protected override render(): TemplateResult {
    return html`<div class="code-field ${this.invalid ? "invalid" : ""}"><div class="code-host" ?hidden=${!this.editor}></div>
      ${this.editor
        ? nothing
        : html`<textarea class="textarea" rows="8" spellcheck="false" autocapitalize="off" aria-label=${this.label} aria-required=${this.required} aria-invalid=${this.invalid} placeholder=${this.placeholder} ?disabled=${!this.session.edits} .value=${this.value} @input=${(event: Event) => this.tell((event.target as HTMLTextAreaElement).value)}></textarea>`}</div>`;
  }
}
