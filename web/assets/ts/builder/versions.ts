// What was published, newest first; an old version can be taken back into the draft.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { call, Refused } from "../shared/http";
import { icon } from "../shared/icons";
import { written } from "../shared/times";
import { Bound } from "./bound";
import type { Loaded } from "./session";

interface Listed {
  version: number;
  published_at: string;
  published_by: string | null;
  live: boolean;
}

@customElement("tp-versions")
export class Versions extends Bound {
  @state() private list: Listed[] | undefined;
  @state() private older: number | null = null;
  private seen = -1;

  protected override updated(): void {
    if (this.seen !== (this.session.publishedVersion ?? 0)) {
      this.seen = this.session.publishedVersion ?? 0;
      void this.read();
    }
  }

  private async read(before?: number): Promise<void> {
    const answer = await call<{ items: Listed[]; next: string | null }>("GET", `${this.session.path}/versions${before ? `?after=${before}` : ""}`);
    this.list = before ? [...(this.list ?? []), ...answer.items] : answer.items;
    this.older = answer.next === null ? null : Number(answer.next);
  }

  private async restore(version: number): Promise<void> {
    await this.session.save();
    try {
      this.session.take(await call<Loaded>("POST", `${this.session.path}/versions/${version}/restore`));
      this.session.say(`The draft is version ${version} again. Publish it to make it the one that runs.`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.session.say(error.message, undefined, true);
    }
  }

  protected override render(): TemplateResult {
    const { session, list } = this;
    return html`<section class="versions" aria-labelledby="versions-title">
      <header class="panel-head"><h2 id="versions-title" class="grow" tabindex="-1">Versions</h2><button type="button" class="icon-button" aria-label="Close" title="Close (Esc)" @click=${() => this.dispatchEvent(new CustomEvent("panel-close", { bubbles: true }))}>${icon("x")}</button></header>
      <div class="panel-body">
        ${session.unpublished || session.state === "draft" ? html`<p class="banner info">${session.state === "draft" ? "The draft was never published." : "The draft has changes that are not published."}</p>` : nothing}
        ${list?.length === 0 ? html`<p class="muted">Each time you publish, what runs is kept here, word for word.</p>` : nothing}
        <ol class="version-list">
          ${(list ?? []).map((it) => html`<li>
            <div class="grow"><strong>Version ${it.version}</strong> ${it.live ? html`<span class="badge ok dot">${session.state === "paused" ? "paused" : "runs now"}</span>` : nothing}
            <div class="muted small">${written(new Date(it.published_at))}${it.published_by ? ` · ${it.published_by}` : ""}</div></div>
            ${it.live && !session.unpublished ? nothing : html`<button type="button" class="button small" ?disabled=${!session.edits} @click=${() => void this.restore(it.version)}>Restore</button>`}
          </li>`)}
        </ol>
        ${this.older ? html`<button type="button" class="button small" @click=${() => void this.read(this.older ?? undefined)}>Older versions</button>` : nothing}
      </div>
    </section>`;
  }
}
