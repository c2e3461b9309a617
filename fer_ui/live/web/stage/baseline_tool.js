// "Calibrate to my face": records the personal baseline while somebody looks neutral.

import { BaselineRecorder, correct, RECORD_S } from "./baseline.js";
import { button, make } from "./dom.js";
import { nowS } from "./live.js";

const PREPARE_S = 2;

export class BaselineTool {
  title = "Calibrate to my face";

  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {BaselineRecorder | null} */
    this.recorder = null;
    this.startS = 0;
    this.text = make("p");
    this.begin = button("Start", () => this.#record(), { class: "primary" });
    this.remove = button("Remove", () => this.#remove(), { hidden: "" });
    this.element = make("div", {}, this.text, make("div", { class: "row" }, this.begin, this.remove));
    this.#say(
      "Some faces read as sad or angry while at rest. Look neutral for three seconds, alone in the picture, and this is " +
        "taken out for as long as the page is open. Nothing is stored.",
    );
  }

  close() {
    this.recorder = null;
    this.stage.showPrompt("");
  }

  /** @param {import("./tools_panel.js").Shown} shown */
  onShown({ focused, atS }) {
    if (this.recorder && focused && atS - this.startS >= PREPARE_S) this.recorder.add(focused.probabilities);
  }

  /** @param {number} atS */
  onTick(atS) {
    if (!this.recorder) return;
    const elapsed = atS - this.startS;
    const left = Math.ceil(PREPARE_S + RECORD_S - elapsed);
    this.stage.showPrompt(elapsed < PREPARE_S ? "Look neutral and keep still" : `Keep looking neutral: ${left}`);
    if (elapsed >= PREPARE_S + RECORD_S) this.#finish();
  }

  #record() {
    const neutral = this.stage.data.labels.findIndex(({ name }) => name === "neutral");
    this.#remove();
    this.recorder = new BaselineRecorder(Math.max(neutral, 0));
    this.startS = nowS();
  }

  #finish() {
    const correction = this.recorder?.finish() ?? null;
    this.close();
    if (!correction) return this.#say("The face was hardly in view. Come closer, and try again.");
    this.stage.setBaseline((values) => correct(correction, values));
    this.remove.hidden = false;
    const names = this.stage.data.labels.filter((_, i) => correction[i] > 0.1).map(({ name }) => name);
    this.#say(
      names.length
        ? `Calibrated: at rest, your face looks a little like ${names.join(", ")} to this model, which is now taken out.`
        : "Calibrated: at rest, your face looks neutral to this model already.",
    );
  }

  #remove() {
    this.stage.setBaseline(null);
    this.remove.hidden = true;
    this.#say("Without calibration.");
  }

  /** @param {string} text */
  #say(text) {
    this.text.textContent = text;
  }
}
