// The connection that a step or the trigger works through: those that fit, how they are, and a way to a new one. The list is read again
// when somebody comes back from the tab in which they made one.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call, Refused } from "../shared/http";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import type { ConnectionNeed } from "./model";

interface Connection {
  id: string;
  name: string;
  service: string;
  account: string | null;
  usable: boolean;
  health: string;
  health_words: string;
}

interface Page {
  items: Connection[];
  next: string | null;
}

@customElement("tp-connection")
export class ConnectionElement extends Bound {
  /** `trigger` or a step's id. */
  @property() owner = "";
  @property({ attribute: false }) need!: ConnectionNeed;
  @property({ type: Boolean }) loud = false;

  @state() private all: Connection[] | undefined;
  @state() private trouble = "";
  private about = "";
  /** Those that were there before somebody went to make a new one. */
  private known: Set<string> | undefined;

  private readonly onFocus = (): void => {
    if (document.visibilityState === "visible") void this.read();
  };

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("focus", this.onFocus);
    document.addEventListener("visibilitychange", this.onFocus);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("focus", this.onFocus);
    document.removeEventListener("visibilitychange", this.onFocus);
  }

  protected override willUpdate(): void {
    super.willUpdate();
    const about = `${this.owner} ${this.need.connector}`;
    if (about !== this.about) {
      this.about = about;
      this.all = undefined;
      this.known = undefined;
      void this.read();
    }
  }

  private async read(): Promise<void> {
    const { about } = this;
    const all: Connection[] = [];
    try {
      for (let after: string | null = ""; after !== null; ) {
        const more: string = after ? `&after=${encodeURIComponent(after)}` : "";
        const page: Page = await call<Page>("GET", `/api/v1/connections?limit=200&connector=${encodeURIComponent(this.need.connector)}${more}`);
        all.push(...page.items);
        after = page.next;
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.message;
      return;
    }
    if (about !== this.about) return;
    this.trouble = "";
    this.all = all;
    const fresh = this.known ? all.filter((it) => it.usable && !this.known?.has(it.id)) : [];
    // Made for this step, a moment ago.
    if (fresh.length === 1 && fresh[0] && !this.chosen && this.session.edits) {
      this.known = undefined;
      this.choose(fresh[0].id);
      this.session.say(`Connected through “${fresh[0].name}”.`);
    }
  }

  private get chosen(): string | undefined {
    return this.session.owner(this.owner)?.connection;
  }

  private choose(id: string): void {
    this.session.edit([id ? { op: "set_connection", step: this.owner, connection: id } : { op: "set_connection", step: this.owner }]);
  }

  protected override render(): TemplateResult {
    const { chosen, session, need } = this;
    const id = `connection-${this.owner}`;
    const fitting = (this.all ?? []).filter((it) => it.usable || it.id === chosen);
    const current = fitting.find((it) => it.id === chosen);
    const stale = session.saving === "saving" && !this.loud;
    const issues = session.issuesAt(this.owner, "connection").filter((it) => chosen !== undefined || this.loud || it.severity === "warning");
    const shown = stale ? [] : issues;
    const none = need.required ? "Choose a connection …" : "Without a connection";
    return html`<div class="field connection-field" data-field="connection">
      <label for=${id}>Connection${need.required ? html`<span class="required" title="Needed" aria-hidden="true"> *</span>` : nothing}</label>
      <div class="connection-row">
        <select id=${id} ?disabled=${!session.edits} aria-describedby="${id}-more" aria-invalid=${shown.some((it) => it.severity === "blocks") ? "true" : nothing} @change=${(event: Event) => this.choose((event.target as HTMLSelectElement).value)}>
          <option value="" ?selected=${!chosen}>${none}</option>
          ${chosen && !current ? html`<option value=${chosen} selected>${this.all ? "One that is gone or not shared with you" : "…"}</option>` : nothing}
          ${fitting.map((it) => html`<option value=${it.id} ?selected=${it.id === chosen}>${it.name}${it.account ? ` · ${it.account}` : ""}${it.health === "works" || it.health === "untested" ? "" : ` (${it.health_words.toLowerCase()})`}</option>`)}
        </select>
        ${session.edits ? html`<a class="button" href="/connections/new?connector=${encodeURIComponent(need.connector)}" target="_blank" rel="opener" @click=${() => (this.known = new Set((this.all ?? []).map((it) => it.id)))}>${icon("plus")}New<span class="visually-hidden"> connection, in a new tab</span></a>` : nothing}
      </div>
      <div id="${id}-more" aria-live="polite">
        ${current ? html`<p class="hint"><span class="badge dot ${current.health === "works" ? "ok" : current.health === "untested" ? "" : current.health === "unreachable" ? "wait" : "bad"}">${current.health_words}</span> <a href="/connections/${current.id}" target="_blank" rel="noopener">Open it</a></p>` : nothing}
        ${!chosen && this.all && fitting.length === 0 && need.required ? html`<p class="hint">There is none yet that you may use. Make one: it takes a minute.</p>` : nothing}
        ${this.trouble ? html`<p class="error">${this.trouble}</p>` : nothing}
        ${shown.map((it) => html`<p class=${it.severity === "blocks" ? "error" : "hint"}>${it.message}</p>`)}
      </div>
    </div>`;
  }
}
