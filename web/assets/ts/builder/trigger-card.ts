// What is special about a trigger: its address, who may call, the events that really arrived, starting by hand.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { call, Refused } from "../shared/http";
import { icon } from "../shared/icons";
import { ago } from "../shared/times";
import type { TriggerView } from "./arrivals";
import { Bound } from "./bound";
import type { Json, Obj, Question } from "./model";
import { brief } from "./samples";
import "./poll-card";
import "./schedule-card";

@customElement("tp-trigger-card")
export class TriggerCard extends Bound {
  @state() private copied = "";
  @state() private newSecret = "";
  @state() private shownSecret = "";
  @state() private trouble = "";
  @state() private inputs: Obj = {};
  @state() private running = false;
  @state() private wrong: Record<string, string> = {};
  private about = "";

  protected override updated(): void {
    // Another trigger was picked, or its settings were saved: the card is another.
    const key = `${this.session.document.trigger?.use} ${this.session.revision}`;
    if (key !== this.about && this.session.saving === "saved") {
      this.about = key;
      void this.session.arrivals.read();
    }
  }

  protected override render(): TemplateResult {
    const view = this.session.arrivals.view;
    if (!view || view.kind !== this.session.document.trigger?.use) return html`<p class="muted small">…</p>`;
    return html`
      ${view.url || view.app_url ? this.webhook(view) : nothing}
      ${view.kind === "form" ? this.form(view) : nothing}
      ${view.kind === "manual" ? this.manual(view) : nothing}
      ${view.polls ? html`<tp-poll-card .session=${this.session}></tp-poll-card>` : nothing}
      ${this.trouble ? html`<p class="error">${this.trouble}</p>` : nothing}
      ${this.samples(view)}
      ${this.parked(view)}
      ${this.refusals(view)}`;
  }

  private copy(what: string, text: string): void {
    void navigator.clipboard?.writeText(text).then(() => {
      this.copied = what;
      window.setTimeout(() => (this.copied = ""), 2_000);
    }).catch(() => {
      this.trouble = "The browser does not let this page copy; mark the text and copy it.";
    });
  }

  private copyRow(what: string, label: string, text: string): TemplateResult {
    return html`<div class="field"><span class="label">${label}</span>
      <div class="copy-row"><code class="copy-text">${text}</code>
      <button type="button" class="button small" @click=${() => this.copy(what, text)}>${icon(this.copied === what ? "check" : "copy")}${this.copied === what ? "Copied" : "Copy"}</button></div></div>`;
  }

  private webhook(view: TriggerView): TemplateResult {
    return html`<div class="stack tight">
      ${view.url ? this.copyRow("url", "Address", view.url) : nothing}
      ${view.app_url ? this.copyRow("app", "Address for the service", view.app_url) : nothing}
      ${this.reach(view)}
      ${view.setup ? html`<p class="hint">${view.setup}</p>` : nothing}
      ${view.curl ? html`<details class="fold"><summary>Send a first event from a terminal</summary>${this.copyRow("curl", "Command", view.curl)}</details>` : nothing}
      ${view.kind === "webhook" ? html`<p class="small"><a href="/workflows/${this.session.id}/trigger/examples" target="_blank" rel="noopener">Call it from a program: curl, JavaScript, Python, Java, PHP, Ruby</a></p>` : nothing}
      ${view.needs_secret ? this.secret(view) : nothing}
    </div>`;
  }

  /** Whether services outside get through to the address. */
  private reach(view: TriggerView): TemplateResult | typeof nothing {
    switch (view.reachable) {
      case "reachable": return html`<p class="hint"><span class="badge ok">reachable</span> The server reaches this address from outside.</p>`;
      case "not_reachable": return html`<p class="hint"><span class="badge bad">not reachable</span> The server can't reach this address itself. Whoever runs it finds the reason under Settings, Reachability.</p>`;
      case "unknown": return html`<p class="hint"><span class="badge">unknown</span> Nobody knows whether services outside can reach this address: the server has no public address.</p>`;
      default: return nothing;
    }
  }

