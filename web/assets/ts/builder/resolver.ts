// What expressions come to over the samples. Plain paths are looked up here; everything else is asked of the server, many at a time.
import { call, Refused } from "../shared/http";
import { walk, type Json, type Obj } from "./model";
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
  /** What whole sets of fields come to, by the fields and the data they were worked out from. */
  private readonly worked = new Map<string, Json | undefined>();
  private readonly working: Obj[] = [];
  private timer = 0;
  private turn = 0;

  constructor(private readonly session: Session) {
    session.samples.workOut = (fields) => this.workOut(fields);
  }

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

  /** What fields come to; undefined until the answer is there. A step that names itself or a later one gets no data from there. */
  private workOut(fields: Obj): Json | undefined {
    if (!hasExpression(JSON.stringify(fields))) return fields;
    if (this.working.includes(fields)) return undefined;
    this.working.push(fields);
    const samples = this.samplesFor(fields);
    this.working.pop();
    const key = JSON.stringify([fields, samples.steps]);
    if (!this.worked.has(key)) {
      this.worked.set(key, undefined);
      void this.askFor(key, fields, samples);
    }
    return this.worked.get(key);
  }

  private async askFor(key: string, fields: Obj, samples: unknown): Promise<void> {
    const turn = this.turn;
    try {
      const answer = await call<{ results: Record<string, Resolved> }>("POST", `${this.session.path}/resolve`, { samples, values: { fields } });
      const value = answer.results["fields"]?.value;
      if (turn !== this.turn || value === undefined) return;
      this.worked.set(key, value);
      // What was worked out from the fields as they are written is worked out anew.
      this.known.clear();
      this.asked.clear();
      this.session.changed();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.worked.delete(key);
    }
  }

  private samplesFor(value: unknown): { trigger: Json; steps: Obj } {
    const { session } = this;
    const used = stepsUsed(value);
    const steps = walk(session.document).map((it) => it.step).filter((it) => used.has(it.id));
    return session.samples.send(session.document, session.catalogue, steps);
  }

  /** The samples changed: everything is to be asked again. */
  forget(): void {
    this.turn++;
    this.known.clear();
    this.asked.clear();
    this.worked.clear();
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
    const samples = this.samplesFor(open);
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
