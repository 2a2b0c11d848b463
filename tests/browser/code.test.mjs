// A step of one's own code: written in the builder, tried over a real sample, and seen in a run with what it logged.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessibilityIssues, openBrowser, openPage } from "./browser.mjs";
import { until } from "./receivers.mjs";
import { Towpath } from "./towpath.mjs";

let browser, towpath;

before(async () => {
  browser = await openBrowser();
  towpath = await Towpath.start();
});

after(async () => {
  await browser?.close();
  await towpath?.stop();
});

async function saved(page) {
  await page.waitForFunction(() => /^Saved/.test(document.querySelector(".saving")?.textContent?.trim() ?? ""));
}

/** A leaf among the data of the source with this title. */
const leaf = (source, name) => `.data-source:has(.data-source-head:has-text("${source}")) .data-leaf:has(.data-key:text-is("${name}"))`;

/** Writes code as a person does: into the editor, which closes brackets by itself. */
async function write(page, code) {
  await page.click("tp-code .cm-content");
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(code);
}

test("code is written in the builder, tried with its log, and runs", async () => {
  const page = await openPage(browser, { baseURL: towpath.url });
  await page.goto(towpath.setupPath);
  await page.fill("[name=name]", "Ada Lovelace");
  await page.fill("[name=email]", "ada@example.com");
  await page.fill("[name=password]", "analytical engine 1843");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/workflows");
  await page.click("text=Start from nothing");
  await page.click('.pick:has-text("When a request arrives")');
  const hook = await until("the webhook's address is shown", async () => {
    const texts = await page.locator(".copy-text").allTextContents();
    return texts.find((it) => it.includes("/hooks/"))?.trim();
  });
  const order = { lines: [{ sku: "A1", price: 2.5, count: 4 }, { sku: "B2", price: 30, count: 1 }] };
  const send = () => fetch(hook, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(order) });
  await send();

  await page.click("[data-continue]");
  await page.fill("tp-picker input", "javascript");
  await page.click('.pick:has-text("code of your own")');
  await page.fill('[data-field="input"] .pair-name >> nth=0', "lines");
  await page.click('[data-field="input"] .text-box >> nth=0');
  await page.click(leaf("request arrives", "lines"));
  await page.waitForSelector("tp-code .cm-content");

  // Typed by hand: the names of the input are offered, and letters are letters, not the builder's own keys.
  await page.click("tp-code .cm-content");
  await page.keyboard.type("return input.");
  await page.waitForSelector('tp-code .cm-tooltip-autocomplete li:has-text("lines")');
  await page.keyboard.press("Enter");
  await page.keyboard.type(".map((a) => a.sku)");
  await saved(page);
  await page.click("text=Test this step");
  await until("what came out is shown", async () => /A1/.test((await page.textContent("tp-trial")) ?? ""));

  await write(page, "const total = input.lines.reduce((sum, line) => sum + line.price * line.count, 0);\nconsole.log('lines:', input.lines.length);\nreturn { total };");
  await saved(page);
  await page.click("text=Test again");
  await until("the total and the log are shown", async () => {
    const text = (await page.textContent("tp-trial")) ?? "";
    return /"total": 40/.test(text) && /lines: 2/.test(text);
  });
  assert.deepEqual(await accessibilityIssues(page), []);

  // What can't be read is said beside the field, with its line, before anybody runs it.
  await write(page, "const total = 1;\nreturn { total: };");
  await until("the line is named", async () => /can't be read, line 2/.test((await page.textContent('[data-field="code"]')) ?? ""));
  await page.waitForSelector("tp-code .cm-line.wrong");
  assert.deepEqual(await accessibilityIssues(page), []);
  await page.waitForSelector('.publish[aria-disabled="true"], .publish:not([aria-disabled="false"])');

  // What stops while it runs says where.
  await write(page, "console.log('so far');\nreturn input.order.total;");
  await saved(page);
  await page.click("tp-trial .button >> nth=0");
  await until("the error names the line", async () => {
    const text = (await page.textContent("tp-trial")) ?? "";
    return /stopped on line 2/.test(text) && /so far/.test(text);
  });

  await write(page, "console.log('lines:', input.lines.length);\nreturn { total: input.lines.reduce((sum, it) => sum + it.price * it.count, 0) };");
  await saved(page);
  // Tab indents in there; Escape, then Tab, leaves, and the panel stays open.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.closest("tp-code") === null), true);
  await page.waitForSelector(".panel tp-code");

  await page.waitForSelector('.publish[aria-disabled="false"]');
  await page.click(".publish");
  await page.waitForFunction(() => /v1 runs/.test(document.querySelector(".state")?.textContent ?? ""));
  await send();
  await page.waitForFunction(() => /succeeded/i.test(document.querySelector(".run-banner")?.textContent ?? ""));
  await page.goto("/runs");
  await page.click(".runs-table a");
  await page.waitForSelector(".run-picture");
  await page.click('.run-picture a:has-text("code of your own")');
  const card = page.locator("details.step-card[open]").last();
  await card.locator('summary:has-text("Log")').click();
  assert.match(await card.textContent(), /lines: 2/);
  assert.match(await card.textContent(), /total/);
  assert.deepEqual(await accessibilityIssues(page), []);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});
