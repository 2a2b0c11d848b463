// A time zone and a time of day, as the browser's own controls.
import { html, nothing, type TemplateResult } from "lit";
import type { Json } from "./model";

/** The reader's own zone. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** Every zone that the browser knows. */
const zones: readonly string[] = (() => {
  try {
    const known = Intl.supportedValuesOf("timeZone");
    return known.includes("UTC") ? known : ["UTC", ...known];
  } catch {
    return ["UTC"];
  }
})();

export interface Look {
  label: string;
  described: string;
  off: boolean;
  invalid: boolean;
}

/** A text with the zones as suggestions. */
export const zoneField = (value: Json | undefined, look: Look, placeholder: string, change: (value: string) => void): TemplateResult =>
  html`<input class="input" list="time-zones" autocomplete="off" spellcheck="false" aria-labelledby=${look.label} aria-describedby=${look.described || nothing} aria-invalid=${look.invalid ? "true" : nothing} placeholder=${placeholder} .value=${typeof value === "string" ? value : ""} ?disabled=${look.off} @change=${(event: Event) => change((event.target as HTMLInputElement).value.trim())} />
    <datalist id="time-zones">${zones.map((zone) => html`<option value=${zone}></option>`)}</datalist>`;

/** Hours and minutes. An emptied field keeps what it was: there is no schedule without a time. */
export const timeField = (value: Json | undefined, look: Look, change: (value: string) => void): TemplateResult =>
  html`<input class="input time-of-day" type="time" step="60" aria-labelledby=${look.label} aria-describedby=${look.described || nothing} aria-invalid=${look.invalid ? "true" : nothing} .value=${typeof value === "string" ? value.padStart(5, "0") : ""} ?disabled=${look.off} @change=${(event: Event) => {
    const said = (event.target as HTMLInputElement).value;
    if (said) change(said.slice(0, 5));
  }} />`;
