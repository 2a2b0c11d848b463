// <button data-opens="id"> opens the <dialog> of that id; inside it, [data-close] closes. `data-fill-<name>` on the button puts a value
// into the dialog's [data-fill="<name>"] (a field's value, or text) before it opens; `data-action` sets the form's action.

export function dialogs(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const opener = target.closest<HTMLElement>("[data-opens]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset["opens"] ?? "");
      if (dialog instanceof HTMLDialogElement) show(dialog, opener);
      return;
    }
    const dialog = target.closest("dialog");
    if (dialog && (target.closest("[data-close]") || target === dialog)) dialog.close();
  });
}

function show(dialog: HTMLDialogElement, opener: HTMLElement): void {
  const action = opener.dataset["action"];
  const form = dialog.querySelector("form");
  if (action && form) form.action = action;
  for (const slot of dialog.querySelectorAll<HTMLElement>("[data-fill]")) {
    const value = opener.getAttribute(`data-fill-${slot.dataset["fill"]}`) ?? "";
    if (slot instanceof HTMLInputElement) slot.value = value;
    else slot.textContent = value;
  }
  opener.closest<HTMLDetailsElement>("details[data-menu]")?.removeAttribute("open");
  dialog.showModal();
  const first = dialog.querySelector<HTMLInputElement>("input[autofocus]");
  first?.focus();
  first?.select();
}
