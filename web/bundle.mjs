// Builds the assets: every file directly under assets/ts and assets/css is an entry of its own, everything under assets/static is
// copied. Each result carries a hash of its content in its name and lies beside its compressed forms; manifest.json says which
// name became which file. Usage: node bundle.mjs <folder>
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "dist"));
const compressible = new Set([".js", ".css", ".svg", ".json", ".txt", ".webmanifest"]);

const entries = ["ts", "css"].flatMap((kind) => {
  const folder = join(here, "assets", kind);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((file) => file.endsWith(`.${kind}`)).map((file) => join(folder, file));
});

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const manifest = {};

const result = await build({
  absWorkingDir: here,
  entryPoints: entries,
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022", "chrome123", "firefox121", "safari17.5"],
  minify: true,
  // Two folders may hold an entry of the same name (app.ts, app.css), so names are flat and only the extension tells them apart.
  entryNames: "[name].[hash]",
  chunkNames: "chunk.[hash]",
  assetNames: "[name].[hash]",
  loader: { ".svg": "file", ".woff2": "file", ".png": "file" },
  metafile: true,
  legalComments: "none",
  logLevel: "warning",
});

for (const [path, info] of Object.entries(result.metafile.outputs)) {
  const file = basename(path);
  const name = info.entryPoint ? basename(info.entryPoint).replace(/\.ts$/, ".js") : file;
  manifest[name] = file;
}

const files = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]);
const fixed = join(here, "assets", "static");
for (const path of existsSync(fixed) ? files(fixed) : []) {
  const bytes = readFileSync(path);
  const name = relative(fixed, path).split(sep).join("-");
  if (name.startsWith(".")) continue;
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
  const extension = extname(name);
  const file = `${name.slice(0, name.length - extension.length)}.${hash}${extension}`;
  if (name in manifest) throw new Error(`two assets are called ${name}`);
  manifest[name] = file;
  writeFileSync(join(out, file), bytes);
}

for (const file of Object.values(manifest)) {
  if (!compressible.has(extname(file))) continue;
  const bytes = readFileSync(join(out, file));
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  writeFileSync(join(out, `${file}.br`), brotliCompressSync(bytes, options));
  writeFileSync(join(out, `${file}.gz`), gzipSync(bytes, { level: 9 }));
}
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 1));
