// What the pages' elements share: they draw into the page itself, so its styles, labels and ids reach them.
import { LitElement } from "lit";

export abstract class PageElement extends LitElement {
  protected override createRenderRoot(): this {
    return this;
  }
}
