// An element that draws a session, again whenever it changes.
import { property } from "lit/decorators.js";
import { PageElement } from "../shared/element";
import type { Session } from "./session";

export abstract class Bound extends PageElement {
  @property({ attribute: false }) session!: Session;

  private readonly onChange = (): void => this.requestUpdate();
  private heard: Session | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.hear();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.heard?.removeEventListener("change", this.onChange);
    this.heard = undefined;
  }

  protected override willUpdate(): void {
    this.hear();
  }

  private hear(): void {
    if (this.heard === this.session || !this.session) return;
    this.heard?.removeEventListener("change", this.onChange);
    this.session.addEventListener("change", this.onChange);
    this.heard = this.session;
  }
}
