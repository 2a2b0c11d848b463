// Choosing a trigger or a step: by its sentence, or by typing what it should do.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import type { Operation } from "./model";

const groups: [Operation["category"], string][] = [
  ["start", "Start when …"],
  ["connect", "Talk to people and services"],
  ["flow", "Decide where it goes"],
  ["data", "Work on data"],
];

@customElement("tp-picker")
export class Picker extends Bound {
  @property() kind: "trigger" | "action" = "action";
  @property() heading = "";

  @state() private query = "";
  @state() private chosen = 0;

  override focus(): void {
    void this.updateComplete.then(() => this.querySelector<HTMLInputElement>("input")?.focus());
  }

  private get list(): Operation[] {
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    const score = (it: Operation): number => {
      let sum = 0;
      for (const word of words) {
        const title = it.title.toLowerCase();
        if (title.startsWith(word)) sum += 4;
        else if (title.includes(word)) sum += 3;
        else if (it.keywords.some((one) => one.startsWith(word))) sum += 2;
        else if (`${it.sentence} ${it.keywords.join(" ")}`.toLowerCase().includes(word)) sum += 1;
        else return -1;
      }
      return sum;
    };
    const fitting = this.session.catalogue.operations.filter((it) => it.role === this.kind).map((it) => ({ it, score: score(it) })).filter((one) => one.score >= 0);
    if (words.length > 0) return fitting.sort((a, b) => b.score - a.score).map((one) => one.it);
    return groups.flatMap(([category]) => {
      const of = fitting.filter((one) => one.it.category === category).map((one) => one.it);
      // What belongs together stands together, in the catalogue's order of connectors.
      const order = [...new Set(of.map((it) => this.group(it)))];
      return order.flatMap((group) => of.filter((it) => this.group(it) === group));
    });
  }

  /** Under which heading an operation stands: its service's, or what it is about. */
  private group(it: Operation): string {
    const own = this.session.catalogue.operations.filter((other) => other.connector === it.connector).length;
    const connector = this.session.catalogue.connectors.find((other) => other.id === it.connector);
    if (connector && own > 1) return connector.name;
    const [, title] = groups.find(([key]) => key === it.category) ?? ["", ""];
    return title;
  }

  protected override render(): TemplateResult {
    const list = this.list;
    const grouped = this.query.trim() === "";
    let before: string | undefined;
    return html`<section class="picker" aria-labelledby="picker-title">
      <header class="panel-head"><h2 id="picker-title" class="grow">${this.heading}</h2>
        ${this.session.document.trigger ? html`<button type="button" class="icon-button" aria-label="Close" title="Close (Esc)" @click=${() => this.dispatchEvent(new CustomEvent("panel-close", { bubbles: true }))}>${icon("x")}</button>` : nothing}
      </header>
      <div class="search picker-search">${icon("search")}<input class="input" type="search" role="combobox" aria-expanded="true" aria-controls="picker-list" aria-activedescendant=${list.length > 0 ? `pick-${this.chosen}` : nothing} aria-label=${this.kind === "trigger" ? "Search triggers" : "Search steps"} placeholder=${this.kind === "trigger" ? "What should start it?" : "What should happen?"} .value=${this.query} @input=${(event: Event) => { this.query = (event.target as HTMLInputElement).value; this.chosen = 0; }} @keydown=${(event: KeyboardEvent) => this.onKey(event, list)} /></div>
      <div id="picker-list" class="picker-list" role="listbox" aria-label=${this.heading}>
        ${list.map((it, index) => {
          const group = this.group(it);
          const head = grouped && group !== before ? group : "";
          before = group;
          return html`${head && (this.kind === "action" || index > 0) ? html`<p class="picker-group" role="presentation">${head}</p>` : nothing}
            <div id="pick-${index}" class="pick" role="option" aria-selected=${index === this.chosen} @mouseenter=${() => (this.chosen = index)} @click=${() => this.pick(it)}>
              <span class="pick-icon about-${it.category}">${icon(it.icon)}</span>
              <span class="grow"><strong>${it.sentence}</strong><span class="muted small cut">${this.about(it)}</span></span>
            </div>`;
        })}
      </div>
      ${list.length === 0 ? html`<p class="muted data-none">Nothing here does “${this.query.trim()}”. An HTTP request reaches any service that has an API.</p>` : nothing}
      <p class="small picker-more"><a href="/connectors" target="_blank" rel="noopener">All connectors</a></p>
    </section>`;
  }

  /** The operation's name, with its service's where that isn't the same. */
  private about(it: Operation): string {
    const connector = this.session.catalogue.connectors.find((other) => other.id === it.connector);
    return connector && !it.title.includes(connector.name) && this.session.catalogue.operations.filter((other) => other.connector === it.connector).length > 1 ? `${connector.name}: ${it.title}` : it.title;
  }

  private onKey(event: KeyboardEvent, list: Operation[]): void {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.length > 0) this.chosen = (this.chosen + (event.key === "ArrowDown" ? 1 : list.length - 1)) % list.length;
      void this.updateComplete.then(() => this.querySelector(`#pick-${this.chosen}`)?.scrollIntoView({ block: "nearest" }));
    } else if (event.key === "Enter") {
      event.preventDefault();
      const one = list[this.chosen];
      if (one) this.pick(one);
    }
  }

  private pick(it: Operation): void {
    this.query = "";
    this.chosen = 0;
    this.dispatchEvent(new CustomEvent("pick", { detail: it, bubbles: true }));
  }
}
