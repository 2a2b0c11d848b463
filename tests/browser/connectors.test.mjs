// Connectors in the browser: the catalogue, and fields that offer what a service lists.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessibilityIssues, openBrowser, openPage } from "./browser.mjs";
import { Towpath } from "./towpath.mjs";

const OWNER = { name: "Ada Lovelace", email: "ada@example.com", password: "analytical engine 1843" };
const ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#386641"/></svg>';
const README = `# Shelf\n\nBooks on a shelf in this very test, so that a field has something to offer.\n\n## Connect\n\n1. There is nothing to sign in to.\n2. Choose a room, then one of its books.\n\n| what | why |\n|---|---|\n| no sign-in | it is a test |\n`;

const manifest = (port) => `towpath: 1
connector: { id: shelf, name: Shelf, version: 1.0.0, sentence: Books on a shelf, categories: [books], hosts: [127.0.0.1] }
http: { base: "http://127.0.0.1:${port}" }
actions:
  list_rooms: { internal: true, effect: read, get: /rooms, items: "{{ response.body.rooms }}" }
  list_books:
    internal: true
    effect: read
    input: { room: { title: Room, required: true } }
    get: /books
    query: { room: "{{ input.room }}" }
    items: "{{ response.body }}"
  lend:
    title: Lend a book
    sentence: Lend a book from the shelf
    help: Writes down that somebody has taken a book from the shelf.
    effect: unsafe
    input:
      room: { title: Room, required: true, pick: { from: list_rooms, value: "{{ item.id }}", label: "{{ item.name }}" }, accept_url: "/rooms/([a-z0-9]+)" }
      book: { title: Book, required: true, pick: { from: list_books, value: "{{ item.id }}", label: "{{ item.title }}", input: { room: "{{ input.room }}" } } }
    post: "/books/{{ input.book }}/lend"
    json: { room: "{{ input.room }}" }
    example: { room: r1, book: b1 }
    sample: { lent: true }
`;

let browser, service, connectors, towpath;

before(async () => {
  service = createServer((request, response) => {
    const url = new URL(request.url, "http://x");
    const answer = url.pathname === "/rooms" ? { rooms: [{ id: "r1", name: "Kitchen" }, { id: "r2", name: "Library" }] } : [{ id: "b1", title: `Tea in ${url.searchParams.get("room")}` }, { id: "b2", title: "Locks and canals" }];
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
  });
  await new Promise((done) => service.listen(0, "127.0.0.1", done));
  connectors = await mkdtemp(join(tmpdir(), "towpath-shelf-"));
  await mkdir(join(connectors, "shelf"));
  await writeFile(join(connectors, "shelf/connector.yaml"), manifest(service.address().port));
  await writeFile(join(connectors, "shelf/icon.svg"), ICON);
  await writeFile(join(connectors, "shelf/README.md"), README);
  browser = await openBrowser();
  towpath = await Towpath.start({ TOWPATH_CONNECTORS: connectors });
});

after(async () => {
  await towpath?.stop();
  await browser?.close();
  service?.close();
  if (connectors) await rm(connectors, { recursive: true });
});

async function shot(page, name) {
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`) });
}

test("a person finds a connector, picks from what its service lists, and needs no id", async () => {
  const page = await openPage(browser, { baseURL: towpath.url });
  await page.goto(towpath.setupPath);
  await page.fill("[name=name]", OWNER.name);
  await page.fill("[name=email]", OWNER.email);
  await page.fill("[name=password]", OWNER.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/workflows");

  await page.goto("/connectors");
  await page.fill("input[type=search]", "lend a book");
  assert.deepEqual(await page.locator(".connector-card:visible strong").allTextContents(), ["Shelf"]);
  await page.fill("input[type=search]", "");
  await shot(page, "catalogue");
  assert.deepEqual(await accessibilityIssues(page), []);
  await page.click('.connector-card:has-text("Slack")');
  await page.click("summary:has-text('Send a message to a channel')");
  await shot(page, "slack");
  assert.deepEqual(await accessibilityIssues(page), []);

  await page.goto("/workflows");
  await page.click("text=Start from nothing");
  await page.waitForSelector("tp-picker input");
  await page.click('.pick:has-text("Manual")');
  await page.waitForSelector("[data-continue]");
  await page.click("[data-continue]");
  await page.waitForSelector("tp-picker input");
  await shot(page, "picker");
  await page.fill("tp-picker input", "lend");
  await page.keyboard.press("Enter");

  // By keyboard: the list opens, the arrows walk it, Enter takes; the label is shown and the id kept.
  const room = page.locator('[data-field="room"] input[role=combobox]');
  await room.click();
  await page.waitForSelector('[data-field="room"] [role=option]');
  await shot(page, "options");
  assert.deepEqual(await accessibilityIssues(page), []);
  await room.fill("lib");
  assert.deepEqual(await page.locator('[data-field="room"] [role=option] .grow').allTextContents(), ["Library"]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await room.inputValue(), "Library");

  // What depends on it is asked for with it.
  const book = page.locator('[data-field="book"] input[role=combobox]');
  await book.click();
  await page.click('[data-field="book"] [role=option]:has-text("Tea in r2")');
  assert.equal(await book.inputValue(), "Tea in r2");

  // A pasted address becomes the id in it, and is shown by its name.
  await page.click('[data-field="room"] button[aria-label="Empty the field"]');
  await room.click();
  await room.fill("https://shelf.example/rooms/r1?x=1");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector('[data-field="room"] input')?.value === "Kitchen");

  // After a reload the names come back from the service.
  await page.waitForFunction(() => /^Saved/.test(document.querySelector(".saving")?.textContent?.trim() ?? ""));
  await page.reload();
  await page.click('[data-step]:has-text("Lend a book")');
  await page.waitForFunction(() => document.querySelector('[data-field="room"] input')?.value === "Kitchen");
  await shot(page, "picked");
  assert.deepEqual(page.complaints, []);
  await page.context().storageState().then((state) => (OWNER.state = state));
  await page.context().close();
});

test("the catalogue fits a phone, in the dark as well", async () => {
  const page = await openPage(browser, { baseURL: towpath.url, width: 390, height: 844, dark: true, storageState: OWNER.state });
  for (const [path, title] of [["/connectors", "Connectors"], ["/connectors/slack", "Slack"], ["/connectors/shelf", "Shelf"]]) {
    await page.goto(path);
    assert.equal(await page.textContent("h1"), title);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} is wider than the phone`);
    assert.deepEqual(await accessibilityIssues(page), [], path);
    await shot(page, `phone${path.replaceAll("/", "-")}`);
  }
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});
