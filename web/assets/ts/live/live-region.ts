// <live-region src="/runs/…/live">: keeps its content as the server renders it. The stream is closed while the tab is hidden
// (a browser has six connections to a server) and opened again when it is looked at; the server then sends the present state.
import { Idiomorph } from "idiomorph";
import { fragment } from "./html";
import { localTimes } from "../shared/times";

class LiveRegion extends HTMLElement {
  #stream: EventSource | undefined;

  connectedCallback() {
    document.addEventListener("visibilitychange", this.#follow);
    this.#follow();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#follow);
    this.#close();
  }

  #follow = () => {
    if (document.hidden) this.#close();
    else if (!this.#stream && !this.hasAttribute("done")) this.#open();
  };

  #open() {
    const stream = new EventSource(this.getAttribute("src") ?? "");
    this.#stream = stream;
    stream.addEventListener("body", (event) => this.#show((event as MessageEvent<string>).data));
    stream.addEventListener("done", () => {
      this.setAttribute("done", "");
      this.#close();
    });
  }

  #close() {
    this.#stream?.close();
    this.#stream = undefined;
  }

  #show(html: string) {
    Idiomorph.morph(this, fragment(html), {
      morphStyle: "innerHTML",
      callbacks: {
        // What the person opened stays open. What the server opens (a step that failed, or asks for a decision) opens.
        beforeAttributeUpdated: (name: string, node: Element, change: string) =>
          !(name === "open" && change === "remove" && node instanceof HTMLDetailsElement),
      },
    });
    localTimes(this);
  }
}

customElements.define("live-region", LiveRegion);
