// Where workflows send to: an HTTP receiver and a mail server on free loopback ports that keep what arrives.
import { createServer } from "node:http";
import { SMTPServer } from "smtp-server";

/** An HTTP receiver; `answer(request)` may say `{ status, body }`, and may take its time. */
export async function startReceiver(answer = () => ({ status: 200, body: { ok: true } })) {
  const arrived = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const it = { method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() };
    arrived.push(it);
    const { status, body } = await answer(it);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    arrived,
    /** Cuts every connection, answered or not. */
    cut: () => server.closeAllConnections(),
    stop: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
  };
}

/** A mail server that takes everything; `mails` holds `{ from, to, text }` with the raw message as text. */
export async function startMailServer() {
  const mails = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, session, done) {
      let text = "";
      stream.on("data", (chunk) => (text += chunk));
      stream.on("end", () => {
        mails.push({ from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((it) => it.address), text });
        done();
      });
    },
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `smtp://127.0.0.1:${server.server.address().port}?from=towpath@example.com&tls=none`,
    mails,
    stop: () => new Promise((done) => server.close(done)),
  };
}

/** Waits until `probe()` answers with something; throws with `what` after `within` ms. */
export async function until(what, probe, within = 15_000) {
  const end = Date.now() + within;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}
