// Trying one step by itself: first what it would do, to the letter; for real only after a second press.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call, Refused } from "../shared/http";
import { icon } from "../shared/icons";
import { written } from "../shared/times";
import { Bound } from "./bound";
import { before, type Json } from "./model";

interface Answer {
  preview?: Json;
  input?: Json;
  output?: Json;
  /** What a for-each would go through. */
  list?: Json[];
  until?: string;
  error?: { kind: string; message: string; hint?: string; field?: string };
  trace?: { request?: Json; response?: Json; log?: string[] };
}

@customElement("tp-trial")
export class Trial extends Bound {
  @property() step = "";

  @state() private answer: Answer | undefined;
  @state() private sent = false;
  @state() private busy = false;
  private about = "";

  protected override willUpdate(): void {
    super.willUpdate();
    if (this.about !== this.step) {
      this.about = this.step;
      this.answer = undefined;
      this.sent = false;
    }
  }

  /** Is anything done outside? */
  private get acts(): boolean {
    const use = this.session.owner(this.step)?.use ?? "";
    return this.session.operation(use)?.effect != null;
  }

  /** Does it only work on data, without anything leaving? Then it is done at once. */
  private get works(): boolean {
    const operation = this.session.operation(this.session.owner(this.step)?.use ?? "");
    const effect = operation?.effect;
    return operation?.connector === "towpath" && typeof effect === "object" && effect !== null && "always" in effect && effect.always === "read";
  }

  /** Does a request change nothing on the other side? */
  private reads(preview: Json): boolean {
    const method = typeof preview === "object" && preview !== null && !Array.isArray(preview) ? preview["method"] : undefined;
    return method === "GET" || method === "HEAD" || method === "OPTIONS";
  }

  async run(send: boolean): Promise<void> {
    const { session, step } = this;
    this.busy = true;
    await session.save();
    const samples = session.samples.send(session.document, session.catalogue, before(session.document, step), session.roundAt(step));
    try {
      const answer = await call<Answer>("POST", `${session.path}/steps/${encodeURIComponent(step)}/test`, { samples, send });
      if (this.step !== step) return;
      this.answer = answer;
      this.sent = send || !this.acts;
      if (answer.output !== undefined && answer.output !== null) session.setStepSample(step, answer.output);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.answer = { error: { kind: "refused", message: error.message } };
    } finally {
      this.busy = false;
    }
  }

  protected override render(): TemplateResult {
    const { answer } = this;
    return html`<section class="trial" aria-label="Test">
      <div class="row apart"><h3>Test</h3>
        <button type="button" class="button small" ?disabled=${this.busy || !this.session.edits} @click=${() => void this.run(this.works)}>${icon("play")}${answer ? "Test again" : "Test this step"}</button></div>
      <div aria-live="polite">
        ${answer ? this.result(answer) : html`<p class="hint">${this.acts && !this.works ? "Shows exactly what would be sent. Nothing leaves before you say so." : "Shows what comes out with the sample data."}</p>`}
      </div>
    </section>`;
  }

  private result(answer: Answer): TemplateResult {
    if (answer.error) {
      return html`<div class="banner bad">${icon("circle-x")}<div><p>${answer.error.message}</p>${answer.error.hint ? html`<p class="small">${answer.error.hint}</p>` : nothing}</div></div>
        ${answer.trace?.request ? this.block("Request", answer.trace.request) : nothing}
        ${answer.trace?.response ? this.block("Response", answer.trace.response) : nothing}${this.log(answer)}`;
    }
    if (answer.list) {
      const first = answer.list[0];
      return html`<p class="done-line">${icon("circle-check", "small")}The list has ${answer.list.length === 1 ? "1 item" : `${answer.list.length} items`}.</p>${first === undefined ? nothing : this.block("The first item", first)}`;
    }
    if (!this.sent && answer.preview !== undefined) {
      return html`${this.block("This would be sent", answer.preview)}
        <div class="row"><button type="button" class="button primary small" ?disabled=${this.busy} @click=${() => void this.run(true)}>${icon("send")}Send it for real</button><span class="hint">${this.reads(answer.preview) ? "It only reads." : "It has an effect outside."}</span></div>`;
    }
    return html`<p class="done-line">${icon("circle-check", "small")}It worked${answer.until ? html`; it would go on at <time datetime=${answer.until}>${written(new Date(answer.until))}</time>` : ""}. Later steps can use what came out.</p>
      ${answer.output === undefined || answer.output === null ? nothing : this.block("What came out", answer.output)}${this.log(answer)}
      ${answer.trace?.request ? html`<details class="fold"><summary>Request and response</summary>${this.block("Request", answer.trace.request)}${answer.trace.response ? this.block("Response", answer.trace.response) : nothing}</details>` : nothing}`;
  }

  private log(answer: Answer): TemplateResult | typeof nothing {
    const lines = answer.trace?.log ?? [];
    return lines.length > 0 ? this.block("Log", lines.join("\n")) : nothing;
  }

  private block(title: string, value: Json): TemplateResult {
    const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
    return html`<div class="trial-block"><h4>${title}</h4><pre class="block" tabindex="0">${text.length > 20_000 ? `${text.slice(0, 20_000)}\n… cut` : text}</pre></div>`;
  }
}
