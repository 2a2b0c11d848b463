// A field for text with pills in it: `Hello {{ trigger.body.name }}` is a word and a pill that shows the sample's value. Its value
// is the text as the document holds it. Typing `{{` or Ctrl+Space leads to the data; Enter on a pill opens it as text.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { Bound } from "./bound";
import { brief } from "./samples";
import { hasExpression, leadingPath, parse, type Part } from "./template";
import { shortName } from "./words";

/** Carets can't stand beside an element that isn't edited; this invisible character gives them a place. */
const PLACE = "\u200B";
const bare = (text: string): string => text.replaceAll(PLACE, "");

@customElement("tp-text")
export class Text extends Bound {
  @property() value = "";
  /** The id of the visible label. */
  @property() labelledby = "";
  @property() describedby = "";
  @property() label = "";
  @property() placeholder = "";
  @property({ type: Boolean }) multiline = false;
  @property({ type: Boolean }) code = false;
  @property({ type: Boolean }) invalid = false;
  @property({ type: Boolean }) required = false;
  /** Pills are possible here. */
  @property({ type: Boolean }) expressions = true;
  /** The list whose items the text is worked out for, as it is written. */
  @property() over = "";
  /** What the value is turned into: its coercion is shown. */
  @property() becomes: "" | "number" | "boolean" = "";

  private box: HTMLDivElement | undefined;
  private composing = false;
  /** Where the caret was when the field lost it, for what is put in from the data. */
  private caret: Range | undefined;

  protected override render(): TemplateResult {
    return html`<div class="text-field ${this.multiline ? "many" : ""} ${this.code ? "code" : ""}">
        <div
          class="text-box"
          role="textbox"
          contenteditable=${this.session.edits ? "true" : "false"}
          tabindex="0"
          spellcheck=${this.code ? "false" : "true"}
          autocapitalize="off"
          aria-multiline=${this.multiline}
          aria-labelledby=${this.labelledby || nothing}
          aria-describedby=${this.describedby || nothing}
          aria-label=${this.label || nothing}
          aria-required=${this.required || nothing}
          aria-invalid=${this.invalid || nothing}
          aria-placeholder=${this.placeholder || nothing}
          data-placeholder=${this.placeholder}
          @input=${this.onInput}
          @beforeinput=${this.onBeforeInput}
          @keydown=${this.onKey}
          @paste=${this.onPaste}
          @drop=${(event: Event) => event.preventDefault()}
          @focus=${this.onFocus}
          @blur=${this.onBlur}
          @compositionstart=${() => (this.composing = true)}
          @compositionend=${() => { this.composing = false; this.onInput(); }}
          @dblclick=${(event: Event) => this.openPill(event.target)}
        ></div>
        ${this.expressions && this.session.edits
          ? html`<button type="button" class="text-data" tabindex="-1" title="Put in data (Ctrl+Space)" aria-label="Put in data" @mousedown=${(event: Event) => event.preventDefault()} @click=${this.askForData}><span aria-hidden="true">{ }</span></button>`
          : nothing}
      </div>
      ${this.resolvedLine()}`;
  }

  protected override updated(): void {
    this.box ??= this.querySelector<HTMLDivElement>(".text-box") ?? undefined;
    if (!this.box) return;
    // While somebody types, what stands there is the truth; a change from elsewhere (undo, a pill) is drawn.
    if (this.composing) return;
    if (this.read() !== this.value) this.draw();
    else this.refreshPills();
  }

  override focus(): void {
    const box = this.box ?? this.querySelector<HTMLDivElement>(".text-box");
    box?.focus();
    if (box) {
      const range = document.createRange();
      range.selectNodeContents(box);
      range.collapse(false);
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
    }
  }

  // ── drawing: text nodes and pills ──

