// "Test me": asks for each expression in turn, and shows how they were read.

import { button, make } from "./dom.js";
import { nowS } from "./live.js";
import { download } from "./session_log.js";
import { CAVEAT, describeResult, matrixHtml, resultPage, SHOW_S, TestMe } from "./test_me.js";

export class TestTool {
  title = "Test me";

  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {TestMe | null} */
    this.test = null;
    this.text = make("p", { role: "status" });
    this.matrix = make("div", { class: "scrolls" });
    this.begin = button("Start the test", () => this.#begin(), { class: "primary" });
    this.save = button("Download the page", () => this.#save(), { hidden: "" });
    this.element = make("div", {}, this.text, this.matrix, make("div", { class: "row" }, this.begin, this.save));
    this.text.textContent =
      `You are asked for ${stage.data.labels.length} expressions, ${SHOW_S} seconds each, and see how the model reads ` +
      "them on your face. Nothing is stored.";
  }

  close() {
    this.test = null;
    this.stage.showPrompt("");
  }

  /** @param {import("./tools_panel.js").Shown} shown */
  onShown({ focused, atS }) {
    this.test?.note(focused?.label ? focused.strongest : null, atS);
  }

  /** @param {number} atS */
  onTick(atS) {
    if (!this.test) return;
    const step = this.test.step(atS);
    if (!step) return this.#finish();
    const place = `${step.index + 1} of ${this.test.labels.length}`;
    const seconds = Math.ceil(step.leftS);
    this.stage.showPrompt(
      step.counts ? `${step.label.title}: hold it, ${seconds}` : `${place}: get ready for ${step.label.name}, ${seconds}`,
    );
  }

  #begin() {
    this.test = new TestMe(this.stage.data.labels, nowS());
    this.matrix.replaceChildren();
    this.save.hidden = true;
  }

  #finish() {
    this.result = this.test?.result;
    this.close();
    if (!this.result) return;
    this.text.textContent = `${describeResult(this.result)} ${CAVEAT}`;
    this.matrix.innerHTML = matrixHtml(this.result);
    this.begin.textContent = "Test again";
    this.save.hidden = false;
  }

  #save() {
    if (!this.result) return;
    const { models, model_id: id } = this.stage.data;
    const page = resultPage(this.result, models[id], new Date());
    download("ferscope-test.html", new Blob([page], { type: "text/html" }));
  }
}
