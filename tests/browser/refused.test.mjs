// A service stops taking a connection: the run waits and says so, a person enters the secret again, and the run goes on by itself.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessibilityIssues, openBrowser, openPage } from "./browser.mjs";
import { startReceiver, until } from "./receivers.mjs";
import { Towpath } from "./towpath.mjs";

const [OLD, NEW] = ["tok-4f2a9c1e77b05d36", "tok-9e61d70c2ab84f15"];
const VARIANTS = [1440, 390].flatMap((width) => [false, true].map((dark) => ({ width, height: 900, dark })));
let browser, receiver, towpath;

before(async () => {
  browser = await openBrowser();
  receiver = await startReceiver((it) =>
    it.headers.authorization === `Bearer ${NEW}` ? { status: 200, body: { ok: true } } : { status: 401, body: { error: "This token was revoked." } },
  );
  towpath = await Towpath.start();
});

after(async () => {
  await browser?.close();
  await towpath?.stop();
  await receiver?.stop();
});

/** The page in every size and colour: nothing hangs over, and everybody can read it. */
async function fine(storageState, path, name) {
  for (const variant of VARIANTS) {
    const page = await openPage(browser, { ...variant, baseURL: towpath.url, storageState });
    await page.goto(path);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${name} is ${over} px wider than a screen of ${variant.width}`);
    assert.deepEqual(await accessibilityIssues(page), [], `${name} ${JSON.stringify(variant)}`);
    if (process.env.TOWPATH_PICTURES) {
      await mkdir(process.env.TOWPATH_PICTURES, { recursive: true });
      await page.screenshot({ path: join(process.env.TOWPATH_PICTURES, `${name}-${variant.width}-${variant.dark ? "dark" : "light"}.png`), fullPage: true });
    }
    await page.context().close();
  }
}

test("a run waits for its connection in sight of everybody, and goes on when the secret is entered again", async () => {
  const page = await openPage(browser, { baseURL: towpath.url });
  await page.goto(towpath.setupPath);
  await page.fill("[name=name]", "Ada Lovelace");
  await page.fill("[name=email]", "ada@example.com");
  await page.fill("[name=password]", "analytical engine 1843");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/workflows");
  const signedIn = await page.context().storageState();
  const csrf = await page.getAttribute('meta[name="csrf-token"]', "content");
  const post = async (path, data) => {
    const answer = await page.request.post(path, { headers: { "x-csrf-token": csrf }, data });
    assert.ok(answer.ok(), `${path}: ${await answer.text()}`);
    return answer.json();
  };
  const connection = await post("/api/v1/connections", {
    connector: "http", auth: "bearer", name: "CRM", fields: { token: OLD }, hosts: [new URL(receiver.url).host], sharing: "everybody",
  });
  const step = { id: "send", use: "http.request", connection: connection.id, input: { method: "POST", url: `${receiver.url}/orders` } };
  const document = { towpath: 1, name: "Send orders on", trigger: { id: "trigger", use: "manual" }, steps: [step] };
  const workflow = await post("/api/v1/workflows", { document });
  await post(`/api/v1/workflows/${workflow.id}/publish`, {});
  const { run } = await post(`/api/v1/workflows/${workflow.id}/run`, {});

  // The run's page moves by itself; from it one comes to the connection.
  await page.goto(`/runs/${run}`);
  await page.waitForSelector("text=Open the connection");
  await page.goto("/runs");
  assert.match(await page.textContent("main"), /waits for a connection/);
  await page.goto("/");
  assert.match(await page.textContent("main"), /“CRM” is refused by its service: one run waits for it/);
  await fine(signedIn, `/runs/${run}`, "refused-run");
  await fine(signedIn, "/", "refused-home");
  await fine(signedIn, `/connections/${connection.id}`, "refused-connection");

  const watched = await openPage(browser, { baseURL: towpath.url, storageState: signedIn });
  await watched.goto(`/runs/${run}`);
  await watched.waitForSelector("text=waits for its connection");
  await page.click(`a[href="/connections/${connection.id}"]`);
  await page.waitForSelector("text=One run waits for this connection");
  await page.fill("#f_token", NEW);
  await page.click("button.primary");
  await page.waitForURL(/done=saved/);
  await watched.waitForSelector(".badge:has-text('succeeded')");
  const taken = await until("the order arrives once", () => receiver.arrived.filter((it) => it.headers.authorization === `Bearer ${NEW}`));
  assert.equal(taken.length, 1);
  const keys = new Set(receiver.arrived.map((it) => it.headers["idempotency-key"]));
  assert.deepEqual([receiver.arrived.length, keys.size], [2, 1], "the same key again");
});
