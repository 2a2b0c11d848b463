// A real Chromium. Every page it opens is watched: a policy violation, a script error or a failed request of ours fails the test.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** A page whose complaints are collected in `page.complaints`, and whose pointer presses are counted in `page.presses()`. */
export async function openPage(browser, { width = 1440, height = 900, dark = false, baseURL, storageState } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light", baseURL, storageState, permissions: [] });
  await context.addInitScript(() => {
    window.__presses = Number(sessionStorage.getItem("presses") ?? 0);
    addEventListener("pointerdown", () => sessionStorage.setItem("presses", String(++window.__presses)), true);
    addEventListener("securitypolicyviolation", (event) => console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.presses = () => page.evaluate(() => window.__presses);
  return page;
}

/** What an automatic check of WCAG 2.2 AA finds on the page, as readable lines. The page's own policy refuses injected scripts, so it runs in an isolated world. */
export async function accessibilityIssues(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  const run = async (expression) => {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression, contextId: executionContextId, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  // Half-transparent on its way in, a toast or a sheet has no contrast to measure.
  await run(`Promise.allSettled(document.getAnimations().filter((it) => it.effect.getTiming().iterations !== Infinity).map((it) => it.finished)).then(() => 0)`);
  await run(`${axeSource}; 0`);
  const found = await run(`axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })
    .then((r) => r.violations.map((v) => v.id + ": " + v.help + " at " + v.nodes.map((n) => n.target.join(" ")).join(", ")))`);
  await session.detach();
  return found;
}
