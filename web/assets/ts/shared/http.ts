// The API, as the pages call it: the session's cookie, the token against forged requests, problems as errors with sentences.

/** A refused request. `status` is 0 when no answer came. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The answer's body, when it was JSON. */
    readonly body: unknown,
  ) {
    super(message);
  }

  /** No answer, or one that a repeat may change. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** The sentences about single fields. */
  get fields(): { field: string; message: string }[] {
    const body = this.body as { fields?: { field: string; message: string }[] } | undefined;
    return body?.fields ?? [];
  }
}

const token = (): string => document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";

/** Calls the API and answers with its JSON; nothing for 204. */
export async function call<T>(method: string, path: string, body?: unknown, more: { keepalive?: boolean; signal?: AbortSignal } = {}): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json", "x-csrf-token": token() };
  const init: RequestInit = { method, headers, credentials: "same-origin", ...more };
  if (body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(0, "The server can't be reached.", undefined);
  }
  const text = await response.text().catch(() => "");
  let json: unknown;
  try {
    json = text ? JSON.parse(text) : undefined;
  } catch {
    json = undefined;
  }
  if (response.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
  if (!response.ok) {
    const problem = json as { detail?: string; title?: string } | undefined;
    throw new Refused(response.status, problem?.detail ?? problem?.title ?? `The server answered ${response.status}.`, json);
  }
  return json as T;
}
