// What expressions come to over the samples. Plain paths are looked up here; everything else is asked of the server, many at a time.
import { call, Refused } from "../shared/http";
import { walk, type Json, type Obj, type Step } from "./model";
import { hasExpression, parse, stepsUsed } from "./template";
import { isStep, toWorkOut, type Sent } from "./samples";
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
  private readonly lists = new Map<string, Json | undefined>();
  /** What whole sets of fields come to, by the fields and the data they were worked out from. */
  private readonly worked = new Map<string, Json | undefined>();
  /** Those that nobody has asked for yet. */
  private readonly open = new Map<string, { fields: Obj; samples: Sent }>();
  /** The same within one document and between two answers, so that a long workflow is gone through once. */
  private memo = new WeakMap<Obj, Json | undefined>();
  private memoOf: unknown;
  private steps = new Map<string, Step>();
  private stepsOf: unknown;
  private timer = 0;
  private turn = 0;

  constructor(private readonly session: Session) {
    session.samples.workOut = (fields) => this.workOut(fields);
  }

  /** The round that the values known here are about. */
  private about = "";

  /** The value of a text with expressions, at the first item of the list `over` where there is one; undefined until the answer is there. */
  get(value: string, over = ""): Resolved | undefined {
    if (!hasExpression(value)) return { value };
    const about = JSON.stringify(this.session.round);
    if (about !== this.about) {
      this.about = about;
      this.known.clear();
      this.asked.clear();
    }
    const parts = parse(value);
    const only = parts.length === 1 ? parts[0] : undefined;
    if (only && "expression" in only) {
      const here = this.session.look(only.expression, over);
      if (here !== undefined) return { value: here };
    }
    const key = JSON.stringify([over, value]);
    const known = this.known.get(key);
    if (!known && !this.asked.has(key)) {
      this.asked.add(key);
      this.schedule();
    }
    return known;
  }

  /** The value of a list that is more than a path, for those who look for its first item. It is asked for like any other. */
  listOf(value: string): Json | undefined {
    if (!this.lists.has(value)) {
      this.lists.set(value, undefined);
      queueMicrotask(() => void this.askForList(value));
    }
    return this.lists.get(value);
  }

  private async askForList(value: string): Promise<void> {
    const turn = this.turn;
    try {
      const answer = await call<{ results: Record<string, Resolved> }>("POST", `${this.session.path}/resolve`, { samples: this.samplesFor(value), values: { list: value } });
      if (turn !== this.turn) return;
      this.lists.set(value, answer.results["list"]?.value);
      this.session.changed();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.lists.delete(value);
    }
  }

  /** What fields come to; undefined until the answer is there. A step that names itself or a later one gets no data from there. */
  private workOut(fields: Obj): Json | undefined {
    if (this.memoOf !== this.session.document) {
      this.memoOf = this.session.document;
      this.memo = new WeakMap();
    }
    if (this.memo.has(fields)) return this.memo.get(fields);
    this.memo.set(fields, undefined);
    const value = hasExpression(JSON.stringify(fields)) ? this.lookUp(fields) : fields;
    this.memo.set(fields, value);
    return value;
  }

  private step(id: string): Step | undefined {
    if (this.stepsOf !== this.session.document) {
      this.stepsOf = this.session.document;
      this.steps = new Map(walk(this.session.document).map(({ step }) => [step.id, step]));
    }
    return this.steps.get(id);
  }

  private lookUp(fields: Obj): Json | undefined {
    // First what it needs: over what isn't worked out yet it would come to something else.
    for (const id of stepsUsed(fields)) {
      const needed = this.session.samples.steps.has(id) ? undefined : this.step(id);
      const its = needed && toWorkOut(needed, this.session.catalogue);
      if (its && this.workOut(its) === undefined) return undefined;
    }
    const samples = this.samplesFor(fields);
    const key = JSON.stringify([fields, samples.steps]);
    if (!this.worked.has(key)) {
      this.worked.set(key, undefined);
      if (this.open.size === 0) queueMicrotask(() => void this.askForFields());
      this.open.set(key, { fields, samples });
    }
    return this.worked.get(key);
  }

  /** All that is open in one question: what one of them needs of the steps before is the same for the others. */
  private async askForFields(): Promise<void> {
    const asked = [...this.open].slice(0, 100);
    asked.forEach(([key]) => this.open.delete(key));
    const turn = this.turn;
    const samples = { ...asked[0]?.[1].samples, steps: Object.assign({}, ...asked.map(([, it]) => it.samples.steps)) as Obj };
    try {
      const named = asked.map(([, it], index): [string, Obj] => [String(index), it.fields]);
      const values = Object.fromEntries(named.filter(([, it]) => !isStep(it)));
      const steps = Object.fromEntries(named.filter(([, it]) => isStep(it)));
      const answer = await call<{ results: Record<string, Resolved> }>("POST", `${this.session.path}/resolve`, { samples, values, steps });
      if (turn !== this.turn) return;
      asked.forEach(([key], index) => this.worked.set(key, answer.results[String(index)]?.value));
      // What was worked out from the fields as they are written is worked out anew.
      this.memoOf = undefined;
      this.known.clear();
      this.asked.clear();
      this.session.changed();
      if (this.open.size > 0) void this.askForFields();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      asked.forEach(([key]) => this.worked.delete(key));
    }
  }

  private samplesFor(value: unknown, over = ""): Sent {
    const { session } = this;
    const steps = [...stepsUsed(value)].map((id) => this.step(id)).filter((it) => it !== undefined);
    return session.samples.send(session.document, session.catalogue, steps, session.roundOver(over));
  }

  /** The samples changed: everything is to be asked again. */
  forget(): void {
    this.turn++;
    this.known.clear();
    this.asked.clear();
    this.worked.clear();
    this.lists.clear();
    this.open.clear();
    this.memoOf = undefined;
  }

  private schedule(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), 180);
  }

  private async ask(): Promise<void> {
    const asked = [...this.asked].filter((it) => !this.known.has(it)).slice(0, 100).map((key) => ({ key, about: JSON.parse(key) as [string, string] }));
    await Promise.all([...new Set(asked.map((it) => it.about[0]))].map((over) => this.askOver(over, asked.filter((it) => it.about[0] === over).map((it) => it.key))));
  }

  private async askOver(over: string, open: string[]): Promise<void> {
    const turn = this.turn;
    const session = this.session;
    const texts = open.map((key) => (JSON.parse(key) as [string, string])[1]);
    const samples = this.samplesFor(texts, over);
    try {
      const values = Object.fromEntries(texts.map((it, index) => [String(index), it]));
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
