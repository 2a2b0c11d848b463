// The one place where HTML text becomes nodes: fragments that this server rendered and sent over its own stream.
const policy = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: object): { createHTML(text: string): string } } }).trustedTypes?.createPolicy(
  "towpath",
  { createHTML: (text: string) => text },
);

/** Parses a fragment that this server rendered. Scripts in it would not run; the page's policy refuses them besides. */
export function fragment(text: string): DocumentFragment {
  const template = document.createElement("template");
  template.innerHTML = policy ? policy.createHTML(text) : text;
  return template.content;
}
