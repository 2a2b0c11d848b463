// What arrives at the trigger, as it arrives: its address, its samples, what was refused. The newest real event becomes the sample
// that fields are mapped with, unless somebody picked another.
import { call, Refused } from "../shared/http";
import type { Json } from "./model";
import type { Session } from "./session";

export interface SampleView {
  id: string;
  at: string;
  source: "parked" | "run";
  run?: string;
  value: Json;
  notes: string[];
}

/** How a published poll stands. */
export interface PollView {
  running: boolean;
  every_seconds: number;
  last_at: string | null;
  worked_at: string | null;
  next_at: string;
  cursor: string | null;
  looks: number;
  quiet: number;
  seen: number;
  new: number;
  duplicate: number;
  failures: number;
  error: string | null;
  hint: string | null;
}

export interface TriggerView {
  kind: string | null;
  url: string | null;
  curl: string | null;
  app_url: string | null;
  setup: string | null;
  form_url: string | null;
  preview_url: string | null;
  needs_secret: boolean;
  secret: { hint: string } | null;
  /** Do callers from outside get through, as far as the server could see? */
  reachable: "reachable" | "not_reachable" | "unknown" | null;
  state: string;
  now: string;
  /** Does the trigger ask a service for news? */
  polls: boolean;
  schedule: { next_at: string | null; last_at: string | null; running: boolean } | null;
  poll: PollView | null;
  samples: SampleView[];
  parked: { count: number; bytes: number; dropped: number };
  refusals: { refused_at: string; reason: string; detail: string }[];
}

export class Arrivals {
  view: TriggerView | undefined;
  private picked = false;
  private reading: Promise<void> | undefined;
  private again = false;

  constructor(private readonly session: Session) {}

  /** Asks what there is. While one question is under way, any number of others become one more. */
  async read(): Promise<void> {
    if (this.reading) {
      this.again = true;
      return this.reading;
    }
    do {
      this.again = false;
      this.reading = this.ask();
      await this.reading;
      this.reading = undefined;
    } while (this.again);
  }

  private async ask(): Promise<void> {
    try {
      this.take(await call<TriggerView>("GET", `${this.session.path}/trigger`));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  private take(view: TriggerView): void {
    this.view = view;
    const current = this.session.samples.trigger;
    const newest = view.kind === this.session.document.trigger?.use ? view.samples[0] : undefined;
    const gone = current !== undefined && !view.samples.some((it) => it.id === current.id);
    if (newest && newest.id !== current?.id && (!this.picked || gone)) void this.load(newest);
    this.session.changed();
  }

  /** Did this run's event come in already? Older ones than the samples count as known. */
  knows(run: string): boolean {
    const samples = this.view?.samples ?? [];
    return samples.some((it) => it.run === run) || (samples.length >= 5 && samples.every((it) => run < it.id));
  }

  /** A person's choice stays until another event of theirs is chosen. */
  async choose(sample: SampleView): Promise<void> {
    this.picked = this.view?.samples[0]?.id !== sample.id;
    await this.load(sample);
  }

  private async load(sample: SampleView): Promise<void> {
    try {
      const whole = await call<{ value: Json; at: string }>("GET", `${this.session.path}/trigger/samples/${sample.id}`);
      this.session.setTriggerSample({ value: whole.value, at: whole.at, id: sample.id });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // The whole event may not be for this person's eyes; what the card shows is.
      this.session.setTriggerSample({ value: sample.value, at: sample.at, id: sample.id });
    }
  }
}
