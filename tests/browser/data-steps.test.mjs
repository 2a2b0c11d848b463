// Steps over lists, built by clicking: fields of the list's own item are picked, and what a step gives is there for the next one.
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

/** Puts data into a field. */
async function map(page, field, leaf) {
  await page.click(`[data-field="${field}"] .text-box >> nth=0`);
  await page.click(leaf);
}

/** A leaf among the data of the source with this title. */
const leaf = (source, name) => `.data-source:has(.data-source-head:has-text("${source}")) .data-leaf:has(.data-key:text-is("${name}"))`;

test("a list is filtered and grouped by picking fields of its items", async () => {
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
  const lines = [{ sku: "A1", city: "Oslo", total: 5 }, { sku: "B2", city: "Oslo", total: 120 }, { sku: "C3", city: "Rome", total: 30 }];
  await fetch(hook, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ lines }) });

  await page.click("[data-continue]");
  await page.fill("tp-picker input", "only items");
  await page.click('.pick:has-text("Keep only the items that")');
  await map(page, "list", leaf("request arrives", "lines"));
  // Now the data has an item of the list.
  await map(page, "condition", leaf("An item of the list", "total"));
  await page.waitForSelector('[data-field="condition"] .pill:has-text("total5")');
  await page.selectOption('[data-field="condition"] select[aria-label="Comparison 1"]', "greater_than");
  await page.click('[data-field="condition"] .text-box >> nth=1');
  await page.keyboard.type("20");
  await saved(page);
  assert.deepEqual(await accessibilityIssues(page), []);

  await page.click("[data-continue]");
  await page.fill("tp-picker input", "total per");
  await page.click('.pick:has-text("Group the items")');
  // What the filter gives is worked out over what arrived.
  await map(page, "list", leaf("Keep only items where", "items"));
  await page.waitForSelector('[data-field="list"] .pill:has-text("items2 items")');
  await map(page, "key", leaf("An item of the list", "city"));
  await page.fill('[data-field="sum"] .pair-name >> nth=0', "revenue");
  await map(page, "sum", leaf("An item of the list", "total"));
  await page.waitForSelector('[data-field="sum"] .pill:has-text("total120")');
  await saved(page);
  assert.deepEqual(await accessibilityIssues(page), []);
  await page.click("text=Test this step");
  await until("the test shows the groups", async () => /Oslo/.test((await page.textContent("tp-trial")) ?? "") && /revenue/.test((await page.textContent("tp-trial")) ?? ""));
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});
