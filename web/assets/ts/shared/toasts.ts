// Toasts confirm and go after a while, unless somebody reads them with the pointer or the keyboard on them.

const LASTS = 6000;

function leave(toast: HTMLElement): void {
  let timer = window.setTimeout(() => toast.remove(), LASTS);
  const stay = (): void => window.clearTimeout(timer);
  const go = (): void => {
    stay();
    timer = window.setTimeout(() => toast.remove(), LASTS / 2);
  };
  toast.addEventListener("pointerenter", stay);
  toast.addEventListener("focusin", stay);
  toast.addEventListener("pointerleave", go);
  toast.addEventListener("focusout", go);
}

/** Says that something was done. */
export function toast(sentence: string): void {
  const element = document.createElement("div");
  element.className = "toast";
  const text = document.createElement("span");
  text.className = "grow";
  text.textContent = sentence;
  element.append(text);
  document.querySelector(".toasts")?.append(element);
  leave(element);
}

/** Takes care of the toast that came with the page. */
export function toasts(): void {
  document.querySelectorAll<HTMLElement>("[data-toast]").forEach(leave);
  document.addEventListener("click", (event) => (event.target as Element).closest("[data-dismiss]")?.parentElement?.remove());
  const url = new URL(location.href);
  if (url.searchParams.has("done")) {
    // Said once: a reload or a bookmark doesn't say it again.
    url.searchParams.delete("done");
    history.replaceState(history.state, "", url);
  }
}
