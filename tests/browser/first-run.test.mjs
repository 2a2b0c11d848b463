// What a new user does: makes the owner's account, builds a workflow by clicking, publishes it, sends a form, sees it run.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessibilityIssues, openBrowser, openPage } from "./browser.mjs";
import { startMailServer, startReceiver, until } from "./receivers.mjs";
import { Towpath, networkAddress } from "./towpath.mjs";

const OWNER = { name: "Ada Lovelace", email: "ada@example.com", password: "analytical engine 1843" };
let browser, mail, receiver;

before(async () => {
  browser = await openBrowser();
  mail = await startMailServer();
  receiver = await startReceiver();
});

after(async () => {
  await browser?.close();
  await mail?.stop();
  await receiver?.stop();
});

/** A server of its own for a test, ended whatever happens. */
async function withServer(use, environment = {}) {
  const towpath = await Towpath.start({ TOWPATH_SMTP_URL: mail.url, ...environment });
  try {
    await use(towpath);
  } finally {
    await towpath.stop();
  }
}

async function makeOwner(page, towpath, base = towpath.url) {
  await page.goto(base + towpath.setupPath);
  await page.fill("[name=name]", OWNER.name);
  await page.fill("[name=email]", OWNER.email);
  await page.fill("[name=password]", OWNER.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/workflows");
}

/** Waits until the builder says that everything is saved. */
async function saved(page) {
  await page.waitForFunction(() => /^Saved/.test(document.querySelector(".saving")?.textContent?.trim() ?? ""));
}

async function focusIs(page, selector) {
  await page.waitForFunction((wanted) => document.activeElement?.closest(wanted) !== null, selector);
}

/** Builds form → branch (HTTP call) → mail by mouse, typing only texts, and publishes it. */
async function buildByClicking(page, callTo) {
  await page.click("text=Start from nothing");
  await page.waitForSelector("tp-picker input");
  await page.click('.pick:has-text("form")');
  await page.waitForSelector("[data-continue]");
  await page.click("[data-continue]");
  await page.click('.pick:has-text("Branch")');
  await page.waitForSelector(".data-leaf");
  // A condition that nobody filled in decides nothing.
  await page.waitForSelector('.publish[aria-disabled="true"]');
  await page.click('.data-leaf:has(.data-key:text-is("message"))');
  await page.keyboard.press("Enter");
  await page.keyboard.type("contains");
  await page.keyboard.press("Tab");
  await page.keyboard.type("offer");
  await saved(page);
  await page.click("[data-continue]");
  await page.click('.pick:has-text("HTTP")');
  await focusIs(page, "tp-field, .field");
  await page.keyboard.type(callTo);
  await saved(page);
  await page.click("[data-continue]");
  await page.click('.pick:has-text("mail")');
  await page.waitForSelector(".data-leaf");
  await page.click('.data-leaf:has(.data-key:text-is("email"))');
  await page.keyboard.press("Enter");
  await page.keyboard.type("Thank you");
  await page.keyboard.press("Enter");
  await page.keyboard.type("We have your message and will answer soon.");
  await saved(page);
  await page.waitForSelector('.publish[aria-disabled="false"]');
  await page.click(".publish");
  await page.waitForFunction(() => /v1 runs/.test(document.querySelector(".state")?.textContent ?? ""));
}

/** The public address of the form. */
async function formAddress(page) {
  await page.locator(".panel-body").evaluate((body) => body.scrollTo(0, body.scrollHeight));
  await page.click('[data-step="trigger"]');
  // Its address is the first thing there, however far down the panel before was read.
  await page.waitForFunction(() => {
    const [body, address] = [".panel-body", ".copy-text"].map((it) => document.querySelector(it)?.getBoundingClientRect());
    return body && address && address.top >= body.top && address.bottom < innerHeight / 2;
  });
  return until("the form's address is shown", async () => {
    const texts = await page.locator(".copy-text").allTextContents();
    return texts.find((it) => it.includes("/forms/"))?.trim();
  });
}

async function sendForm(address) {
  const visitor = await openPage(browser, { width: 390, height: 844 });
  await visitor.goto(address);
  await visitor.fill("[name=name]", "Grace Hopper");
  await visitor.fill("[name=email]", "grace@example.com");
  await visitor.fill("[name=message]", "Please send an offer.");
  // A person takes longer than a robot, and the page can tell.
  await visitor.waitForTimeout(3_200);
  await visitor.click("form button");
  await visitor.waitForURL("**/sent*");
  assert.deepEqual(visitor.complaints, []);
  await visitor.context().close();
}

test("a new user builds a form workflow by clicking, and sees the first real run on the same screen", async () => {
  await withServer(async (towpath) => {
    const page = await openPage(browser, { baseURL: towpath.url });
    await makeOwner(page, towpath);
    const before = await page.presses();
    await buildByClicking(page, `${receiver.url}/offers`);
    const presses = (await page.presses()) - before;
    assert.ok(presses <= 15, `${presses} clicks from the account to a published workflow`);

    const address = await formAddress(page);
    await sendForm(address);
    await until("the HTTP call arrives", () => receiver.arrived.find((it) => it.path.startsWith("/offers")));
    const sent = await until("the mail arrives", () => mail.mails.find((it) => it.to.includes("grace@example.com")));
    assert.match(sent.text, /Subject: Thank you/);
    await page.waitForFunction(() => /succeeded/i.test(document.querySelector(".run-banner")?.textContent ?? ""));

    await page.goto("/runs");
    await page.click(".runs-table a");
    await page.waitForSelector(".run-picture");
    assert.match(await page.textContent("h1"), /succeeded/);
    await page.click('.run-picture a:has-text("mail")');
    assert.match(await page.locator("details.step-card[open]").last().textContent(), /grace@example\.com/);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
});

test("the same is built by keyboard alone", async () => {
  await withServer(async (towpath) => {
    const page = await openPage(browser, { baseURL: towpath.url });
    const key = page.keyboard;
    const pick = async (word) => {
      await page.waitForSelector("tp-picker input");
      await focusIs(page, "tp-picker");
      await key.type(word);
      await page.waitForFunction((word) => document.querySelector('.pick[aria-selected="true"]')?.textContent.toLowerCase().includes(word), word);
      await key.press("Enter");
      await page.waitForSelector("tp-picker", { state: "detached" });
    };
    const insert = async (word) => {
      await key.press("Control+Space");
      await page.waitForFunction(() => document.activeElement?.matches('[type="search"]'));
      await key.type(word);
      await page.waitForFunction((word) => [...document.querySelectorAll(".data-key")].every((it) => it.textContent.includes(word)), word);
      await key.press("Enter");
      await page.waitForFunction(() => !document.activeElement?.matches('[type="search"]'));
    };
    await makeOwner(page, towpath);
    await page.waitForFunction(() => document.activeElement?.closest("main"));
    for (let step = 0; step < 6; step++) {
      if (await page.evaluate(() => /nothing/i.test(document.activeElement?.textContent ?? ""))) break;
      await key.press("Tab");
    }
    await key.press("Enter");
    await pick("form");
    await page.waitForSelector(".panel");
    await saved(page);
    await key.press("Control+Enter");
    await pick("branch");
    await focusIs(page, ".panel");
    await insert("message");
    await key.press("Enter");
    await key.type("contains");
    await key.press("Tab");
    await key.type("offer");
    await saved(page);
    await key.press("Control+Enter");
    await pick("http");
    await focusIs(page, ".panel");
    await key.type(`${receiver.url}/keys`);
    await saved(page);
    await key.press("Control+Enter");
    await pick("mail");
    await focusIs(page, ".panel");
    await insert("email");
    await key.press("Enter");
    await key.type("Hello");
    await key.press("Enter");
    await key.type("Thank you.");
    await saved(page);
    await page.waitForSelector('.publish[aria-disabled="false"]');
    for (let step = 0; step < 80; step++) {
      await key.press("Tab");
      if (await page.evaluate(() => document.activeElement?.matches(".publish"))) break;
    }
    await key.press("Enter");
    await page.waitForFunction(() => /v1 runs/.test(document.querySelector(".state")?.textContent ?? ""));
    assert.equal(await page.presses(), 0, "not one pointer press");
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
});

test("somebody on the network signs in over plain http, and is told that it is not private", async (t) => {
  const address = networkAddress();
  if (!address) return t.skip("this machine has no address besides loopback");
  await withServer(async (towpath) => {
    const base = `http://${address}:${towpath.port}`;
    const page = await openPage(browser, { baseURL: base });
    await makeOwner(page, towpath, base);
    assert.match(await page.textContent("body"), /clear/i, "a banner says that passwords travel in clear");
    // The whole road, without what browsers keep for https.
    await buildByClicking(page, `${receiver.url}/network`);
    const form = await formAddress(page);
    assert.ok(form.startsWith(base), form);
    await sendForm(form);
    await until("the HTTP call arrives", () => receiver.arrived.find((it) => it.path.startsWith("/network")));
    await page.waitForFunction(() => /succeeded/i.test(document.querySelector(".run-banner")?.textContent ?? ""));
    await page.goto("/");
    await page.click(".menu summary");
    await page.click('button:has-text("Sign out")');
    await page.waitForURL("**/sign-in*");
    await page.fill("[name=email]", OWNER.email);
    await page.fill("[name=password]", OWNER.password);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => !location.pathname.startsWith("/sign-in"));
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
});

/** Calls the addresses that the builder uses, as the signed-in person. */
async function caller(page) {
  const csrf = await page.getAttribute("meta[name=csrf-token]", "content");
  return (path, body) =>
    page.evaluate(
      async ([path, body, csrf]) => {
        const headers = { "content-type": "application/json", "x-csrf-token": csrf };
        const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
        if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
        return answer.json();
      },
      [path, body, csrf],
    );
}

test("an effect whose outcome nobody knows asks on the open page, and the run goes on as decided", async () => {
  const cutting = await startReceiver(() => new Promise(() => {}));
  await withServer(async (towpath) => {
    const page = await openPage(browser, { baseURL: towpath.url });
    await makeOwner(page, towpath);
    const call = await caller(page);
    const workflow = await call("/api/v1/workflows", { name: "Pay the bill" });
    await call(`/api/v1/workflows/${workflow.id}/edits`, {
      base: workflow.revision ?? 0,
      operations: [
        { op: "set_trigger", trigger: { use: "manual" } },
        { op: "add_step", at: { index: 0 }, step: { id: "pay", use: "http.request", input: { method: "POST", url: `${cutting.url}/pay`, body_kind: "none" } } },
        { op: "add_step", at: { index: 1 }, step: { id: "note", use: "set", input: { fields: { done: "yes" } } } },
      ],
    });
    await call(`/api/v1/workflows/${workflow.id}/publish`, {});
    const { run } = await call(`/api/v1/workflows/${workflow.id}/run`, {});
    await page.goto(`/runs/${run}`);
    await until("the call is under way", () => cutting.arrived.length === 1);
    cutting.cut();
    await page.waitForSelector(".decision");
    await page.click('button:has-text("It went through")');
    await page.waitForFunction(() => /succeeded/.test(document.querySelector("h1")?.textContent ?? ""));
    assert.equal(cutting.arrived.length, 1, "nothing was sent again");
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
  await cutting.stop();
});

test("kill -9 in the middle of a run, and the page shows it going on after the next start", async () => {
  let answer;
  const slow = await startReceiver(() => new Promise((done) => (answer = () => done({ status: 200, body: {} }))));
  await withServer(async (towpath) => {
    const page = await openPage(browser, { baseURL: towpath.url });
    await makeOwner(page, towpath);
    const call = await caller(page);
    const workflow = await call("/api/v1/workflows", { name: "Slow" });
    const put = (id) => ({ id, use: "http.request", input: { method: "PUT", url: `${slow.url}/${id}`, body_kind: "none" } });
    await call(`/api/v1/workflows/${workflow.id}/edits`, {
      base: workflow.revision ?? 0,
      operations: [
        { op: "set_trigger", trigger: { use: "manual" } },
        { op: "add_step", at: { index: 0 }, step: put("one") },
        { op: "add_step", at: { index: 1 }, step: put("two") },
      ],
    });
    await call(`/api/v1/workflows/${workflow.id}/publish`, {});
    const { run } = await call(`/api/v1/workflows/${workflow.id}/run`, {});
    await until("the first call is under way", () => slow.arrived.length === 1);
    await page.goto(`/runs/${run}`);
    assert.match(await page.textContent("h1"), /running/);
    await towpath.kill();
    await towpath.boot();
    await until("the call is repeated with the same key", () => slow.arrived.length === 2);
    assert.equal(slow.arrived[0].headers["idempotency-key"], slow.arrived[1].headers["idempotency-key"]);
    answer();
    await until("the second step is reached", () => slow.arrived.some((it) => it.path === "/two"));
    answer();
    await page.reload();
    await page.waitForFunction(() => /succeeded/.test(document.querySelector("h1")?.textContent ?? ""));
    await page.context().close();
  });
  await slow.stop();
});

/** A workflow with a branch whose only run failed; returns the path of that run's page. */
async function aFailedRun(page, towpath) {
  const csrf = await page.getAttribute('meta[name="csrf-token"]', "content");
  const api = async (method, path, data) => {
    const answer = await page.request.fetch(towpath.url + path, { method, data, headers: { "x-csrf-token": csrf } });
    assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
    return answer.json();
  };
  const { id, revision } = await api("POST", "/api/v1/workflows", { name: "Fails in a lane" });
  const condition = { all: [{ value: "{{ trigger.body.total }}", is: "greater_than", to: 1 }] };
  const stop = { id: "stop", use: "stop", input: { outcome: "failed", reason: `There is no stock of ${"x".repeat(80)}.` } };
  const operations = [
    { op: "set_trigger", trigger: { use: "webhook" } },
    { op: "add_step", at: { index: 0 }, step: { id: "big", use: "branch", cases: [{ title: "big", if: condition, steps: [stop] }] } },
  ];
  await api("POST", `/api/v1/workflows/${id}/edits`, { base: revision ?? 0, operations });
  await api("POST", `/api/v1/workflows/${id}/publish`, {});
  const { url } = await api("GET", `/api/v1/workflows/${id}/trigger`);
  const { run } = await (await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: '{"total":5}' })).json();
  return `/runs/${run}`;
}

test("every screen passes an automatic accessibility check, wide and narrow, light and dark", async () => {
  await withServer(async (towpath) => {
    const first = await openPage(browser, { baseURL: towpath.url });
    await makeOwner(first, towpath);
    await first.click("text=Contact form");
    await first.waitForURL("**/workflows/*");
    const workflow = new URL(first.url()).pathname;
    const run = await aFailedRun(first, towpath);
    const cookies = await first.context().storageState();
    await first.context().close();
    const found = [];
    for (const [width, height] of [[1440, 900], [390, 844]]) {
      for (const dark of [false, true]) {
        const page = await openPage(browser, { width, height, dark, baseURL: towpath.url, storageState: cookies });
        for (const path of ["/", "/workflows", "/runs", "/settings", "/settings/workspace", "/help", run, workflow, `${workflow}#`]) {
          await page.goto(path);
          if (path.startsWith(workflow)) await page.waitForSelector('[data-step="trigger"]');
          // The same page again, with the panel of its step and the data to map from.
          if (path.endsWith("#")) await page.click('[data-step]:not([data-step="trigger"])');
          const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
          if (wide) found.push(`${path} at ${width}: wider than the screen`);
          for (const issue of await accessibilityIssues(page)) found.push(`${path} at ${width}${dark ? " dark" : ""}: ${issue}`);
        }
        assert.deepEqual(page.complaints, []);
        await page.context().close();
      }
    }
    assert.deepEqual(found, []);
  });
});