  private secret(view: TriggerView): TemplateResult {
    const off = !this.session.edits;
    return html`<div class="field" data-field="auth">
      <label for="trigger-secret">Secret</label>
      ${view.secret ? html`<p class="hint">Set${view.secret.hint ? html`, ends in <code>${view.secret.hint}</code>` : ""}. A new one takes its place.</p>` : html`<p class="hint">Not set yet. It is stored encrypted and never shown again.</p>`}
      <div class="row"><input id="trigger-secret" class="input grow" type="password" autocomplete="off" .value=${this.newSecret} ?disabled=${off} @input=${(event: Event) => (this.newSecret = (event.target as HTMLInputElement).value)} @keydown=${(event: KeyboardEvent) => { if (event.key === "Enter" && this.newSecret !== "") void this.putSecret({ secret: this.newSecret }); }} />
      <button type="button" class="button small" ?disabled=${off || this.newSecret === ""} @click=${() => void this.putSecret({ secret: this.newSecret })}>Save</button>
      <button type="button" class="button quiet small" ?disabled=${off} @click=${() => void this.putSecret({ generate: true })}>Make one</button></div>
      ${this.shownSecret ? html`<div class="banner ok"><div><p>Copy it now; it is not shown again.</p>${this.copyRow("secret", "Secret", this.shownSecret)}</div></div>` : nothing}
    </div>`;
  }

  private async putSecret(body: { secret?: string; generate?: boolean }): Promise<void> {
    this.trouble = "";
    await this.session.save();
    try {
      const answer = await call<{ hint: string | null; secret?: string }>("PUT", `${this.session.path}/trigger/secret`, body);
      this.newSecret = "";
      this.shownSecret = answer.secret ?? "";
      await this.session.arrivals.read();
      await this.session.reload();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.message;
    }
  }

  private form(view: TriggerView): TemplateResult {
    const shown = view.preview_url ?? view.form_url;
    return html`<div class="stack tight">
      ${view.form_url ? this.copyRow("form", "Page of the form", view.form_url) : nothing}
      ${shown ? html`<div class="row"><a class="button small" href=${shown} target="_blank" rel="noopener">${icon("external")}${view.preview_url ? "Preview the form" : "Open the form"}</a></div>` : nothing}
    </div>`;
  }

  private manual(view: TriggerView): TemplateResult {
    const list = this.session.document.trigger?.input["inputs"];
    const questions = Array.isArray(list) ? (list as unknown as Question[]) : [];
    return html`<form class="stack tight run-now" @submit=${(event: Event) => { event.preventDefault(); void this.run(); }}>
      <h3>Run it now</h3>
      ${questions.map((it) => this.input(it))}
      <div class="row"><button class="button" ?disabled=${!this.session.operates || this.running}>${icon("play")}${view.state === "published" ? "Run now" : "Use as sample"}</button></div>
    </form>`;
  }

  private input(it: Question): TemplateResult {
    const id = `run-${it.name}`;
    const value = this.inputs[it.name];
    const set = (next: Json): void => void (this.inputs = { ...this.inputs, [it.name]: next });
    const text = (event: Event): string => (event.target as HTMLInputElement).value;
    if (it.kind === "boolean") return html`<label class="check"><input type="checkbox" .checked=${value === true} @change=${(event: Event) => set((event.target as HTMLInputElement).checked)} /><span>${it.label}</span></label>`;
    const control =
      it.kind === "long_text"
        ? html`<textarea id=${id} rows="3" @input=${(event: Event) => set(text(event))}></textarea>`
        : it.kind === "choice"
          ? html`<select id=${id} @change=${(event: Event) => set(text(event))}><option value="">Choose …</option>${(it.options ?? []).map((one) => html`<option>${one}</option>`)}</select>`
          : html`<input id=${id} type=${it.kind === "number" ? "number" : it.kind === "date" ? "date" : it.kind === "email" ? "email" : "text"} step="any" @input=${(event: Event) => set(text(event))} />`;
    return html`<div class="field"><label for=${id}>${it.label}${it.required ? html`<span class="required" aria-hidden="true"> *</span>` : nothing}</label>${control}${it.help ? html`<p class="hint">${it.help}</p>` : nothing}${this.wrong[it.name] ? html`<p class="error">${this.wrong[it.name]}</p>` : nothing}</div>`;
  }

