// What expressions come to over the samples. Plain paths are looked up here; everything else is asked of the server, many at a time.
import { call, Refused } from "../shared/http";
import { walk, type Json } from "./model";
import { hasExpression, parse, stepsUsed } from "./template";
import type { Session } from "./session";

export interface Resolved {
  value?: Json;
  /** A path leads nowhere: what there is instead, in a sentence. */
  missing?: string;
  /** The expression can't work. */
  error?: string;
}

export class Resolver {
  private readonly known = new Map<string, Resolved>();
  private readonly asked = new Set<string>();
  private timer = 0;
  private turn = 0;

  constructor(private readonly session: Session) {}

  /** The value of a text with expressions; undefined until the answer is there. */
  get(value: string): Resolved | undefined {
    if (!hasExpression(value)) return { value };
    const parts = parse(value);
    const only = parts.length === 1 ? parts[0] : undefined;
    if (only && "expression" in only) {
      const here = this.session.look(only.expression);
      if (here !== undefined) return { value: here };
    }
    const known = this.known.get(value);
    if (!known && !this.asked.has(value)) {
      this.asked.add(value);
      this.schedule();
    }
    return known;
  }

  /** The samples changed: everything is to be asked again. */
  forget(): void {
    this.turn++;
    this.known.clear();
    this.asked.clear();
  }

  private schedule(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), 180);
  }

  private async ask(): Promise<void> {
    const open = [...this.asked].filter((it) => !this.known.has(it)).slice(0, 100);
    if (open.length === 0) return;
    const turn = this.turn;
    const session = this.session;
    const used = stepsUsed(open);
    const steps = walk(session.document).map((it) => it.step).filter((it) => used.has(it.id));
    const samples = session.samples.send(session.document, session.catalogue, steps);
    try {
      const values = Object.fromEntries(open.map((it, index) => [String(index), it]));
      const answer = await call<{ results: Record<string, Resolved> }>("POST", `${session.path}/resolve`, { samples, values });
      if (turn !== this.turn) return;
      open.forEach((it, index) => this.known.set(it, answer.results[String(index)] ?? {}));
      session.changed();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // It is asked again when the field changes or is drawn anew.
      open.forEach((it) => this.asked.delete(it));
    }
  }
}
