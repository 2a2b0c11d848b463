// How a trigger that looks for news stands: the last look and the next, what was found, why it failed; a look right now.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { call, Refused } from "../shared/http";
import { icon } from "../shared/icons";
import { ago } from "../shared/times";
import type { PollView } from "./arrivals";
import { Bound } from "./bound";

interface Checked {
  first: boolean;
  seen: number;
  new: number;
  duplicate: number;
  error?: string;
  hint?: string;
}

@customElement("tp-poll-card")
export class PollCard extends Bound {
  @state() private looking = false;
  @state() private trouble = "";
  @state() private found: Checked | undefined;

  protected override render(): TemplateResult {
    const view = this.session.arrivals.view;
    const poll = view?.poll;
    return html`<section class="stack tight" aria-label="Looking for news">
      ${poll ? this.standing(poll) : nothing}
      <div class="row"><button type="button" class="button small" data-check ?disabled=${!this.session.operates || this.looking} @click=${() => void this.check()}>${icon("refresh")}${this.looking ? "Looking …" : "Check now"}</button>
        <span class="small muted" role="status">${this.found && !this.found.error ? foundInWords(this.found) : ""}</span></div>
      ${this.trouble ? html`<p class="error">${this.trouble}</p>` : nothing}
      ${this.found?.error && !poll?.error ? failure(this.found.error, this.found.hint) : nothing}
    </section>`;
  }

  private standing(poll: PollView): TemplateResult {
    const now = new Date();
    const fact = (name: string, value: unknown): TemplateResult => html`<dt>${name}</dt><dd>${value}</dd>`;
    return html`${poll.error ? failure(poll.error, poll.hint ?? undefined, poll.failures) : nothing}
      <dl class="facts small">
        ${fact("Last look", poll.last_at ? ago(new Date(poll.last_at), now) : "not yet")}
        ${poll.error && poll.worked_at ? fact("Last time it worked", ago(new Date(poll.worked_at), now)) : nothing}
        ${fact("Next look", poll.running ? soon(new Date(poll.next_at), now) : "when the workflow resumes")}
        ${fact("Found", `${poll.seen} · ${poll.new} new · ${poll.duplicate} known`)}
        ${fact("Looks", `${poll.looks}, of which ${poll.quiet} found nothing`)}
      </dl>
      ${poll.cursor ? html`<details class="fold"><summary>Where the last look ended</summary><code class="copy-text">${poll.cursor}</code></details>` : nothing}`;
  }

  private async check(): Promise<void> {
    this.looking = true;
    this.trouble = "";
    this.found = undefined;
    await this.session.save();
    try {
      this.found = await call<Checked>("POST", `${this.session.path}/trigger/check`, {});
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.message;
    } finally {
      this.looking = false;
      await this.session.arrivals.read();
    }
  }
}

const failure = (error: string, hint?: string, failures = 0): TemplateResult =>
  html`<div class="banner bad" role="alert">${icon("alert")}<div><p>${error}${hint ? ` ${hint}` : ""}</p>${failures > 1 ? html`<p class="small">It failed ${failures} times in a row; the looks are further apart until it works.</p>` : nothing}</div></div>`;

const things = (count: number): string => (count === 1 ? "1 item" : `${count} items`);

/** What a look found, in a sentence. */
export function foundInWords(it: Checked): string {
  if (it.first) return it.seen === 0 ? "There is nothing yet." : `${things(it.seen)} as samples.`;
  if (it.new === 0) return "Nothing new.";
  return it.new === 1 ? "1 new item: it starts a run." : `${it.new} new items: each starts a run.`;
}

function soon(then: Date, now: Date): string {
  const seconds = Math.round((then.getTime() - now.getTime()) / 1000);
  if (seconds <= 0) return "now";
  if (seconds < 90) return `in ${seconds} s`;
  return seconds < 5_400 ? `in ${Math.round(seconds / 60)} min` : `in ${Math.round(seconds / 3_600)} h`;
}