  private draw(): void {
    const box = this.box;
    if (!box) return;
    const focused = document.activeElement === box;
    const nodes: Node[] = [];
    const parts: Part[] = this.expressions ? parse(this.value) : this.value ? [{ text: this.value }] : [];
    for (const part of parts) {
      if ("text" in part) nodes.push(document.createTextNode(part.text));
      else nodes.push(document.createTextNode(PLACE), this.pill(part.expression), document.createTextNode(PLACE));
    }
    // A line end at the very end shows only with something behind it.
    if (this.multiline && this.value.endsWith("\n")) nodes.push(document.createTextNode(PLACE));
    box.replaceChildren(...nodes);
    this.markEmpty();
    if (focused) this.focus();
  }

  private pill(expression: string): HTMLSpanElement {
    const pill = document.createElement("span");
    pill.className = "pill";
    pill.contentEditable = "false";
    pill.dataset["expression"] = expression;
    this.fill(pill);
    return pill;
  }

  /** The words of a pill: the field's name and the sample's value. */
  private fill(pill: HTMLElement): void {
    const expression = pill.dataset["expression"] ?? "";
    const path = leadingPath(expression);
    const step = path?.[0] === "steps" && typeof path[1] === "string" ? path[1] : undefined;
    const gone = (step !== undefined && !this.session.owner(step)) || (path?.[0] === "trigger" && !this.session.document.trigger);
    const resolved = this.session.resolver.get(`{{ ${expression} }}`, this.over);
    const value = resolved && "value" in resolved ? resolved.value : undefined;
    const name = document.createElement("span");
    name.className = "pill-name";
    name.textContent = path ? shortName(expression) : expression;
    const said = document.createElement("span");
    said.className = "pill-value";
    said.textContent = gone ? "gone" : value !== undefined ? brief(value, 28) : "";
    const bad = gone || resolved?.error !== undefined;
    pill.classList.toggle("gone", bad);
    const title = gone ? `${expression}: that step is gone` : (resolved?.error ?? resolved?.missing ?? expression);
    if (pill.title !== title) pill.title = title;
    if (pill.textContent !== `${name.textContent}${said.textContent}`) pill.replaceChildren(name, said);
  }

  private refreshPills(): void {
    this.box?.querySelectorAll<HTMLElement>(".pill").forEach((it) => this.fill(it));
    this.markEmpty();
  }

  private markEmpty(): void {
    this.box?.classList.toggle("blank", this.read() === "");
  }

  /** What stands in the box, as the document writes it. */
  private read(): string {
    const box = this.box;
    if (!box) return this.value;
    let text = "";
    const go = (node: Node): void => {
      if (node instanceof HTMLElement) {
        if (node.classList.contains("pill")) {
          text += `{{ ${node.dataset["expression"] ?? ""} }}`;
          return;
        }
        if (node.tagName === "BR") {
          // A browser puts one at the end of a box that was emptied.
          if (node.nextSibling) text += "\n";
          return;
        }
        if (text && !text.endsWith("\n") && /^(DIV|P)$/.test(node.tagName)) text += "\n";
        node.childNodes.forEach(go);
      } else text += bare(node.textContent ?? "");
    };
    box.childNodes.forEach(go);
    return this.multiline ? text.replaceAll("\u00A0", " ") : text.replaceAll("\u00A0", " ").replace(/\s*\n\s*/g, " ");
  }

  // ── typing ──

  private onInput(): void {
    if (this.composing) return;
    this.markEmpty();
    const text = this.read();
    if (this.expressions && this.justOpened()) this.askForData();
    if (text === this.value) return;
    this.value = text;
    this.dispatchEvent(new CustomEvent("value-change", { detail: text, bubbles: true }));
  }

  /** Was `{{` just typed? */
  private justOpened(): boolean {
    const selection = getSelection();
    const node = selection?.anchorNode;
    if (!node || node.nodeType !== Node.TEXT_NODE || !this.box?.contains(node)) return false;
    const text = (node.textContent ?? "").slice(0, selection.anchorOffset);
    return text.endsWith("{{") && !text.endsWith("{{{");
  }

  private onBeforeInput(event: InputEvent): void {
    if (event.inputType.startsWith("format")) event.preventDefault();
    if (event.inputType === "insertParagraph" || event.inputType === "insertLineBreak") {
      event.preventDefault();
      if (this.multiline) this.put("\n");
    }
    if (event.inputType === "historyUndo" || event.inputType === "historyRedo") event.preventDefault();
  }

