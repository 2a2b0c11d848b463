// The icons of the pages, for scripts.
import { html, type TemplateResult } from "lit";
import paths from "../../icons.json";

const known: Record<string, string> = paths;

/** An icon as decoration: what carries it has words or an aria-label. A name that isn't ours is a connector's, which draws its own. */
export const icon = (name: string, more = ""): TemplateResult =>
  known[name] === undefined && /^[a-z0-9_]+$/.test(name)
    ? html`<img class="icon ${more}" src="/connectors/${name}/icon.svg" alt="" width="20" height="20" />`
    : html`<svg class="icon ${more}" viewBox="0 0 20 20" aria-hidden="true"><path d=${known[name] ?? known["circle"] ?? ""}></path></svg>`;
