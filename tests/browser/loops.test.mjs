// What somebody does who has a list: builds a for-each over it by clicking, runs it, and looks at the items that failed. And lanes side
// by side, and steps for when something fails.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessibilityIssues, openBrowser, openPage } from "./browser.mjs";
import { startReceiver, until } from "./receivers.mjs";
import { Towpath } from "./towpath.mjs";

const OWNER = { name: "Ada Lovelace", email: "ada@example.com", password: "analytical engine 1843" };
let browser, receiver, towpath, page, gone;

before(async () => {
  browser = await openBrowser();
  receiver = await startReceiver((it) => (it.path === gone ? { status: 404, body: { error: "no such order" } } : { status: 200, body: { ok: true } }));
  towpath = await Towpath.start();
  page = await openPage(browser, { baseURL: towpath.url });
  await page.goto(towpath.url + towpath.setupPath);
  await page.fill("[name=name]", OWNER.name);
  await page.fill("[name=email]", OWNER.email);
  await page.fill("[name=password]", OWNER.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/workflows");
});

after(async () => {
  await browser?.close();
  await towpath?.stop();
  await receiver?.stop();
});

async function saved() {
  await page.waitForFunction(() => /^Saved/.test(document.querySelector(".saving")?.textContent?.trim() ?? ""));
}

/** A workflow made by the API, opened in the builder. */
async function open(document) {
  const answer = await page.evaluate(async (body) => {
    const csrf = globalThis.document.querySelector('meta[name="csrf-token"]')?.content ?? "";
    const made = await fetch("/api/v1/workflows", { method: "POST", headers: { "content-type": "application/json", "x-csrf-token": csrf }, body: JSON.stringify(body) });
    return { status: made.status, body: await made.json() };
  }, { document });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  await page.goto(`/workflows/${answer.body.id}`);
  await page.waitForSelector("tp-flow .step-card");
  return answer.body.id;
}

async function looksRight(name) {
  if (process.env.TOWPATH_SHOTS) {
    for (const [width, scheme] of [[1440, "light"], [1440, "dark"], [390, "light"], [390, "dark"]]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await page.screenshot({ path: `${process.env.TOWPATH_SHOTS}/${name}-${width}-${scheme}.png`, fullPage: true });
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.emulateMedia({ colorScheme: "light" });
  }
  assert.deepEqual(await accessibilityIssues(page), [], `accessibility of ${name}`);
}

const list = { orders: [{ id: "A-1", total: 10 }, { id: "A-2", total: 20 }, { id: "A-3", total: 30 }] };

test("a for-each over a list is built by clicking, runs, and shows its items", async () => {
  await open({ towpath: 1, name: "Orders", trigger: { id: "trigger", use: "webhook", input: {} }, steps: [] });
  // A real event is the sample from which the list is picked.
  await page.click('[data-step="trigger"]');
  const hook = await page.evaluate(() => globalThis.document.querySelector("tp-trigger-card")?.textContent?.match(/https?:\/\/\S+\/hooks\/[0-9a-f-]+/)?.[0] ?? "");
  assert.match(hook, /\/hooks\//);
  const send = () => fetch(hook.replace(/^https?:\/\/[^/]+/, towpath.url), { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(list) });
  assert.equal((await send()).status, 202);
  await page.waitForSelector("text=orders");

  await page.click("[data-continue]");
  await page.fill("tp-picker input", "each");
  await page.click('.pick:has-text("For each")');
  await page.click('.data-leaf:has(.data-key:text-is("orders"))');
  await saved();
  await page.click('[data-continue]:has-text("Add a step inside")');
  await page.click('.pick:has-text("HTTP")');
  // Inside, the item is at hand with its real values.
  await page.waitForSelector('.data-source-head:has-text("The item of this round")');
  await page.click("tp-field[data-field=url], [data-field=url] .text-box");
  await page.keyboard.type(`${receiver.url}/orders/`);
  await page.click('.data-source:has-text("The item of this round") .data-leaf:has(.data-key:text-is("id"))');
  await saved();
  await page.waitForSelector(".loop-box .step-card");
  await looksRight("for-each-builder");

  await page.click(".publish");
  await page.waitForSelector('.state:has-text("v1 runs")');
  assert.equal((await send()).status, 202);
  const called = () => receiver.arrived.map((it) => it.path).filter((it) => it.startsWith("/orders/"));
  await until("three calls", () => called().length >= 3);
  assert.deepEqual(called().sort(), ["/orders/A-1", "/orders/A-2", "/orders/A-3"]);
  await page.waitForSelector('.box-rounds:has-text("3 of 3 done")');

  await page.click('.run-banner a:has-text("See the run")');
  await page.waitForSelector(".round-list");
  assert.equal(await page.locator(".round-list li").count(), 3);
  await page.click(".round-list li:nth-child(2) a");
  await page.waitForSelector('.picture-lane-taken h3:has-text("Item 2")');
  await page.waitForFunction(() => document.querySelector(".run-details").textContent.includes("/orders/A-2"));
  await looksRight("for-each-run");

  // One item fails, and the others go on: the page shows it first, with the reason.
  gone = "/orders/A-2";
  await page.goBack();
  await page.goBack();
  await page.click('[data-step="for_each"]');
  await page.selectOption("[data-field=on_failed] select", { label: "Go on with the others" }).catch(() => page.click('[data-field=on_failed] label:has-text("Go on with the others")'));
  await saved();
  await page.click(".publish");
  await page.waitForSelector('.state:has-text("v2 runs")');
  assert.equal((await send()).status, 202);
  await page.waitForSelector('.box-rounds:has-text("2 of 3 done, 1 failed")');
  await page.click('.run-banner a:has-text("See the run")');
  await page.waitForSelector('.picture-lane-taken h3:has-text("Item 2")');
  assert.equal(await page.locator(".round-list li").count(), 1);
  assert.match(await page.locator(".round-list li").innerText(), /2\s+failed.*404/s);
  await looksRight("for-each-failed-run");
  await page.click("text=Show all of them");
  await page.waitForFunction(() => document.querySelectorAll(".round-list li").length === 3);
  assert.deepEqual(page.complaints, []);
});

test("lanes, a repeat and an error lane are drawn, named and filled by clicking and by keys", async () => {
  await open({ towpath: 1, name: "Lanes", trigger: { id: "trigger", use: "manual", input: {} }, steps: [{ id: "call", use: "http.request", input: { method: "GET", url: `${receiver.url}/gone` } }] });
  await page.click('[data-step="call"]');
  await page.click('label:has-text("Do other steps")');
  await page.waitForSelector(".rescue-box");
  await page.fill("tp-picker input", "set");
  await page.click('.pick:has-text("Work out")');
  await saved();
  await page.waitForSelector('.rescue-box [data-step="set"]');
  await page.click('[data-step="call"]');
  await page.click('[data-continue]');
  await page.fill("tp-picker input", "parallel");
  await page.keyboard.press("Enter");
  await page.waitForSelector("tp-lanes");
  await page.fill('[aria-label="Name of lane 1"]', "Warehouse");
  await page.click('button:has-text("Add a lane")');
  await page.keyboard.type("Accounting");
  await saved();
  assert.equal(await page.locator(".split-lane").count(), 3);
  await page.click('[data-continue]:has-text("Add a step to Warehouse")');
  await page.fill("tp-picker input", "repeat");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".split-lane .loop-box");
  await saved();
  // The keyboard walks between lanes.
  await page.focus('[data-step="parallel"]');
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.activeElement?.closest(".split-lane") !== null);
  await looksRight("lanes-builder");
  await page.keyboard.press("Escape");
  await page.waitForSelector("tp-panel", { state: "detached" });
  await looksRight("lanes-flow");
  await page.keyboard.press("Control+z");
  assert.deepEqual(page.complaints, []);
});
