// The icons of the pages, for scripts.
import { html, type TemplateResult } from "lit";
import paths from "../../icons.json";

const known: Record<string, string> = paths;

/** An icon as decoration: what carries it has words or an aria-label. An unknown name draws a circle. */
export const icon = (name: string, more = ""): TemplateResult =>
  html`<svg class="icon ${more}" viewBox="0 0 20 20" aria-hidden="true"><path d=${known[name] ?? known["circle"] ?? ""}></path></svg>`;
