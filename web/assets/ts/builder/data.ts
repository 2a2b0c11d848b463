// The data of earlier steps as a tree of real values: a press puts one into the field that was last used. Searchable, by keys too.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { icon } from "../shared/icons";
import { ago } from "../shared/times";
import { Bound } from "./bound";
import { isShown, walk, type Json } from "./model";
import { brief, failure } from "./samples";
import { writePath, type Key } from "./template";
import { stepTitle } from "./words";

interface Source {
  id: string;
  number: number;
  title: string;
  icon: string;
  root: Key[];
  value: Json;
  example: boolean;
  at?: string | undefined;
}

interface Found {
  expression: string;
  words: string;
  value: Json;
  source: Source;
}

/** Fields of a trigger that are rarely what somebody looks for come last and closed. */
const machinery = new Set(["headers", "query", "raw", "method", "path", "address", "submitted", "by"]);
const SHOWN = 50;

@customElement("tp-data")
export class Data extends Bound {
  @state() private query = "";
  @state() private chosen = 0;
  @state() private readonly opened = new Set<string>();

  /** Leads here from a field: the search gets the focus. */
  search(): void {
    this.query = "";
    this.chosen = 0;
    void this.updateComplete.then(() => this.querySelector<HTMLInputElement>("input")?.focus());
  }

  private sources(): Source[] {
    const { session } = this;
    const numbers = new Map(walk(session.document).map((it) => [it.step.id, it.number]));
    const list: Source[] = [];
    // What the round is for comes first: it is what most fields inside want.
    const round = session.view.show === "step" ? session.roundAt(session.view.id, false) : {};
    if (round.item !== undefined) list.push({ id: "item", number: 0, title: "The item of this round", icon: "loop", root: ["item"], value: round.item, example: false });
    if (round.index !== undefined) list.push({ id: "index", number: 0, title: "The number of the round", icon: "loop", root: ["index"], value: round.index, example: false });
    list.push(...this.items());
    // And where something failed, what went wrong.
    const failed = round.failed ? session.owner(round.failed) : undefined;
    if (round.failed && failed) list.push({ id: round.failed, number: numbers.get(round.failed) ?? 0, title: `What went wrong: ${stepTitle(failed, session.catalogue)}`, icon: "alert", root: ["steps", round.failed], value: failure, example: true });
    const trigger = session.document.trigger;
    if (trigger) {
      const sample = session.sample("trigger");
      list.push({ id: "trigger", number: 1, title: stepTitle(trigger, session.catalogue), icon: session.operation(trigger.use)?.icon ?? "bolt", root: ["trigger"], value: sample.value, example: sample.example, at: sample.at });
    }
    for (const step of session.visible) {
      if (step.id === round.failed) continue;
      const sample = session.sample(step.id);
      list.push({ id: step.id, number: numbers.get(step.id) ?? 0, title: stepTitle(step, session.catalogue), icon: session.operation(step.use)?.icon ?? "circle", root: ["steps", step.id], value: sample.value, example: sample.example, at: sample.at });
    }
    const vars = session.samples.vars;
    if (Object.keys(vars).length > 0) list.push({ id: "vars", number: 0, title: "Variables", icon: "braces", root: ["vars"], value: vars, example: false });
    return list;
  }

  /** An item of each list that the open step works on. */
  private items(): Source[] {
    const { session } = this;
    const step = session.view.show === "step" ? session.owner(session.view.id) : undefined;
    const fields = (step && session.operation(step.use)?.inputs) ?? [];
    const lists = [...new Set(fields.filter((it) => isShown(it, step?.input ?? {}, fields)).map((it) => it.each))];
    return lists.flatMap((name) => {
      const written = name === undefined ? undefined : step?.input?.[name];
      const item = typeof written === "string" && written !== "" ? session.roundOver(written).item : undefined;
      const title = fields.find((it) => it.name === name)?.title.toLowerCase();
      return item === undefined ? [] : [{ id: `item ${name}`, number: 0, title: `An item of ${title?.replace(/^(first|second)/, "the $1")}`, icon: "list", root: ["item"], value: item, example: false }];
    });
  }

