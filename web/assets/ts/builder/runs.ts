// The runs of the workflow as they move, for the picture: which step is at what.
import { call, Refused } from "../shared/http";
import type { Session } from "./session";

export interface StepRun {
  path: string;
  tone: "ok" | "bad" | "busy" | "wait" | "off";
  label: string;
  duration: string | null;
  error: string | null;
  /** How far a loop has come: "12 of 40". */
  rounds?: string | null;
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

/** The newest run since the page was opened; runs that began before are not shown. */
export class Runs {
  /** The run that lights up the picture. */
  shown: Run | undefined;
  private readonly opened = Date.now();
  private wanted = "";
  private asking = false;

  constructor(private readonly session: Session) {}

  /** A run was accepted, moved on or ended. Ids sort by time; a run older than the one shown doesn't take the picture back. */
  async moved(id: string): Promise<void> {
    if (this.shown && id < this.shown.id) return;
    if (id >= this.wanted) this.wanted = id;
    if (this.asking) return;
    this.asking = true;
    try {
      while (this.wanted) {
        const run = this.wanted;
        this.wanted = "";
        this.take(await call<Run>("GET", `/api/v1/runs/${run}`));
        // Nobody can follow more than a few pictures a second.
        await new Promise((done) => setTimeout(done, 120));
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    } finally {
      this.asking = false;
    }
  }

  private take(run: Run): void {
    if (Date.parse(run.started_at) < this.opened - 1_000) return;
    this.shown = run;
    this.session.changed();
  }

  of(step: string): StepRun | undefined {
    // Inside a lane a step's path begins with the lane's.
    return this.shown?.steps.find((it) => it.path === step || it.path.endsWith(`/${step}`));
  }

  hide(): void {
    this.shown = undefined;
    this.session.changed();
  }
}
