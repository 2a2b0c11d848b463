// A person who knows spreadsheets: a table from a CSV file, mended where it is wrong, filled by a workflow, edited by hand.
import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessibilityIssues, openBrowser, openPage } from "./browser.mjs";
import { until } from "./receivers.mjs";
import { Towpath } from "./towpath.mjs";

let browser, towpath, folder;

before(async () => {
  browser = await openBrowser();
  towpath = await Towpath.start();
  folder = await mkdtemp(join(tmpdir(), "towpath-tables-"));
});

after(async () => {
  await browser?.close();
  await towpath?.stop();
});

async function file(name, text) {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const sound = async (page) => assert.deepEqual(await accessibilityIssues(page), []);

test("a table is made from a file, mended, filled by a workflow, and read by it", async () => {
  const page = await openPage(browser, { baseURL: towpath.url });
  await page.goto(towpath.setupPath);
  await page.fill("[name=name]", "Ada Lovelace");
  await page.fill("[name=email]", "ada@example.com");
  await page.fill("[name=password]", "analytical engine 1843");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/workflows");

  // The table, with its columns and rows, from what a spreadsheet saved. Its umlauts are of an old kind.
  await page.click("header nav >> text=Tables");
  await sound(page);
  await page.click("text=New table");
  await page.fill("#name", "Customers");
  const bytes = Buffer.from("Customer e-mail;City;Spent;Member\r\nada@example.com;K\u00f6ln;12,5;yes\r\n", "latin1");
  await writeFile(join(folder, "old.csv"), bytes);
  await page.setInputFiles("#file", join(folder, "old.csv"));
  await page.waitForFunction(() => document.querySelector("#csv").value.includes("Köln"));
  await sound(page);
  await page.click("text=Make the table");
  await page.waitForSelector("td:has-text('Köln')");
  await sound(page);

  // The e-mail address tells customers apart; how much they spent is a number.
  await page.click("text=Columns");
  await page.check("[name=key-0]");
  await page.check("[name=remove-2]");
  await page.fill("section:last-of-type [name=column]", "Total");
  await page.selectOption("section:last-of-type [name=kind]", "number");
  await sound(page);
  await page.click("text=Save");
  await page.waitForSelector("th:has-text('Total')");
  await page.waitForSelector("th:has-text('Customer e-mail') .badge");

  // A file with mistakes says which lines, and changes nothing.
  await page.click("text=Import");
  await page.setInputFiles("#file", await file("wrong.csv", "Customer e-mail,City,Total,Phone\nbob@example.com,Oslo,10,1\n,Rome,20,2\ncyd@example.com,Rome,many,3\n"));
  await page.click("text=Look at it");
  await page.waitForSelector("text=2 things are wrong with this file");
  await page.waitForSelector('.row-item:has-text("line 3"):has-text("is empty, and it is part of the table")');
  await page.waitForSelector('.row-item:has-text("line 4"):has-text("takes a number")');
  await sound(page);
  await page.setInputFiles("#file", await file("right.csv", "Customer e-mail,City,Total,Phone\nbob@example.com,Oslo,10,1\nada@example.com,Bonn,99.5,2\n"));
  await page.check("[name=upsert]");
  await page.click("text=Look at it");
  await page.waitForSelector("text=2 rows can be read. Nothing is imported yet.");
  await page.waitForSelector("text=The table has no column for Phone");
  await sound(page);
  await page.click("button:has-text('Import 2 rows')");
  await page.waitForSelector("td:has-text('Bonn')");
  assert.equal(await page.locator("tbody tr").count(), 2);

  // Filtered, and edited by hand.
  await page.selectOption("[name=column]", "Total");
  await page.selectOption("[name=is]", "greater_than");
  await page.fill("[name=to]", "50");
  await page.click("text=Show >> nth=0");
  await page.waitForSelector("text=1 row of 2 rows");
  await page.click("tbody a");
  await page.fill("input[id^=f_]:below(label:has-text('Total')) >> nth=0", "a lot");
  await page.click("text=Save");
  await page.waitForSelector(".error:has-text('takes a number')");
  await sound(page);
  await page.fill("[aria-invalid=true]", "120");
  await page.click("text=Save");
  await page.waitForSelector("td:has-text('120')");

  // A workflow writes into it: the columns are the form's fields.
  await page.goto("/workflows");
  await page.click("text=Start from nothing");
  await page.click('.pick:has-text("When a request arrives")');
  const hook = await until("the webhook's address is shown", async () => (await page.locator(".copy-text").allTextContents()).find((it) => it.includes("/hooks/"))?.trim());
  await fetch(hook, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ mail: "dee@example.com", city: "Oslo" }) });
  await page.click("[data-continue]");
  await page.fill("tp-picker input", "upsert");
  await page.click('.pick:has-text("Add or change rows of a data table")');
  await page.selectOption('[data-field="table"] select', { label: "Customers" });
  const put = async (column, leaf) => {
    await page.click(`[data-column="${column}"] .text-box`);
    await page.click(`.data-leaf:has(.data-key:text-is("${leaf}"))`);
  };
  await put("Customer e-mail", "mail");
  await put("City", "city");
  await page.click('[data-column="Total"] .text-box');
  await page.keyboard.type("7");
  await page.waitForFunction(() => /^Saved/.test(document.querySelector(".saving")?.textContent?.trim() ?? ""));
  await sound(page);
  // And finds in it, by a column that is chosen.
  await page.click("[data-continue]");
  await page.fill("tp-picker input", "find rows");
  await page.click('.pick:has-text("Find rows of a data table")');
  await page.selectOption('[data-field="table"] select', { label: "Customers" });
  await page.selectOption('[aria-label="Column 1"]', "City");
  await page.click('[data-field="where"] .text-box');
  await page.keyboard.type("Oslo");
  await page.waitForFunction(() => /^Saved/.test(document.querySelector(".saving")?.textContent?.trim() ?? ""));
  await sound(page);
  await page.click("text=Test this step");
  await until("the test shows what was found", async () => /bob@example\.com/.test((await page.textContent("tp-trial")) ?? ""));
  await page.click("button:has-text('Publish')");
  await until("it is published", async () => (await page.locator(".publish:has-text('Published')").count()) > 0);
  await fetch(hook, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ mail: "dee@example.com", city: "Oslo" }) });
  await page.goto("/tables");
  await page.click("text=Customers");
  await until("the workflow's row is there", async () => {
    await page.reload();
    return (await page.locator("td:has-text('dee@example.com')").count()) === 1;
  });
  await page.waitForSelector("text=Used by");
  // What was refused on purpose is said by the browser as well.
  assert.deepEqual(page.complaints.filter((it) => !it.includes("422")), []);
  await page.context().close();
});
