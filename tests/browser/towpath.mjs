// A real server for the browser tests: the binary that TOWPATH_BIN names, on its embedded PostgreSQL and a folder of its own.
import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, networkInterfaces } from "node:os";
import { join } from "node:path";

/** A TCP port that was free a moment ago. */
export async function freePort() {
  const socket = createServer();
  await new Promise((done) => socket.listen(0, "127.0.0.1", done));
  const { port } = socket.address();
  await new Promise((done) => socket.close(done));
  return port;
}

/** This machine's own address on its network, or undefined where it has none. */
export function networkAddress() {
  return Object.values(networkInterfaces()).flat().find((it) => it.family === "IPv4" && !it.internal)?.address;
}

export class Towpath {
  #child;
  #log = "";

  /** Starts a server; `environment` adds to its settings. Whoever sets TOWPATH_LISTEN says the port as well. */
  static async start(environment = {}, port = undefined) {
    const towpath = new Towpath();
    towpath.folder = await mkdtemp(join(tmpdir(), "towpath-browser-"));
    // PostgreSQL runs as a user of its own, who has to pass through.
    await chmod(towpath.folder, 0o755);
    towpath.port = port ?? (await freePort());
    towpath.url = `http://127.0.0.1:${towpath.port}`;
    towpath.environment = environment;
    await towpath.boot();
    return towpath;
  }

  async boot() {
    const bin = process.env.TOWPATH_BIN;
    if (!bin) throw new Error("TOWPATH_BIN names the binary to test; `make test` builds it and sets this");
    this.#child = spawn(bin, [], {
      env: {
        PATH: process.env.PATH,
        TOWPATH_DATA: join(this.folder, "data"),
        TOWPATH_LISTEN: `0.0.0.0:${this.port}`,
        TOWPATH_EGRESS_ALLOW: "127.0.0.1/32",
        ...this.environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream.on("data", (text) => (this.#log += text));
    const end = Date.now() + 60_000;
    for (;;) {
      if (this.#child.exitCode !== null) throw new Error(`the server ended at start:\n${this.#log}`);
      const ready = await fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false);
      if (ready) return;
      if (Date.now() > end) throw new Error(`the server was not ready within 60 s:\n${this.#log}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  get log() {
    return this.#log;
  }

  /** The address of the first page, with its one-time token, as the terminal printed it. */
  get setupPath() {
    const found = /\/setup\?token=[\w-]+/.exec(this.#log);
    if (!found) throw new Error(`no setup address in the log:\n${this.#log}`);
    return found[0];
  }

  /** kill -9. */
  async kill() {
    const ended = new Promise((done) => this.#child.once("exit", done));
    this.#child.kill("SIGKILL");
    await ended;
  }

  async stop() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((done) => this.#child.once("exit", done));
      this.#child.kill("SIGTERM");
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
