// Bundles every assets/ts/**/*.test.ts for Node and hands them to Node's own test runner.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "assets", "ts");
const find = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? find(path) : entry.name.endsWith(".test.ts") ? [path] : [];
  });
const tests = find(root);
if (tests.length === 0) throw new Error("there are no tests");
const out = mkdtempSync(join(tmpdir(), "towpath-web-"));
try {
  await build({ entryPoints: tests, outdir: out, outbase: root, bundle: true, platform: "node", format: "esm", target: "node18", outExtension: { ".js": ".mjs" } });
  const built = tests.map((path) => join(out, path.slice(root.length + 1).replace(/\.ts$/, ".mjs")));
  process.exitCode = spawnSync(process.execPath, ["--test", ...built], { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
