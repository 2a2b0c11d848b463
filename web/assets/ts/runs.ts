// The pages about runs: what moves, and what opens.
import "./live/live-region";

/** A link to a step opens it. */
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();

/** A filter applies as soon as it is chosen; without scripts there is a button. */
document.addEventListener("change", (event) => {
  const field = event.target;
  if (field instanceof HTMLSelectElement && field.hasAttribute("data-submits")) field.form?.requestSubmit();
});