  private onPaste(event: ClipboardEvent): void {
    event.preventDefault();
    const text = (event.clipboardData?.getData("text/plain") ?? "").replace(/\r\n?/g, "\n");
    if (!text) return;
    const bareText = this.multiline ? text : text.replace(/\s*\n\s*/g, " ").trim();
    this.put(bareText);
    // Pasted expressions become pills at once.
    if (this.expressions && bareText.includes("{{")) this.draw();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === " " && event.ctrlKey && this.expressions) {
      event.preventDefault();
      this.askForData();
      return;
    }
    const beside = this.pillBeside(event.key === "Backspace" || event.key === "ArrowLeft" ? "before" : "after");
    if ((event.key === "Backspace" || event.key === "Delete") && beside) {
      event.preventDefault();
      this.removePill(beside);
      return;
    }
    if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && beside && !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.caretBeside(beside, event.key === "ArrowLeft" ? "before" : "after");
      return;
    }
    if (event.key === "Enter" && !this.multiline && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.dispatchEvent(new CustomEvent("next-field", { bubbles: true }));
    }
  }

  /** The pill that the caret stands directly before or after, the invisible places aside. */
  private pillBeside(side: "before" | "after"): HTMLElement | undefined {
    const selection = getSelection();
    if (!selection?.isCollapsed || !selection.anchorNode || !this.box?.contains(selection.anchorNode)) return undefined;
    let node: Node | null = selection.anchorNode;
    let beyond: Node | null;
    if (node === this.box) {
      const index: number = selection.anchorOffset;
      beyond = side === "before" ? (this.box.childNodes[index - 1] ?? null) : (this.box.childNodes[index] ?? null);
    } else {
      const text: string = node.textContent ?? "";
      const rest = side === "before" ? text.slice(0, selection.anchorOffset) : text.slice(selection.anchorOffset);
      if (bare(rest) !== "") return undefined;
      beyond = side === "before" ? node.previousSibling : node.nextSibling;
    }
    while (beyond && beyond.nodeType === Node.TEXT_NODE && bare(beyond.textContent ?? "") === "") beyond = side === "before" ? beyond.previousSibling : beyond.nextSibling;
    node = beyond;
    return node instanceof HTMLElement && node.classList.contains("pill") ? node : undefined;
  }

  private caretBeside(pill: HTMLElement, side: "before" | "after"): void {
    const neighbour = side === "before" ? pill.previousSibling : pill.nextSibling;
    const range = document.createRange();
    if (neighbour?.nodeType === Node.TEXT_NODE) range.setStart(neighbour, side === "before" ? (neighbour.textContent ?? "").length : 0);
    else if (side === "before") range.setStartBefore(pill);
    else range.setStartAfter(pill);
    range.collapse(true);
    getSelection()?.removeAllRanges();
    getSelection()?.addRange(range);
  }

  private removePill(pill: HTMLElement): void {
    this.caretBeside(pill, "before");
    pill.remove();
    this.onInput();
  }

  /** A pill opened as text, to change its expression by hand. It becomes a pill again when the field is left. */
  private openPill(target: EventTarget | null): void {
    const pill = target instanceof HTMLElement ? target.closest<HTMLElement>(".pill") : null;
    if (!pill || !this.session.edits) return;
    const text = document.createTextNode(`{{ ${pill.dataset["expression"] ?? ""} }}`);
    pill.replaceWith(text);
    getSelection()?.setBaseAndExtent(text, 3, text, (text.textContent ?? "").length - 3);
  }

  // ── putting in ──

  /** Puts text at the caret. */
  private put(text: string): void {
    const range = this.range();
    range.deleteContents();
    // After a line end the caret needs something to stand behind, else browsers type on in the line before.
    const node = document.createTextNode(text.endsWith("\n") ? text + PLACE : text);
    range.insertNode(node);
    const after = document.createRange();
    after.setStart(node, node.length);
    after.collapse(true);
    getSelection()?.removeAllRanges();
    getSelection()?.addRange(after);
    this.onInput();
  }

  /** Puts a pill where the caret is or was; a `{{` that was just typed goes. */
  insert(expression: string): void {
    const box = this.box;
    if (!box) return;
    const range = this.range();
    const node = range.startContainer;
    if (node.nodeType === Node.TEXT_NODE) {
      const typed = (node.textContent ?? "").slice(0, range.startOffset);
      if (typed.endsWith("{{")) range.setStart(node, range.startOffset - 2);
    }
    range.deleteContents();
    const pill = this.pill(expression);
    const after = document.createTextNode(PLACE);
    range.insertNode(after);
    range.insertNode(pill);
    range.insertNode(document.createTextNode(PLACE));
    box.focus();
    const caret = document.createRange();
    caret.setStart(after, 1);
    caret.collapse(true);
    getSelection()?.removeAllRanges();
    getSelection()?.addRange(caret);
    this.caret = caret;
    this.onInput();
  }

  /** The caret's place in this field: where it is, where it was, or the end. */
  private range(): Range {
    const selection = getSelection();
    if (this.box && selection && selection.rangeCount > 0 && this.box.contains(selection.getRangeAt(0).startContainer)) return selection.getRangeAt(0);
    if (this.caret && this.box?.contains(this.caret.startContainer)) return this.caret;
    const range = document.createRange();
    if (this.box) range.selectNodeContents(this.box);
    range.collapse(false);
    return range;
  }

  private onFocus(): void {
    this.dispatchEvent(new CustomEvent("field-focus", { detail: this, bubbles: true }));
  }

  private onBlur(): void {
    const selection = getSelection();
    if (this.box && selection && selection.rangeCount > 0 && this.box.contains(selection.getRangeAt(0).startContainer)) this.caret = selection.getRangeAt(0).cloneRange();
    // Expressions that were typed become pills, unless the person is only looking something up.
    const looking = this.value.endsWith("{{");
    if (this.expressions && !looking && this.box && this.value.includes("{{")) {
      const pills = this.box.querySelectorAll(".pill").length;
      if (parse(this.value).filter((part) => "expression" in part).length !== pills) {
        this.draw();
        this.caret = undefined;
      }
    }
  }

  private askForData(): void {
    this.dispatchEvent(new CustomEvent("field-focus", { detail: this, bubbles: true }));
    const selection = getSelection();
    if (this.box && selection && selection.rangeCount > 0 && this.box.contains(selection.getRangeAt(0).startContainer)) this.caret = selection.getRangeAt(0).cloneRange();
    this.dispatchEvent(new CustomEvent("ask-data", { bubbles: true }));
  }

  // ── the line under the field ──

  private resolvedLine(): TemplateResult | typeof nothing {
    if (!this.expressions || !hasExpression(this.value)) return nothing;
    const resolved = this.session.resolver.get(this.value, this.over);
    if (!resolved) return nothing;
    if (resolved.error) return html`<p class="resolved bad">${resolved.error}</p>`;
    if (resolved.missing) return html`<p class="resolved wait">${resolved.missing}</p>`;
    const value = resolved.value ?? null;
    const parts = parse(this.value);
    const single = parts.length === 1 && this.value.length < 80;
    if (this.becomes === "number" && typeof value === "string") {
      const number = Number(value.trim());
      const works = value.trim() !== "" && Number.isFinite(number);
      return works ? html`<p class="resolved">text → number ${number}</p>` : html`<p class="resolved bad">“${brief(value, 40)}” is no number.</p>`;
    }
    // A lone pill shows its value itself.
    if (single && parts[0] && "expression" in parts[0] && leadingPath(parts[0].expression)?.length && typeof value !== "object" && brief(value, 28).length < 28) return nothing;
    return html`<p class="resolved" title="With the sample data">${typeof value === "object" ? brief(value, 90) : brief(value, 160)}</p>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tp-text": Text;
  }
}
