// Small helps in forms: show a password, tell the browser's time zone, submit once, filter a list while typing.

export function forms(root: ParentNode): void {
  root.querySelectorAll<HTMLButtonElement>("button[data-reveal]").forEach((button) => {
    const field = document.getElementById(button.dataset["reveal"] ?? "");
    if (!(field instanceof HTMLInputElement)) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = field.type === "password";
      field.type = shown ? "text" : "password";
      button.textContent = shown ? "Hide" : "Show";
      button.setAttribute("aria-pressed", String(shown));
      field.focus();
    });
    // What is sent is a password field again, so that the browser offers to keep it.
    field.form?.addEventListener("submit", () => (field.type = "password"));
  });

  root.querySelectorAll<HTMLInputElement>("input[data-time-zone]").forEach((field) => {
    field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || field.value;
  });

  root.querySelectorAll<HTMLInputElement>("input[data-language-of-browser]").forEach((field) => {
    field.value = navigator.language || field.value;
  });

  // A choice that is its own action: a role in the list of members.
  root.querySelectorAll<HTMLInputElement>("input[data-reads-into]").forEach((field) => {
    field.addEventListener("change", () => void readFile(field));
  });
  root.querySelectorAll<HTMLSelectElement>("select[data-submits-change]").forEach((select) => {
    select.addEventListener("change", () => select.form?.requestSubmit());
    select.form?.querySelectorAll<HTMLElement>("[data-without-script]").forEach((button) => (button.hidden = true));
  });

  root.querySelectorAll<HTMLButtonElement>("button[data-copies]").forEach((button) => {
    const field = document.getElementById(button.dataset["copies"] ?? "");
    if (!field) return;
    button.hidden = false;
    const words = button.textContent;
    button.addEventListener("click", () => {
      if (field instanceof HTMLInputElement) field.select();
      else getSelection()?.selectAllChildren(field);
      const text = field instanceof HTMLInputElement ? field.value : (field.textContent ?? "");
      const done = (copied: boolean): void => {
        button.textContent = copied ? "Copied" : "Press Ctrl+C";
        window.setTimeout(() => (button.textContent = words), 3_000);
      };
      // Over plain http browsers have no clipboard for pages; the old command still works there.
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => done(true), () => done(false));
      else done(document.execCommand("copy"));
    });
  });

  root.querySelectorAll<HTMLFormElement>("form[method=post]").forEach((form) => {
    form.addEventListener("submit", (event) => {
      if (form.dataset["sent"]) event.preventDefault();
      form.dataset["sent"] = "yes";
    });
  });
  // A page that comes back by the back button may be sent again.
  window.addEventListener("pageshow", () => {
    document.querySelectorAll<HTMLFormElement>("form[data-sent]").forEach((form) => delete form.dataset["sent"]);
  });

  root.querySelectorAll<HTMLInputElement>("input[data-filters]").forEach((field) => {
    const items = [...document.querySelectorAll<HTMLElement>(`${field.dataset["filters"]} [data-text]`)];
    const none = document.querySelector<HTMLElement>(`${field.dataset["filters"]}-none`);
    field.addEventListener("input", () => {
      const words = field.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const item of items) {
        const text = (item.dataset["text"] ?? "").toLocaleLowerCase();
        item.hidden = !words.every((word) => text.includes(word));
        if (!item.hidden) left += 1;
      }
      if (none) none.hidden = left > 0;
    });
  });
}

/** Puts the text of a chosen file into the text field that the form sends. What is no UTF-8 is read as old spreadsheets write it. */
async function readFile(field: HTMLInputElement): Promise<void> {
  const text = document.getElementById(field.dataset["readsInto"] ?? "");
  const file = field.files?.[0];
  if (!(text instanceof HTMLTextAreaElement) || !file) return;
  const bytes = await file.arrayBuffer();
  try {
    text.value = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    text.value = new TextDecoder("windows-1252").decode(bytes);
  }
  text.closest("details")?.setAttribute("open", "");
  text.dispatchEvent(new Event("input", { bubbles: true }));
}
