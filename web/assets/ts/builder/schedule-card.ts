// When a schedule starts its workflow: the schedule in words, and its next five times, by the clock of its zone and by the reader's.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { call, Refused } from "../shared/http";
import { icon } from "../shared/icons";
import { Bound } from "./bound";
import { ownZone } from "./zone";

interface Preview {
  words: string | null;
  zone: string | null;
  times: { at: string; local: string }[];
  wrong: { field: string; message: string }[];
}

/** How long typing rests before the times are asked for. */
const REST = 120;

@customElement("tp-schedule-card")
export class ScheduleCard extends Bound {
  @state() private preview: Preview | undefined;
  @state() private trouble = "";
  private asked = "";
  private timer = 0;

  protected override updated(): void {
    const input = JSON.stringify(this.session.document.trigger?.input ?? {});
    if (input === this.asked) return;
    this.asked = input;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(input), this.preview ? REST : 0);
  }

  private async ask(input: string): Promise<void> {
    try {
      const preview = await call<Preview>("POST", "/api/v1/schedules/preview", { input: JSON.parse(input) as unknown });
      if (input !== this.asked) return;
      this.preview = preview;
      this.trouble = "";
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.message;
    }
  }

  protected override render(): TemplateResult {
    const { preview } = this;
    if (this.trouble) return html`<p class="error">${this.trouble}</p>`;
    if (!preview) return html`<p class="muted small">…</p>`;
    return html`<section class="next-times" aria-labelledby="next-times" aria-live="polite">
      <h3 id="next-times">${preview.words ?? "The next times"}</h3>
      ${preview.words ? this.times(preview) : preview.wrong.map((it) => html`<p class="hint">${it.message}</p>`)}
    </section>`;
  }

  private times(preview: Preview): TemplateResult {
    const zone = preview.zone ?? "UTC";
    const published = this.session.arrivals.view?.schedule;
    const show = (at: string, timeZone: string): string => new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone }).format(new Date(at));
    const offset = (local: string): string => local.slice(19);
    const elsewhere = preview.times.some((it) => show(it.at, zone) !== show(it.at, ownZone()));
    return html`${published && !published.running ? html`<p class="hint">The workflow is paused, so these times pass.</p>` : nothing}
      <table class="times"><thead><tr><th scope="col">${place(zone)}</th>${elsewhere ? html`<th scope="col">Your time</th>` : nothing}</tr></thead>
      <tbody>${preview.times.map((it, at) => {
        const before = preview.times[at - 1];
        const changed = before && offset(before.local) !== offset(it.local);
        return html`<tr><td><time datetime=${it.at}>${show(it.at, zone)}</time>${changed ? html`<div class="hint">${icon("clock")}The clock is set ${offset(it.local) > offset(before.local) ? "forward" : "back"} before this one.</div>` : nothing}</td>${elsewhere ? html`<td class="muted">${show(it.at, ownZone())}</td>` : nothing}</tr>`;
      })}</tbody></table>
      ${preview.times.length < 5 ? html`<p class="hint">After that it never comes again.</p>` : nothing}`;
  }
}

/** `Europe/Berlin` as people say it: "Berlin time". */
const place = (zone: string): string => (zone === "UTC" ? "UTC" : `${(zone.split("/").at(-1) ?? zone).replaceAll("_", " ")} time`);
