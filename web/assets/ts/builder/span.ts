// A length of time as a number and a unit; an expression in its place where one is possible.
import { html, nothing, type TemplateResult } from "lit";
import { hasExpression } from "./template";
import type { Json } from "./model";

const units: [string, string][] = [
  ["s", "seconds"],
  ["m", "minutes"],
  ["h", "hours"],
  ["d", "days"],
];

/** `text` is the control for expressions; without one there are only numbers. */
export function spanField(value: Json | undefined, label: string, described: string, off: boolean, text: TemplateResult | undefined, change: (value: string | undefined) => void): TemplateResult {
  const match = /^(\d+)\s*(ms|s|m|h|d)$/.exec(typeof value === "string" ? value.trim() : "");
  if (text && (hasExpression(value) || (typeof value === "string" && value !== "" && !match))) return text;
  const amount = match?.[1] ?? "";
  const unit = match?.[2] === "ms" ? "ms" : (match?.[2] ?? "m");
  const read = (event: Event): void => {
    const row = (event.target as HTMLElement).closest(".span-field");
    const number = row?.querySelector("input")?.value.trim() ?? "";
    const chosen = row?.querySelector("select")?.value ?? unit;
    change(/^\d+$/.test(number) ? `${number}${chosen}` : undefined);
  };
  return html`<div class="span-field">
    <input class="input" type="number" min="0" step="1" inputmode="numeric" aria-labelledby=${label} aria-describedby=${described || nothing} .value=${amount} ?disabled=${off} @input=${read} />
    <select class="select" aria-label="Unit" ?disabled=${off} @change=${read}>
      ${unit === "ms" ? html`<option value="ms" selected>milliseconds</option>` : nothing}
      ${units.map(([key, name]) => html`<option value=${key} ?selected=${key === unit}>${name}</option>`)}
    </select>
  </div>`;
}
