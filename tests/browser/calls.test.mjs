// One workflow calls another: made in the builder by picking it from a list, run, and followed from the caller's page to the called one.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessibilityIssues, openBrowser, openPage } from "./browser.mjs";
import { Towpath } from "./towpath.mjs";

let browser, towpath;

before(async () => {
  [browser, towpath] = await Promise.all([openBrowser(), Towpath.start()]);
});

after(async () => {
  await browser?.close();
  await towpath?.stop();
});

async function fine(page, name) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${name} is ${over} px wider than the screen`);
  assert.deepEqual(await accessibilityIssues(page), [], name);
  if (!process.env.TOWPATH_PICTURES) return;
  await mkdir(process.env.TOWPATH_PICTURES, { recursive: true });
  await page.screenshot({ path: join(process.env.TOWPATH_PICTURES, `${name}.png`), fullPage: true });
}

async function saved(page) {
  await page.waitForFunction(() => /^Saved/.test(document.querySelector(".saving")?.textContent?.trim() ?? ""));
}

test("a workflow is picked by its name, called, and its answer is there", async () => {
  const page = await openPage(browser, { baseURL: towpath.url });
  await page.goto(towpath.setupPath);
  await page.fill("[name=name]", "Ada Lovelace");
  await page.fill("[name=email]", "ada@example.com");
  await page.fill("[name=password]", "analytical engine 1843");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/workflows");
  const csrf = await page.getAttribute('meta[name="csrf-token"]', "content");
  const post = async (path, data) => {
    const answer = await page.request.post(path, { headers: { "x-csrf-token": csrf }, data });
    assert.ok(answer.ok(), `${path}: ${await answer.text()}`);
    return answer.json();
  };
  const callee = await post("/api/v1/workflows", {
    document: {
      towpath: 1, name: "Work out the price",
      trigger: { id: "trigger", use: "called", input: { inputs: [{ name: "amount", label: "Amount", kind: "number", required: true }] } },
      steps: [{ id: "give", use: "respond", input: { status: 200, kind: "json", json: { total: "{{ trigger.body.amount * 3 }}" } } }],
    },
  });
  await post(`/api/v1/workflows/${callee.id}/publish`, {});

  await page.goto("/workflows");
  await page.click('button:has-text("New workflow")');
  await page.click('button.choice:has-text("Start from nothing")');
  await page.waitForURL(/\/workflows\/[0-9a-f-]{36}/);
  await page.waitForSelector("tp-picker input");
  await page.click('.pick:has-text("Run")');
  await page.waitForSelector("[data-continue]");
  await page.click("[data-continue]");
  await page.waitForSelector("tp-picker input");
  await page.fill("tp-picker input", "call workflow");
  await page.click('.pick:has-text("Call another workflow")');
  const workflow = page.locator('[data-field="workflow"] input[role=combobox]');
  await workflow.click();
  await page.click('[data-field="workflow"] [role=option]:has-text("Work out the price")');
  assert.equal(await workflow.inputValue(), "Work out the price");
  await page.locator('[data-field="inputs"] .pair-name').first().fill("amount");
  await page.locator('[data-field="inputs"] .text-box').first().click();
  await page.keyboard.type("14");
  await saved(page);
  await fine(page, "calls-builder");
  await page.setViewportSize({ width: 390, height: 844 });
  await fine(page, "calls-builder-390");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.waitForSelector('.publish[aria-disabled="false"]');
  await page.click(".publish");
  await page.waitForFunction(() => /v1 runs/.test(document.querySelector(".state")?.textContent ?? ""));

  const id = page.url().match(/[0-9a-f-]{36}/)[0];
  const { run } = await post(`/api/v1/workflows/${id}/run`, {});
  await page.goto(`/runs/${run}`);
  await page.waitForSelector(".badge:has-text('succeeded')");
  assert.match(await page.textContent("main"), /"total": 42/);
  await fine(page, "calls-run");
  await page.click("text=The run that it called");
  await page.waitForSelector("text=Called by");
  assert.match(await page.textContent("main"), /Work out the price/);
  await fine(page, "calls-called");
  await page.click("text=a run of another workflow");
  await page.waitForURL(`**/runs/${run}`);
  assert.deepEqual(page.complaints, []);
});
