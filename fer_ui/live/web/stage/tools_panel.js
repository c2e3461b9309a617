// What can be done with a running video: calibrate to a face, test the model on it, keep a log.

import { BaselineTool } from "./baseline_tool.js";
import { button, make } from "./dom.js";
import { LogTool } from "./log_tool.js";
import { TestTool } from "./test_tool.js";

/** A moment as the tools see it: the face that is shown beside the picture, if there is one.
 * @typedef {{atS: number, focused: import("./answer.js").Answer | null, answers: import("./answer.js").Answer[],
 *   faces: import("../tracking/tracker.js").TrackedFace[]}} Shown */

/** A tool; `close` ends what it does.
 * @typedef {{title: string, element: HTMLElement, close: () => void, onShown: (shown: Shown) => void,
 *   onTick: (atS: number) => void}} Tool */

export class ToolsPanel {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    /** @type {Tool[]} */
    this.tools = [new BaselineTool(stage), new TestTool(stage), (this.log = new LogTool(stage))];
    /** @type {Tool | null} */
    this.active = null;
    this.buttons = this.tools.map((tool) => button(tool.title, () => this.#toggle(tool), { "aria-expanded": "false" }));
    this.body = make("div", { class: "tool" });
    this.element = make("section", { class: "extras" }, make("div", { class: "row" }, ...this.buttons), this.body);
    this.show(false);
  }

  /** @param {boolean} running */
  show(running) {
    for (const each of this.buttons) each.disabled = !running;
    if (!running) for (const tool of this.tools) tool.close();
    this.#open(running ? this.active : null);
  }

  /** Forget what was recorded, as the page is left. */
  forget() {
    this.log.forget();
  }

  /** @param {Shown} shown */
  onShown(shown) {
    for (const tool of this.tools) tool.onShown(shown);
  }

  /** @param {number} atS */
  onTick(atS) {
    for (const tool of this.tools) tool.onTick(atS);
  }

  /** @param {Tool} tool */
  #toggle(tool) {
    this.#open(this.active === tool ? null : tool);
  }

  /** @param {Tool | null} tool */
  #open(tool) {
    this.active = tool;
    this.body.replaceChildren(...(tool ? [tool.element] : []));
    this.body.hidden = !tool;
    this.tools.forEach((each, i) => this.buttons[i].setAttribute("aria-expanded", String(each === tool)));
  }
}
