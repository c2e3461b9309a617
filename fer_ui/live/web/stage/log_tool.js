// "Session log": what was read of whom and when, and the video itself after a second consent.

import { button, checkbox, make } from "./dom.js";
import { nowS } from "./live.js";
import { download, SessionLog } from "./session_log.js";

const KEY = "m";

export class LogTool {
  title = "Session log";

  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {SessionLog | null} */
    this.log = null;
    /** @type {MediaRecorder | null} */
    this.recorder = null;
    /** @type {Blob[]} */
    this.video = [];
    this.isSaved = true;
    this.element = make("div");
    this.#showOffer();
    document.addEventListener("keydown", this.#onKey);
    window.addEventListener("beforeunload", this.#onLeave);
  }

  /** The log outlasts the video, so that it can be downloaded; its recording ends. */
  close() {
    if (this.recorder?.state === "recording") this.recorder.stop();
  }

  /** Forget everything, as the page is left. */
  forget() {
    this.close();
    [this.log, this.video] = [null, []];
    document.removeEventListener("keydown", this.#onKey);
    window.removeEventListener("beforeunload", this.#onLeave);
  }

  /** @param {import("./tools_panel.js").Shown} shown */
  onShown({ answers, faces, atS }) {
    if (!this.log || this.log.labels.join() !== this.#labels().join()) return; // another model may have others
    this.log.add(answers, faces.map(({ reasons }) => reasons[0] ?? ""), atS);
    this.isSaved = false;
  }

  onTick() {
    if (!this.log || !this.count) return;
    const rows = this.log.rows.length.toLocaleString("en");
    const marks = this.log.marks === 1 ? "1 mark" : `${this.log.marks} marks`;
    this.count.textContent = `${rows} rows, ${marks}. Press M to mark a moment.`;
  }

  #showOffer() {
    this.element.replaceChildren(
      make("p", {}, "Keeps times, faces, probabilities and your marks in this page, to download as CSV or JSON. ",
        "It is deleted when you leave the page. No picture is kept."),
      make("div", { class: "row" }, button("Start the log", () => this.#start(), { class: "primary" })),
    );
  }

  #labels() {
    return this.stage.data.labels.map(({ name }) => name);
  }

  #start() {
    this.log = new SessionLog(this.#labels(), new Date(), nowS());
    this.video = [];
    this.#showLog();
  }

  #showLog() {
    this.count = make("p", { role: "status" });
    const save = (/** @type {string} */ name, /** @type {Blob} */ content) => {
      download(name, content);
      this.isSaved = true;
    };
    const log = /** @type {SessionLog} */ (this.log);
    this.element.replaceChildren(
      this.count,
      make(
        "div",
        { class: "row" },
        button("Mark", () => log.addMark(nowS())),
        button("Download CSV", () => save("ferscope-session.csv", new Blob([log.toCsv()], { type: "text/csv" }))),
        button("Download JSON", () => save("ferscope-session.json", new Blob([log.toJson()], { type: "application/json" }))),
        button("Delete the log", () => this.#delete()),
      ),
      this.#videoPart(),
    );
  }

  /** The recording: offered, asked for a second time, running, or done. */
  #videoPart() {
    const part = make("div", { class: "video-part" });
    const show = (/** @type {Node[]} */ ...children) => part.replaceChildren(...children);
    const offer = () => show(button("Record the video too…", ask));
    const ask = () => {
      const record = button("Record", () => this.#record(done, running), { class: "primary", disabled: "" });
      show(
        make("p", {}, "The video shows faces, which are personal data. It stays in this page's memory and is deleted when ",
          "you leave, unless you download it."),
        checkbox("Everybody in the picture has agreed to be recorded", false, (agreed) => (record.disabled = !agreed)),
        make("div", { class: "row" }, record, button("Cancel", offer)),
      );
    };
    const running = () => show(make("p", { class: "recording" }, "Recording…"), button("Stop recording", () => this.close()));
    const done = () =>
      show(
        button("Download the video", () => download("ferscope-session.webm", new Blob(this.video, { type: "video/webm" }))),
        button("Delete the video", () => {
          this.video = [];
          offer();
        }),
      );
    offer();
    return part;
  }

  /** @param {() => void} onDone @param {() => void} onStart */
  #record(onDone, onStart) {
    const { video } = this.stage.layout;
    const element = /** @type {HTMLVideoElement & {captureStream?: () => MediaStream}} */ (video);
    const stream = video.srcObject instanceof MediaStream ? video.srcObject : element.captureStream?.();
    if (!stream) return;
    this.video = [];
    this.recorder = new MediaRecorder(stream, { mimeType: "video/webm" });
    this.recorder.addEventListener("dataavailable", ({ data }) => this.video.push(data));
    this.recorder.addEventListener("stop", onDone);
    this.recorder.start(1000);
    onStart();
  }

  #delete() {
    this.close();
    [this.log, this.video, this.isSaved] = [null, [], true];
    this.#showOffer();
  }

  #onKey = (/** @type {KeyboardEvent} */ event) => {
    const place = /** @type {HTMLElement} */ (event.composedPath()[0]);
    if (event.key.toLowerCase() !== KEY || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(place.tagName)) return;
    this.log?.addMark(nowS());
  };

  #onLeave = (/** @type {BeforeUnloadEvent} */ event) => {
    if (this.log && !this.isSaved) event.preventDefault();
  };
}
