// Turns the server's UTC times into the reader's own zone, in the workspace's language, and keeps "2 min ago" true.

/** The workspace's language of dates and numbers; the browser's own where nobody is signed in, or where it isn't known. */
const language = ((): string | undefined => {
  const chosen = typeof document === "undefined" ? undefined : document.documentElement.dataset["language"];
  try {
    return chosen && Intl.DateTimeFormat.supportedLocalesOf(chosen)[0];
  } catch {
    return undefined;
  }
})();

const full = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
const short = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const hour = new Intl.DateTimeFormat(language, { hour: "numeric" });
const weekday = new Intl.DateTimeFormat(language, { weekday: "short" });
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Date and time of day in the workspace's language. */
export const written = (moment: Date): string => short.format(moment);

/** How long ago, in words short enough for a table's cell. */
export function ago(then: Date, now: Date): string {
  const seconds = Math.round((now.getTime() - then.getTime()) / 1000);
  if (seconds < 0) return short.format(then);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
  return short.format(then);
}

function show(element: HTMLTimeElement): void {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const how = element.dataset["show"];
  element.textContent =
    how === "ago" ? ago(moment, new Date())
    : how === "clock" ? clock.format(moment)
    : how === "hour" ? hour.format(moment)
    : how === "weekday" ? weekday.format(moment)
    : short.format(moment);
  element.title = full.format(moment);
}

/** Shows every `<time datetime>` inside `root` in local time; `data-show="ago"` counts on, `data-show="clock"` shows the time of day
 *  to the second, `hour` the hour, `weekday` the day's name. */
export function localTimes(root: ParentNode): void {
  root.querySelectorAll<HTMLTimeElement>("time[datetime]").forEach(show);
}

if (typeof window !== "undefined") {
  window.setInterval(() => {
    if (!document.hidden) document.querySelectorAll<HTMLTimeElement>('time[data-show="ago"]').forEach(show);
  }, 15_000);
}