  protected override render(): TemplateResult {
    const sources = this.sources();
    const query = this.query.trim().toLowerCase();
    const found = query ? this.find(sources, query) : [];
    return html`<section class="data" aria-label="Data">
      <div class="data-head">
        <h3 id="data-title">Data</h3>
        <div class="search">${icon("search")}<input class="input" type="search" role="combobox" aria-expanded=${query !== ""} aria-controls="data-found" aria-activedescendant=${found.length > 0 ? `data-found-${this.chosen}` : nothing} aria-label="Search the data" placeholder="Search fields and values" .value=${this.query} @input=${(event: Event) => { this.query = (event.target as HTMLInputElement).value; this.chosen = 0; }} @keydown=${(event: KeyboardEvent) => this.onKey(event, found, sources)} /></div>
      </div>
      <div class="data-body">
        ${query
          ? html`<ul id="data-found" class="data-found" role="listbox" aria-label="Found">
              ${found.map((it, index) => html`<li id="data-found-${index}" role="option" aria-selected=${index === this.chosen} @mousedown=${(event: Event) => event.preventDefault()} @click=${() => this.pick(it.expression)}>
                <span class="data-number">${it.source.number || icon(it.source.icon, "small")}</span><span class="data-key cut">${it.words}</span><span class="data-value cut">${brief(it.value)}</span></li>`)}
            </ul>
            ${found.length === 0 ? html`<p class="muted small data-none">Nothing in the data is called “${this.query.trim()}”.</p>` : nothing}`
          : html`<div id="data-found">${sources.map((it, index) => this.source(it, index === 0 && sources.length === 1))}</div>`}
        ${sources.length === 0 ? html`<p class="muted small data-none">There is no data yet: nothing comes before this.</p>` : nothing}
      </div>
    </section>`;
  }

  private source(source: Source, alone: boolean): TemplateResult {
    const open = this.isOpen(source.id, true);
    return html`<div class="data-source">
      <button type="button" class="data-source-head" aria-expanded=${open} @mousedown=${(event: Event) => event.preventDefault()} @click=${() => this.toggle(source.id, true)}>
        ${icon(open ? "chevron-down" : "chevron-right", "small")}<span class="data-number">${source.number || icon(source.icon, "small")}</span><span class="grow cut">${source.title}</span>
        ${source.example ? html`<span class="badge">example</span>` : source.at ? html`<span class="muted small">${ago(new Date(source.at), new Date())}</span>` : nothing}
      </button>
      ${open ? (typeof source.value === "object" && source.value !== null ? this.whole(source, alone) : html`<ul class="data-list"><li class="data-item">${this.leaf(source.id, source.value, writePath(source.root))}</li></ul>`) : nothing}
    </div>`;
  }

  /** The fields of a source; an item can be put in as a whole, too. */
  private whole(source: Source, alone: boolean): TemplateResult {
    const item = source.root[0] === "item" ? html`<ul class="data-list"><li class="data-item helper">${this.leaf("the whole item", source.value, "item")}</li></ul>` : nothing;
    return html`${item}${this.inside(source.value, source.root, alone ? 1 : 0)}`;
  }

  private inside(value: Json, path: Key[], _depth: number): TemplateResult {
    // What was sent comes first, without the envelope around it; the envelope stays for those who look for it.
    if (path.length === 1 && path[0] === "trigger" && typeof value === "object" && value !== null && !Array.isArray(value)) {
      const { body, ...envelope } = value;
      if (typeof body === "object" && body !== null && Object.keys(body).length > 0) {
        const rest = Object.entries(envelope);
        return html`${this.inside(body, [...path, "body"], 0)}
          <ul class="data-list">${this.item("body", body, [...path, "body"], "everything that was sent")}${rest.map(([key, it]) => this.item(key, it, [...path, key]))}</ul>`;
      }
    }
    const entries: [Key, Json][] = Array.isArray(value) ? value.slice(0, SHOWN).map((it, index) => [index, it]) : typeof value === "object" && value !== null ? Object.entries(value) : [];
    if (path.length === 1 && path[0] === "trigger") entries.sort(([a], [b]) => Number(machinery.has(String(a))) - Number(machinery.has(String(b))));
    const more = Array.isArray(value) ? value.length - SHOWN : 0;
    return html`<ul class="data-list">
      ${entries.length === 0 ? html`<li class="muted small data-none">nothing inside</li>` : nothing}
      ${Array.isArray(value) && value.length > 0
        ? html`<li class="data-item helper">${this.leaf("number of items", value.length, `${writePath(path)} | length`)}</li>
            ${value.every((it) => typeof it !== "object") ? html`<li class="data-item helper">${this.leaf("joined with commas", value.join(", "), `${writePath(path)} | join(", ")`)}</li>` : nothing}`
        : nothing}
      ${entries.map(([key, it]) => this.item(key, it, [...path, key]))}
      ${more > 0 ? html`<li class="muted small data-none">and ${more} more</li>` : nothing}
    </ul>`;
  }

