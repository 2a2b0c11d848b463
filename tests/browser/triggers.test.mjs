// Workflows that start by themselves: a schedule built by mouse and by keyboard, its next five times; a feed that is looked at; the
// programs to copy on a webhook's page.
import assert from "node:assert/strict";
import { createServer } from "node:http";
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

let owner;

/** A page with the owner signed in. */
async function signedIn(more = {}) {
  const page = await openPage(browser, { baseURL: towpath.url, storageState: owner, ...more });
  if (!owner) {
    await page.goto(towpath.setupPath);
    await page.fill("[name=name]", "Ada Lovelace");
    await page.fill("[name=email]", "ada@example.com");
    await page.fill("[name=password]", "analytical engine 1843");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/workflows");
    owner = await page.context().storageState();
  }
  return page;
}

/** A new workflow, opened in the builder where its trigger is chosen. */
async function begin(page) {
  await page.goto("/workflows");
  const id = await page.evaluate(async () => {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const headers = { "content-type": "application/json", "x-csrf-token": token };
    const made = await fetch("/api/v1/workflows", { method: "POST", headers, body: JSON.stringify({ name: "By itself" }) });
    return (await made.json()).id;
  });
  await page.goto(`/workflows/${id}`);
  await page.waitForSelector("tp-picker input");
}

const saved = (page) => page.waitForFunction(() => /^Saved/.test(document.querySelector(".saving")?.textContent?.trim() ?? ""));
const times = (page) => page.locator(".times tbody tr td:first-child time").allTextContents();

async function addAStep(page) {
  await page.click("[data-continue]");
  await page.click('.pick:has-text("Stop")');
  await saved(page);
}

async function publish(page) {
  await page.waitForSelector('.publish[aria-disabled="false"]');
  await page.click(".publish");
  await page.waitForFunction(() => /v1 runs/.test(document.querySelector(".state")?.textContent ?? ""));
}

test("a schedule is built by mouse, shows its next five times by both clocks, and is published", async () => {
  const page = await signedIn();
  await begin(page);
  await page.click('.pick:has-text("certain times")');
  await page.waitForSelector(".times tbody tr");
  assert.equal((await times(page)).length, 5);
  await page.selectOption("[data-field=repeat] select", { label: "On days of the week" });
  await page.click('[data-field=days] label:has-text("Thursday")');
  await page.fill("[data-field=at] input", "07:30");
  await page.fill("[data-field=zone] input", "America/New_York");
  await page.keyboard.press("Tab");
  await page.waitForFunction(() => document.querySelector(".next-times h3")?.textContent === "Every Monday and Thursday at 07:30");
  await page.waitForFunction(() => document.querySelector(".times th")?.textContent === "New York time");
  const shown = await times(page);
  assert.equal(shown.length, 5);
  assert.ok(shown.every((it) => /^(Mon|Thu), .*07:30/.test(it)), shown.join(" | "));
  assert.equal(await page.locator(".times th").count(), 2, "the reader's own time stands beside it");
  assert.deepEqual(await accessibilityIssues(page), []);
  await addAStep(page);
  await publish(page);
  await page.goto("/workflows");
  assert.match(await page.textContent("main"), /Every Monday and Thursday at 07:30/);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("the same is built by keyboard alone, and a day that never comes is said", async () => {
  const page = await signedIn();
  const key = page.keyboard;
  await begin(page);
  await page.waitForFunction(() => document.activeElement?.closest("tp-picker"));
  await key.type("schedule");
  await page.waitForFunction(() => /schedule|times/i.test(document.querySelector('.pick[aria-selected="true"]')?.textContent ?? ""));
  await key.press("Enter");
  await page.waitForSelector(".times tbody tr");
  const focus = async (field) => {
    for (let n = 0; n < 40; n += 1) {
      if (await page.evaluate((name) => document.activeElement?.closest(`[data-field="${name}"]`) !== null, field)) return;
      await key.press("Tab");
    }
    assert.fail(`the keyboard does not reach ${field}`);
  };
  await page.focus(".panel-title");
  await focus("repeat");
  await key.type("By a cron");
  await focus("cron");
  await key.type("0 0 31 2 *");
  await page.waitForFunction(() => /never comes/.test(document.querySelector(".next-times")?.textContent ?? ""));
  await key.press("Control+a");
  await key.type("0 9 1 * *");
  await page.waitForFunction(() => document.querySelectorAll(".times tbody tr").length === 5);
  await saved(page);
  await addAStep(page);
  await publish(page);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a feed is looked at, what was there becomes samples, and what is new starts a run", async () => {
  let count = 2;
  const feed = createServer((_, answer) => {
    const items = Array.from({ length: count }, (_, n) => ({ id: `item-${n + 1}`, title: `Item ${n + 1}`, url: `https://example.com/${n + 1}` })).reverse();
    answer.setHeader("content-type", "application/feed+json");
    answer.end(JSON.stringify({ version: "https://jsonfeed.org/version/1.1", title: "Test", items }));
  });
  await new Promise((done) => feed.listen(0, "127.0.0.1", done));
  try {
    const page = await signedIn();
    await begin(page);
    await page.fill("tp-picker input", "feed");
    await page.click('.pick:has-text("feed")');
    await page.click("[data-field=url] .text-box");
    await page.keyboard.type(`http://127.0.0.1:${feed.address().port}/feed.json`);
    await saved(page);
    await page.click("[data-check]");
    await page.waitForFunction(() => /2 items as samples/.test(document.querySelector("tp-poll-card")?.textContent ?? ""));
    await page.waitForSelector(".sample");
    await addAStep(page);
    await publish(page);
    await page.click('[data-step="trigger"]');
    await page.waitForFunction(() => /Last look/.test(document.querySelector("tp-poll-card")?.textContent ?? "") && !/not yet/.test(document.querySelector("tp-poll-card")?.textContent ?? ""));
    count = 3;
    await page.click("[data-check]");
    await page.waitForFunction(() => /1 new item/.test(document.querySelector("tp-poll-card")?.textContent ?? ""));
    // The figures beside the message are asked for after it.
    await page.waitForFunction(() => /1 new/.test(document.querySelector("tp-poll-card .facts")?.textContent ?? ""));
    assert.deepEqual(await accessibilityIssues(page), []);
    await page.goto("/runs");
    await until("the run is listed", async () => (await page.reload(), /something new/.test(await page.textContent("main"))));
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  } finally {
    feed.close();
  }
});

test("a webhook's page has a program to copy in each language", async () => {
  const page = await signedIn();
  await begin(page);
  await page.click('.pick:has-text("request arrives")');
  const link = page.locator("a[href$='/trigger/examples']");
  await link.waitFor();
  await saved(page);
  await page.goto(await link.getAttribute("href"));
  assert.equal(await page.locator("details.program").count(), 6);
  await page.click("#python summary");
  assert.match(await page.textContent("#code-python"), /urllib\.request/);
  assert.deepEqual(await accessibilityIssues(page), []);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});
