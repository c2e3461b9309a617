// The answer beside the picture: a sentence, a calm bar for each expression, and the other faces.

import { formatPercent } from "./answer.js";
import { make } from "./dom.js";

/** @typedef {import("./answer.js").Answer} Answer */
/** @typedef {import("./answer.js").Label} Label */

/** Title and detail of the answer where there is none. @type {Record<string, [string, string]>} */
const ABSENCES = {
  idle: ["No prediction yet", "Press Start to begin."],
  starting: ["Starting", "The first prediction comes in a moment."],
  late: ["The machine is behind", "The last prediction is more than a second old."],
  running: ["No face in view", "Turn your face to the camera."],
};

const NO_FACE_IN_PICTURE = ["No face in view", "Faces are found from about 20 pixels on."];

export class AnswerPanel {
  /** @param {Label[]} labels @param {(id: number) => void} onFocus called when a face is chosen */
  constructor(labels, onFocus) {
    this.onFocus = onFocus;
    this.title = make("h3", { class: "title" });
    this.detail = make("p", { class: "detail" });
    this.remedy = make("p", { class: "remedy" });
    this.rows = labels.map((label) => {
      const bar = make("span", { class: "bar", style: `background:${label.color};border-color:${label.outline}` });
      const limit = make("span", { class: "limit", hidden: "" });
      const row = {
        name: make("dt", {}, label.title),
        track: make("dd", { class: "track" }, bar, limit),
        number: make("dd", { class: "number" }, "\u00a0"),
        bar,
        limit,
      };
      return row;
    });
    const bars = make("dl", { class: "bars" }, ...this.rows.flatMap((row) => [row.name, row.track, row.number]));
    this.note = make("p", { class: "note" });
    this.others = make("div", { class: "faces", role: "group", "aria-label": "Faces" });
    const sentence = make("div", { role: "status", "aria-live": "polite" }, this.title, this.detail, this.remedy);
    this.element = make("section", { class: "answer" }, sentence, this.others, bars, this.note);
  }

  /** Show an answer; of several faces the others are listed, and a click on one shows it.
   * @param {Answer} answer @param {Answer[]} all @param {number} threshold @param {string} note */
  show(answer, all, threshold, note) {
    const several = all.length > 1;
    setText(this.title, several ? `Face ${answer.id}: ${answer.title.toLowerCase()}` : answer.title);
    setText(this.detail, answer.detail);
    setText(this.remedy, answer.remedy);
    this.#fill(answer.probabilities, answer.strongest, threshold);
    setText(this.note, [threshold ? `Dotted line: ${formatPercent(threshold)} needed.` : "", note].filter(Boolean).join(" "));
    this.#list(several ? all : [], answer.id);
  }

  /** Show why there is no answer. @param {string} state of the video @param {boolean} isCamera */
  showNone(state, isCamera) {
    const [title, detail] = state === "running" && !isCamera ? NO_FACE_IN_PICTURE : ABSENCES[state];
    setText(this.title, title);
    setText(this.detail, detail);
    setText(this.remedy, "");
    setText(this.note, "");
    this.#fill([], -1, 0);
    this.#list([], -1);
  }

  /** @param {number[]} values @param {number} strongest @param {number} threshold */
  #fill(values, strongest, threshold) {
    this.rows.forEach((row, i) => {
      const value = values[i];
      row.bar.style.width = `${100 * (value ?? 0)}%`;
      row.bar.classList.toggle("empty", !value);
      setText(row.number, value === undefined ? "\u00a0" : formatPercent(value));
      for (const part of [row.name, row.track, row.number]) part.classList.toggle("strong", i === strongest);
      row.limit.hidden = !threshold;
      row.limit.style.left = `${100 * threshold}%`;
    });
  }

  /** @param {Answer[]} answers @param {number} focus */
  #list(answers, focus) {
    const wanted = answers.map((answer) => `${answer.id}  ${answer.tag}`);
    while (this.others.children.length > wanted.length) this.others.lastElementChild?.remove();
    wanted.forEach((text, i) => {
      const button = /** @type {HTMLElement} */ (this.others.children[i] ?? this.others.appendChild(this.#faceButton()));
      setText(button, text);
      button.dataset.id = String(answers[i].id);
      button.style.setProperty("--face", answers[i].label?.color ?? "#e2e7ed");
      button.setAttribute("aria-pressed", String(answers[i].id === focus));
    });
  }

  #faceButton() {
    const button = make("button", { type: "button", class: "face" });
    button.addEventListener("click", () => this.onFocus(Number(button.dataset.id)));
    return button;
  }
}

/** @param {HTMLElement} element @param {string} text */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