  private item(key: Key, value: Json, path: Key[], words?: string): TemplateResult {
    const nested = typeof value === "object" && value !== null && Object.keys(value).length > 0 && !("$file" in value);
    const name = words ?? (typeof key === "number" ? `item ${key + 1}` : key);
    const expression = writePath(path);
    if (!nested) return html`<li class="data-item">${this.leaf(name, value, expression)}</li>`;
    const usually = words === undefined && !(path.length === 2 && path[0] === "trigger" && machinery.has(String(key))) && path.length <= 4;
    const open = this.isOpen(expression, usually);
    return html`<li class="data-item">
      <div class="data-row">
        <button type="button" class="data-toggle" aria-expanded=${open} aria-label="${open ? "Close" : "Open"} ${name}" @mousedown=${(event: Event) => event.preventDefault()} @click=${() => this.toggle(expression, usually)}>${icon(open ? "chevron-down" : "chevron-right", "small")}</button>
        <button type="button" class="data-leaf" title="Put in ${expression}" @mousedown=${(event: Event) => event.preventDefault()} @click=${() => this.pick(expression)}><span class="data-key cut">${name}</span><span class="data-value cut">${brief(value)}</span></button>
      </div>
      ${open ? this.inside(value, path, 0) : nothing}
    </li>`;
  }

  private leaf(name: string, value: Json, expression: string): TemplateResult {
    return html`<button type="button" class="data-leaf" title="Put in ${expression}" @mousedown=${(event: Event) => event.preventDefault()} @click=${() => this.pick(expression)}>
      <span class="data-key cut">${name}</span><span class="data-value cut ${value === null || value === "" ? "none" : ""}">${brief(value)}</span>
    </button>`;
  }

  private isOpen(key: string, usually: boolean): boolean {
    return this.opened.has(key) !== usually;
  }

  private toggle(key: string, _usually: boolean): void {
    if (this.opened.has(key)) this.opened.delete(key);
    else this.opened.add(key);
    this.requestUpdate();
  }

  private find(sources: Source[], query: string): Found[] {
    const found: Found[] = [];
    const words = query.split(/\s+/);
    const go = (source: Source, value: Json, path: Key[], names: string[]): void => {
      if (found.length >= 40) return;
      if (names.length > 0) {
        const text = `${names.join(" ")} ${typeof value === "object" ? "" : String(value)}`.toLowerCase();
        if (words.every((word) => text.includes(word))) found.push({ expression: writePath(path), words: (names.length > 1 && path[0] === "trigger" && names[0] === "body" ? names.slice(1) : names).join(" › "), value, source });
      }
      if (Array.isArray(value)) value.slice(0, 20).forEach((it, index) => go(source, it, [...path, index], [...names, `item ${index + 1}`]));
      else if (typeof value === "object" && value !== null) for (const [key, it] of Object.entries(value)) go(source, it, [...path, key], [...names, key]);
    };
    for (const source of sources) go(source, source.value, source.root, []);
    // What people named comes before what machines sent.
    const rank = (it: Found): number => (/^(trigger\.body|steps\.|item)/.test(it.expression) ? 0 : 1) + (typeof it.value === "object" ? 0.5 : 0);
    return found.sort((a, b) => rank(a) - rank(b));
  }

  private onKey(event: KeyboardEvent, found: Found[], sources: Source[]): void {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (found.length > 0) this.chosen = (this.chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      else if (event.key === "ArrowDown") this.querySelector<HTMLElement>(".data-leaf")?.focus();
      void this.updateComplete.then(() => this.querySelector(`#data-found-${this.chosen}`)?.scrollIntoView({ block: "nearest" }));
    } else if (event.key === "Enter") {
      event.preventDefault();
      const one = found[this.chosen];
      if (one) this.pick(one.expression);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.query = "";
      this.dispatchEvent(new CustomEvent("data-left", { bubbles: true }));
    }
    void sources;
  }

  private pick(expression: string): void {
    this.query = "";
    this.dispatchEvent(new CustomEvent("data-pick", { detail: expression, bubbles: true }));
  }
}
