// The runs of the workflow as they move, for the picture: which step is at what.
import type { Session } from "./session";

export interface StepRun {
  path: string;
  tone: "ok" | "bad" | "busy" | "wait" | "off";
  label: string;
  duration: string | null;
  error: string | null;
}

export interface Run {
  id: string;
  version: number;
  state: "running" | "waiting" | "succeeded" | "failed" | "cancelled" | "dead_lettered";
  label: string;
  reason: string | null;
  started_at: string;
  ended_at: string | null;
  steps: StepRun[];
}

/** Follows the runs while the page is seen. A run that began before the page was opened is not shown. */
export class Runs {
  /** The run that lights up the picture. */
  shown: Run | undefined;
  private source: EventSource | undefined;
  private readonly opened = Date.now();

  constructor(private readonly session: Session) {
    document.addEventListener("visibilitychange", this.watch);
    this.watch();
  }

  private readonly watch = (): void => {
    this.source?.close();
    this.source = undefined;
    if (document.hidden) return;
    this.source = new EventSource(`${this.session.path}/runs/live`);
    this.source.addEventListener("run", (event) => this.take(JSON.parse((event as MessageEvent<string>).data) as Run));
  };

  private take(run: Run): void {
    if (Date.parse(run.started_at) < this.opened - 1_000) return;
    // A later run takes the picture; an older one that is still moving doesn't take it back.
    if (this.shown && run.id < this.shown.id) return;
    this.shown = run;
    this.session.changed();
  }

  of(step: string): StepRun | undefined {
    return this.shown?.steps.find((it) => it.path === step);
  }

  hide(): void {
    this.shown = undefined;
    this.session.changed();
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.watch);
    this.source?.close();
  }
}
