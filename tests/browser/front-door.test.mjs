// Sign-in where browsers are strict about cookies: over https that the server speaks itself, and the pages of whoever runs it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { accessibilityIssues, openPage } from "./browser.mjs";
import { Towpath, freePort } from "./towpath.mjs";

const NAME = "towpath.test";
const PASSWORD = "analytical engine 1843";
let towpath, browser, folder, url;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "towpath-tls-"));
  const port = await freePort();
  url = `https://${NAME}:${port}`;
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", `/CN=${NAME}`,
    "-addext", `subjectAltName=DNS:${NAME}`, "-keyout", join(folder, "key.pem"), "-out", join(folder, "certificate.pem")], { stdio: "ignore" });
  towpath = await Towpath.start({
    TOWPATH_LISTEN: `127.0.0.1:${port}`,
    TOWPATH_PUBLIC_URL: url,
    TOWPATH_TLS_CERT: join(folder, "certificate.pem"),
    TOWPATH_TLS_KEY: join(folder, "key.pem"),
  }, port);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", `--host-resolver-rules=MAP ${NAME} 127.0.0.1`, "--ignore-certificate-errors"],
  });
});

after(async () => {
  await browser?.close();
  await towpath?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("a person signs in over https, out and in again, and the cookie is the strictest there is", async () => {
  const page = await openPage(browser, { baseURL: url });
  await page.goto(towpath.setupPath);
  await page.fill("[name=name]", "Ada Lovelace");
  await page.fill("[name=email]", "ada@example.com");
  await page.fill("[name=password]", PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/workflows");
  const [cookie] = (await page.context().cookies()).filter((it) => it.httpOnly);
  assert.equal(cookie.name, "__Host-towpath");
  assert.ok(cookie.secure && cookie.sameSite === "Lax" && cookie.path === "/");
  assert.equal(await page.getByText("passwords travel in clear").count(), 0);

  await page.goto("/settings/reachability");
  await page.getByRole("button", { name: "Check again" }).click();
  await page.getByText("Reachability", { exact: true }).first().waitFor();
  // The certificate is signed by itself, and the name means nothing outside this browser: both are said.
  await page.getByText("signed by itself").waitFor();
  await page.getByText("does not arrive").waitFor();
  assert.deepEqual(await accessibilityIssues(page), []);
  if (process.env.SCREENSHOTS) await shots(page, "reachability");

  await page.goto("/settings/restored");
  await page.getByText("Nothing is held").waitFor();
  await page.goto("/help/proxies");
  assert.deepEqual(await accessibilityIssues(page), []);
  if (process.env.SCREENSHOTS) await shots(page, "proxies");

  await page.goto("/workflows");
  await page.click("header details[data-menu] summary");
  await page.click("text=Sign out");
  await page.fill("[name=email]", "ada@example.com");
  await page.fill("[name=password]", PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL((at) => !at.pathname.startsWith("/sign-in"));
  assert.deepEqual(page.complaints, []);
});

async function shots(page, name) {
  for (const [width, scheme] of [[1440, "light"], [1440, "dark"], [390, "light"], [390, "dark"]]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}-${width}-${scheme}.png`), fullPage: true });
  }
}
