// Connections as a person uses them: made from the builder, tried, used by a run. The secret is typed once and is in no page afterwards.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessibilityIssues, openBrowser, openPage } from "./browser.mjs";
import { startReceiver, until } from "./receivers.mjs";
import { Towpath } from "./towpath.mjs";

const OWNER = { name: "Ada Lovelace", email: "ada@example.com", password: "analytical engine 1843" };
const TOKEN = "tok-4f2a9c1e77b05d36";
let browser, receiver, towpath;

before(async () => {
  browser = await openBrowser();
  receiver = await startReceiver((request) => ({ status: 200, body: { heard: request.headers.authorization ?? "nothing" } }));
  towpath = await Towpath.start();
});

after(async () => {
  await browser?.close();
  await towpath?.stop();
  await receiver?.stop();
});

async function saved(page) {
  await page.waitForFunction(() => /^Saved/.test(document.querySelector(".saving")?.textContent?.trim() ?? ""));
}

/** The secret is nowhere in what the browser has. */
async function secretless(page) {
  const held = await page.evaluate(() => document.documentElement.outerHTML + [...document.querySelectorAll("input, textarea")].map((it) => it.value).join("\n"));
  assert.ok(!held.includes(TOKEN), "the page holds the secret");
}

test("a bearer connection is made from the builder, tried and used, and its secret is in no page", async () => {
  const page = await openPage(browser, { baseURL: towpath.url });
  await page.goto(towpath.url + towpath.setupPath);
  await page.fill("[name=name]", OWNER.name);
  await page.fill("[name=email]", OWNER.email);
  await page.fill("[name=password]", OWNER.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/workflows");

  await page.click("text=Start from nothing");
  await page.waitForSelector("tp-picker input");
  await page.click('.pick:has-text("Run")');
  await page.waitForSelector("[data-continue]");
  await page.click("[data-continue]");
  await page.click('.pick:has-text("HTTP")');
  await page.waitForSelector("tp-connection select");
  await page.click('[data-field="url"] .text-box');
  await page.keyboard.type(`${receiver.url}/orders`);
  await saved(page);

  // The form opens in a tab of its own; the token is pasted with what often clings to it.
  const [form] = await Promise.all([page.context().waitForEvent("page"), page.click("tp-connection a.button")]);
  await form.waitForSelector("#name");
  assert.deepEqual(await accessibilityIssues(form), []);
  await form.fill("#name", "CRM");
  await form.fill("#f_token", `Bearer ${TOKEN} `);
  await form.fill("#hosts", receiver.url);
  await form.click("button.primary");
  await form.waitForURL(/\/connections\/[0-9a-f-]{36}/);
  await secretless(form);
  await form.fill("#test_url", `${receiver.url}/me`);
  await form.click("text=Test it now");
  await form.waitForSelector(".badge.ok");
  assert.equal(receiver.arrived.at(-1).headers.authorization, `Bearer ${TOKEN}`);
  assert.match(await form.textContent("main"), /Set, ends in 5d36/);
  assert.deepEqual(await accessibilityIssues(form), []);
  await secretless(form);
  await form.close();

  // Back in the builder the list has it, chosen.
  await page.bringToFront();
  await page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await page.waitForFunction(() => /CRM/.test(document.querySelector("tp-connection select")?.selectedOptions[0]?.textContent ?? ""));
  await saved(page);
  await page.click("text=Test this step");
  await page.waitForSelector("text=Bearer ***");
  await page.click("text=Send it for real");
  await page.waitForSelector(".done-line");
  assert.equal(receiver.arrived.at(-1).headers.authorization, `Bearer ${TOKEN}`);
  assert.match(await page.textContent("tp-trial"), /Bearer \*\*\*/, "what the service echoed is masked, too");
  await secretless(page);

  // By keyboard: the picker is a list like any other.
  await page.focus("tp-connection select");
  await page.keyboard.press("Home");
  await page.waitForFunction(() => document.querySelector("tp-connection select")?.value === "");
  await page.keyboard.press("End");
  await page.waitForFunction(() => document.querySelector("tp-connection select")?.value !== "");
  await saved(page);
  assert.deepEqual(await accessibilityIssues(page), []);

  await page.waitForSelector('.publish[aria-disabled="false"]');
  await page.click(".publish");
  await page.waitForFunction(() => /v1 runs/.test(document.querySelector(".state")?.textContent ?? ""));
  const before = receiver.arrived.length;
  const workflow = page.url().split("/").at(-1);
  await page.evaluate(async (id) => {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    await fetch(`/api/v1/workflows/${id}/run`, { method: "POST", headers: { "x-csrf-token": token, "content-type": "application/json" }, body: "{}" });
  }, workflow);
  await until("the run calls the service", () => receiver.arrived.length > before);
  assert.equal(receiver.arrived.at(-1).headers.authorization, `Bearer ${TOKEN}`);
  await page.goto("/runs");
  await until("the run has succeeded", async () => (await page.reload(), /succeeded/i.test(await page.textContent("main"))));
  await page.click("main table a, main .run-row a, main a[href^='/runs/']");
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
  await secretless(page);

  await page.goto("/connections");
  assert.match(await page.textContent("main"), /CRM[\s\S]*Works/);
  assert.deepEqual(await accessibilityIssues(page), []);
  await page.click("text=CRM");
  await page.click("text=Delete …");
  assert.match(await page.textContent("main"), /These workflows run with it/);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});
