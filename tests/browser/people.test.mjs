// A colleague is invited by link: she sees what her role may and nothing else, is promoted, is removed.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessibilityIssues, openBrowser, openPage } from "./browser.mjs";
import { startMailServer, until } from "./receivers.mjs";
import { Towpath } from "./towpath.mjs";

const OWNER = { name: "Ada Lovelace", email: "ada@example.com", password: "analytical engine 1843" };
const COLLEAGUE = { name: "Grace Hopper", email: "grace@example.com", password: "nanoseconds of wire 1906" };
let browser, mail;

before(async () => {
  browser = await openBrowser();
  mail = await startMailServer();
});

after(async () => {
  await browser?.close();
  await mail?.stop();
});

/** Keeps a picture where TOWPATH_PICTURES says, for whoever looks at the screens. */
async function picture(page, name) {
  const folder = process.env.TOWPATH_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

async function fits(page) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `the page is ${over} px wider than the screen`);
}

async function fine(page, name) {
  // A toast that is fading in has the contrast of nothing in particular.
  for (const toast of await page.locator("[data-toast] [data-dismiss]").all()) await toast.click();
  await page.waitForFunction(() => !document.querySelector("[data-toast]"));
  await fits(page);
  assert.deepEqual(await accessibilityIssues(page), [], name);
  await picture(page, name);
}

async function makeOwner(page, towpath) {
  await page.goto(towpath.url + towpath.setupPath);
  await page.fill("[name=name]", OWNER.name);
  await page.fill("[name=email]", OWNER.email);
  await page.fill("[name=password]", OWNER.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/workflows");
}

/** What she types into the address bar and what comes back. */
async function statusOf(page, path) {
  return (await page.goto(path)).status();
}

for (const { width, height, dark } of [{ width: 1440, height: 900, dark: false }, { width: 390, height: 844, dark: true }]) {
  test(`a colleague invited by link sees what her role may and nothing else (${width} px)`, async () => {
    const towpath = await Towpath.start({ TOWPATH_SMTP_URL: mail.url });
    const name = (it) => `people-${width}-${it}`;
    try {
      const ada = await openPage(browser, { baseURL: towpath.url, width, height, dark });
      await makeOwner(ada, towpath);
      await ada.click("text=Start from nothing");
      await ada.waitForURL(/workflows\/[0-9a-f-]+$/);
      const workflow = new URL(ada.url()).pathname;

      await ada.goto("/settings/members");
      await fine(ada, name("members-alone"));
      await ada.fill("[name=email]", COLLEAGUE.email);
      await ada.check("[name=role][value=viewer]");
      await ada.click("text=Make the invitation");
      const link = await ada.inputValue("#the-link");
      assert.match(link, /\/invitations\/[\w-]{43}$/);
      await fine(ada, name("invited"));
      const mailed = await until("the link is mailed", () => mail.mails.find((it) => it.to.includes(COLLEAGUE.email)));
      assert.match(mailed.text, /Ada Lovelace invites you/);

      const grace = await openPage(browser, { baseURL: towpath.url, width, height, dark });
      await grace.goto(link);
      assert.match(await grace.textContent("main"), /Ada Lovelace invites you to the workspace Home as viewer/);
      await fine(grace, name("invitation"));
      await grace.fill("[name=name]", COLLEAGUE.name);
      await grace.fill("[name=password]", COLLEAGUE.password);
      await grace.click("text=Make the account and join");
      await grace.waitForURL("**/workflows*");
      await fine(grace, name("viewer-workflows"));
      for (const hidden of ['button:has-text("New workflow")', "text=Rename", "text=Duplicate", "text=Delete …"]) {
        assert.equal(await grace.locator(hidden).count(), 0, `${hidden} is there for a viewer`);
      }
      await grace.click("header .menu summary");
      const menu = await grace.textContent("header .menu-items");
      assert.doesNotMatch(menu, /Members|Workspace settings|This instance/);
      for (const path of ["/settings/members", "/settings/workspace", "/settings/instance", "/settings/workspace/delete"]) {
        assert.equal(await statusOf(grace, path), 403, path);
      }
      await fine(grace, name("forbidden"));
      assert.equal(await statusOf(grace, "/runs"), 200);
      assert.equal(await statusOf(grace, workflow), 200);
      await grace.waitForSelector("tp-builder, .builder, main");
      await picture(grace, name("viewer-builder"));
      assert.equal(await grace.locator(".publish").count(), 0, "a viewer publishes nothing");

      await ada.goto("/settings/members");
      await ada.selectOption(`li:has-text("${COLLEAGUE.email}") select`, "builder");
      await ada.waitForSelector("text=The role was changed.");
      await fine(ada, name("promoted"));
      await grace.goto("/workflows");
      await grace.click('button:has-text("New workflow")');
      await grace.click('dialog[open] >> text=Start from nothing');
      await grace.waitForURL(/workflows\/[0-9a-f-]+$/);
      await grace.waitForSelector("tp-picker input");

      await ada.click(`li:has-text("${COLLEAGUE.email}") >> text=Remove …`);
      await ada.waitForURL("**/remove");
      await fine(ada, name("remove"));
      await ada.click("button:has-text('Remove')");
      await ada.waitForSelector("text=The member was removed.");
      assert.equal(await ada.locator(`text=${COLLEAGUE.email}`).count(), 0);
      await grace.goto("/workflows");
      assert.match(grace.url(), /\/sign-in/, "out at once");

      await grace.goto(link);
      assert.match(await grace.textContent("h1"), /does not work/);
      await fine(grace, name("void"));

      await ada.goto("/settings/instance");
      await fine(ada, name("instance"));
      await ada.goto("/settings/workspace");
      await fine(ada, name("workspace"));
      await ada.goto("/settings/workspace/delete");
      await fine(ada, name("delete-workspace"));
      await ada.goto("/settings");
      await fine(ada, name("account"));

      // Refused requests are the point of this test; a browser reports each of them.
      const surprises = (page) => page.complaints.filter((it) => !/status of (401|403|404)/.test(it));
      assert.deepEqual(surprises(ada), []);
      assert.deepEqual(surprises(grace), []);
      // The link is a key: the log names the route, not the address.
      assert.ok(!towpath.log.includes(link.split("/").pop()), "the secret of the link is in the log");
      await ada.context().close();
      await grace.context().close();
    } finally {
      await towpath.stop();
    }
  });
}