  private async run(): Promise<void> {
    this.running = true;
    this.trouble = "";
    this.wrong = {};
    await this.session.save();
    const inputs = Object.fromEntries(Object.entries(this.inputs).filter(([, value]) => value !== ""));
    try {
      const answer = await call<{ run?: string }>("POST", `${this.session.path}/run`, { inputs });
      this.session.say(answer.run ? "Started. Watch the steps light up." : "Kept as the sample. It runs once the workflow is published.");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.message;
      this.wrong = Object.fromEntries(error.fields.map((it) => [it.field.replace(/^inputs\./, ""), it.message]));
    } finally {
      this.running = false;
    }
  }

  private samples(view: TriggerView): TemplateResult {
    const chosen = this.session.samples.trigger?.id;
    const waiting = view.kind === "called" ? "No workflow has called it yet. Until then the fields are mapped with an example." : view.kind === "run_failed" ? "No run has failed since it was published. Until then the fields are mapped with an example." : view.kind === "schedule" ? "No time has come yet. Until then the fields are mapped with an example." : view.polls ? "Nothing was found yet. Check now, or map the fields with an example." : view.kind === "webhook" ? "Waiting for an event … send one to the address above, and it appears here." : view.kind === "form" ? "Nobody has sent the form yet. Until then the fields are mapped with an example." : "Nobody has run this yet. Until then an example is used.";
    return html`<section class="samples" aria-label="What arrived" aria-live="polite">
      <h3>${view.samples.length > 0 ? "What arrived" : "Sample"}</h3>
      <p class="hint">${view.now}</p>
      ${view.samples.length === 0 ? html`<p class="waiting"><span class="pulse" aria-hidden="true"></span>${waiting}</p>` : nothing}
      ${view.samples.map((it) => html`<label class="sample ${chosen === it.id ? "chosen" : ""}"><input type="radio" name="sample" .checked=${chosen === it.id} @change=${() => void this.session.arrivals.choose(it)} />
        <span class="grow cut">${this.sampleWords(it.value)}</span><span class="muted small">${ago(new Date(it.at), new Date())}</span></label>
        ${it.notes.map((note) => html`<p class="hint">${note}</p>`)}`)}
    </section>`;
  }

  private sampleWords(value: Json): string {
    const body = typeof value === "object" && value !== null && !Array.isArray(value) ? value["body"] : value;
    if (typeof body === "object" && body !== null && !Array.isArray(body)) {
      const words = Object.entries(body).filter(([, it]) => typeof it !== "object").slice(0, 3).map(([key, it]) => `${key}: ${brief(it, 20)}`);
      return words.join(" · ") || brief(body);
    }
    return brief(body ?? value);
  }

  private parked(view: TriggerView): TemplateResult | typeof nothing {
    const { count, dropped } = view.parked;
    if (count === 0) return nothing;
    const many = count === 1 ? "1 event is" : `${count} events are`;
    return html`<div class="banner info">${icon("wait")}<div class="stack tight"><p>${many} kept that started nothing.${dropped > 0 ? ` ${dropped} older ones had to go.` : ""}</p>
      ${view.state === "published" ? html`<div class="row"><button type="button" class="button small" ?disabled=${!this.session.operates} @click=${() => void this.startParked()}>Start ${count === 1 ? "it" : "them"} now</button></div>` : nothing}</div></div>`;
  }

  private async startParked(): Promise<void> {
    try {
      await call("POST", `${this.session.path}/trigger/parked/replay`, {});
      await this.session.arrivals.read();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.message;
    }
  }

  private refusals(view: TriggerView): TemplateResult | typeof nothing {
    if (view.refusals.length === 0) return nothing;
    return html`<details class="fold"><summary>${view.refusals.length === 1 ? "1 delivery started nothing" : `${view.refusals.length} deliveries started nothing`}</summary>
      <ul class="refusals">${view.refusals.slice(0, 20).map((it) => html`<li class="small">${it.detail || it.reason} <span class="muted">${ago(new Date(it.refused_at), new Date())}</span></li>`)}</ul></details>`;
  }
}
