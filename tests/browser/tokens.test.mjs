// A token is made in the browser, shown once, used by a program, and taken back; the reference of the API says what it opens.
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

async function picture(page, name) {
  const folder = process.env.TOWPATH_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

async function fine(page, name) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${name} is ${over} px wider than the screen`);
  assert.deepEqual(await accessibilityIssues(page), [], name);
  await picture(page, name);
}

/** What a program hears. */
async function asProgram(token, path, init = {}) {
  const answer = await fetch(towpath.url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  return { status: answer.status, headers: answer.headers, body: await answer.json().catch(() => undefined) };
}

test("a token is shown once, opens what it is for, and nothing once it is taken back", async () => {
  const ada = await openPage(browser, { baseURL: towpath.url });
  await ada.goto(towpath.setupPath);
  await ada.fill("[name=name]", "Ada Lovelace");
  await ada.fill("[name=email]", "ada@example.com");
  await ada.fill("[name=password]", "analytical engine 1843");
  await ada.keyboard.press("Enter");
  await ada.waitForURL("**/workflows");
  const signedIn = await ada.context().storageState();

  const tokens = [];
  for (const { width, height, dark } of [{ width: 1440, height: 900, dark: false }, { width: 390, height: 844, dark: true }]) {
    const page = await openPage(browser, { baseURL: towpath.url, width, height, dark, storageState: signedIn });
    const name = (it) => `tokens-${width}-${it}`;
    await page.goto("/settings/tokens");
    await fine(page, name("form"));
    await page.fill("[name=name]", `Nightly export ${width}`);
    for (const box of await page.locator("[name=scope]").all()) await box.uncheck();
    await page.check("[name=scope][value=read]");
    await page.click("text=Make the token");
    const token = await page.inputValue("#the-link");
    assert.match(token, /^tp_[0-9a-f]{8}_[\w-]{43}$/);
    tokens.push(token);
    await fine(page, name("made"));

    const me = await asProgram(token, "/api/v1/me");
    assert.deepEqual([me.status, me.body.email], [200, "ada@example.com"]);
    const make = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ name: "By a program" }) };
    const refused = await asProgram(token, "/api/v1/workflows", make);
    assert.deepEqual([refused.status, refused.body.code], [403, "forbidden"], "it is for reading");

    await page.goto("/settings/tokens");
    assert.ok(!(await page.content()).includes(token), "it is shown once");
    await page.click(`[aria-label="Take back the token Nightly export ${width}"]`);
    await page.waitForSelector(`li:has-text("Nightly export ${width}")`, { state: "detached" });
    const gone = await asProgram(token, "/api/v1/me");
    assert.deepEqual([gone.status, gone.body.code], [401, "not-signed-in"]);
    assert.match(gone.headers.get("www-authenticate"), /^Bearer/);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  }
  assert.notEqual(tokens[0], tokens[1]);
});

for (const { width, height, dark } of [{ width: 1440, height: 900, dark: false }, { width: 390, height: 844, dark: true }]) {
  test(`the reference of the API leads to each operation (${width} px)`, async () => {
    const page = await openPage(browser, { baseURL: towpath.url, width, height, dark });
    await page.goto("/help/api");
    const document = await fetch(`${towpath.url}/api/openapi.json`).then((answer) => answer.json());
    const count = Object.values(document.paths).reduce((sum, path) => sum + Object.keys(path).length, 0);
    assert.equal(await page.locator("details.operation").count(), count, "every operation of the document is there");
    await fine(page, `reference-${width}-closed`);

    // The list of chapters stands beside the text where there is room for it, and else between the introduction and the first chapter.
    const chapters = await page.locator('nav[aria-label="Chapters"]').boundingBox();
    const title = await page.locator("h1").boundingBox();
    assert.ok(width > 760 ? chapters.x + chapters.width <= title.x : chapters.y > title.y, JSON.stringify({ chapters, title }));
    await page.click('nav[aria-label="Chapters"] >> text=Connections');
    assert.equal(new URL(page.url()).hash, "#connections");
    await page.waitForFunction(() => Math.abs(window.document.getElementById("connections").getBoundingClientRect().top) < innerHeight);
    const connect = page.locator("#post_connections");
    await connect.locator("summary").click();
    const text = await connect.innerText();
    for (const word of ["Idempotency-Key", "fields.token", "the-token-of-the-shop", "Answer 201", "May be refused with 400"]) {
      assert.ok(text.includes(word), `${word} is not in\n${text}`);
    }
    await connect.scrollIntoViewIfNeeded();
    await fine(page, `reference-${width}-open`);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
}
