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

export interface TriggerView {
  kind: string | null;
  url: string | null;
  curl: string | null;
  form_url: string | null;
  preview_url: string | null;
  needs_secret: boolean;
  secret: { hint: string } | null;
  state: string;
  now: string;
  samples: SampleView[];
  parked: { count: number; bytes: number; dropped: number };
  refusals: { refused_at: string; reason: string; detail: string }[];
}

export class Arrivals {
  view: TriggerView | undefined;
  private source: EventSource | undefined;
  private picked = false;

  constructor(private readonly session: Session) {}

  /** Follows what arrives while the page is seen. */
  readonly watch = (): void => {
    this.stop();
    if (document.hidden) return;
    this.source = new EventSource(`${this.session.path}/trigger/events`);
    this.source.addEventListener("trigger", (event) => this.take(JSON.parse((event as MessageEvent<string>).data) as TriggerView));
  };

  stop(): void {
    this.source?.close();
    this.source = undefined;
  }

  /** Asks again, after the trigger or its secret changed. */
  async read(): Promise<void> {
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
