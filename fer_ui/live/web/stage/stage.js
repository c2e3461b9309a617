// The Live page's stage: the picture with its faces, the answer beside it, the timeline, and the controls.

import { toAnswer } from "./answer.js";
import { AnswerPanel } from "./answer_panel.js";
import { loadChoices, saveChoices } from "./choices.js";
import { EngineRunner } from "./engines.js";
import { faceNote } from "./face_note.js";
import { createLayout } from "./layout.js";
import { Live, nowS } from "./live.js";
import { PictureView } from "./picture_view.js";
import { readPhoto, ScreenLock, snapshot, toggleFullScreen } from "./screen.js";
import { ServerVideo } from "./server_video.js";
import { SettingsPanel } from "./settings_panel.js";
import { checkServers } from "./ice_check.js";
import { foreseeProblem, openSource, SourceError } from "./sources.js";
import { describeSpeed } from "./speed.js";
import { Timeline } from "./timeline.js";
import { ToolsPanel } from "./tools_panel.js";

const ANSWERS_EVERY_S = 0.2; // numbers that change faster can't be read
const STATUS_EVERY_MS = 500;
const CAMERA_PROBLEMS = ["missing", "insecure", "denied", "busy"];

export class Stage {
  /** @param {import("./types.js").Component} component */
  constructor({ data, parentElement, setStateValue, setTriggerValue }) {
    this.data = data;
    this.setStateValue = setStateValue;
    this.setTriggerValue = setTriggerValue;
    this.choices = loadChoices();
    this.serverVideo = new ServerVideo((wanted) => setStateValue("playing", wanted), data.playing);
    /** @type {Live | null} */
    this.live = null;
    /** @type {import("./sources.js").Source | null} */
    this.source = null;
    /** @type {File | null} */
    this.file = null;
    this.answeredS = -Infinity;
    /** @type {EngineRunner | null} */
    this.engines = null;
    this.run = 0; // number of the start, so that a stop during it is noticed
    this.screen = new ScreenLock();
    this.timeline = new Timeline();
    this.panel = this.#createPanel();
    this.settings = new SettingsPanel(this);
    /** Corrects probabilities for one person. @type {((values: number[]) => number[]) | null} */
    this.baseline = null;
    this.tools = new ToolsPanel(this);
    this.layout = createLayout(this.#actions, this.choices, {
      answer: this.panel.element,
      timeline: this.timeline.element,
      extras: this.tools.element,
      settings: this.settings.element,
    });
    /** @type {any} */ (this.layout.root).stage = this; // for benchmarks and the console
    this.view = new PictureView(this.layout.canvas);
    parentElement.querySelector(".ferscope-live")?.replaceChildren(this.layout.root);
    this.#showIdle();
    this.statusTimer = setInterval(() => this.#showStatus(), STATUS_EVERY_MS);
    navigator.mediaDevices?.addEventListener("devicechange", this.#onDeviceChange);
    this.#onDeviceChange();
    const { model, insteadOf } = this.choices;
    const isValid = model in data.models && insteadOf === data.active_id;
    if (isValid && model !== data.model_id) setStateValue("model", model);
  }

  /** @type {import("./layout.js").Actions} */
  #actions = {
    start: () => this.start(),
    stop: () => this.stop(),
    setSource: (source) => this.#setSource(source),
    setWay: (way) => this.choose({ way }, true),
    takeFile: (file) => {
      this.file = file;
      this.restart();
    },
    chooseFace: (x, y) => this.view.choose(x, y),
    fullScreen: () => toggleFullScreen(this.layout.root),
    predict: () => this.setTriggerValue("snapshot", snapshot(this.layout.video)),
    takePhoto: async (photo) => this.setTriggerValue("snapshot", await readPhoto(photo)),
  };

  #createPanel() {
    return new AnswerPanel(this.data.labels, (id) => (this.view.focus = id));
  }

  /** Take new data of the server: the model may be another. @param {import("./types.js").Data} data */
  update(data) {
    const isOther = data.model_id !== this.data.model_id;
    const isBack = this.engines?.isReconnecting && data.socket !== this.data.socket; // a server that was restarted
    this.data = data;
    this.serverVideo.confirm(data.playing);
    if (isBack) this.engines?.connectAgain(0);
    if (!isOther) return;
    this.setBaseline(null); // it was of the other model
    const before = this.panel.element;
    this.panel = this.#createPanel();
    before.replaceWith(this.panel.element);
    this.settings.show();
    if (this.live) this.restart();
    else this.#showIdle();
  }

  unmount() {
    clearInterval(this.statusTimer);
    navigator.mediaDevices?.removeEventListener("devicechange", this.#onDeviceChange);
    this.stop();
    this.tools.forget();
    this.screen.close();
    this.unmounted = true;
  }

  /** Remember choices; those about the source or the way start the video again.
   * @param {Partial<import("./choices.js").Choices>} choices @param {boolean} [restarts] */
  choose(choices, restarts = false) {
    Object.assign(this.choices, choices);
    saveChoices(this.choices);
    this.#applyLooks();
    if ("smoothing" in choices) this.live?.restartTracker();
    if (restarts && this.live) this.restart();
    else if (restarts) this.#showIdle();
  }

  async restart() {
    this.stop();
    await this.start();
  }

  async start() {
    const run = ++this.run;
    this.layout.start.disabled = true;
    this.layout.showMessage("", "");
    this.timeline.clear();
    try {
      const source = await openSource(this.layout.video, this.choices, this.file, this.#sourceEvents);
      if (run !== this.run) return source.stop();
      this.source = source;
      this.live = new Live(this.layout.video, this.data.model, this.choices, this.#liveEvents);
      this.live.baseline = this.baseline;
      this.#showRunning(true);
      this.settings.showCameras(); // they have names now
      this.engines = new EngineRunner(this, this.live);
      await this.engines.open(this.choices.way);
    } catch (error) {
      if (run === this.run) this.fail(error instanceof SourceError ? error.problem : "busy");
    }
  }

  stop() {
    this.run++;
    this.engines?.close();
    this.live?.stop();
    this.source?.stop();
    [this.engines, this.live, this.source] = [null, null, null];
    this.#forgetFaces();
    this.#showRunning(false);
    this.showNotice("");
    this.#showIdle();
  }

  /** Stop, and say why. @param {string} problem @param {string} [detail] */
  fail(problem, detail = "") {
    this.stop();
    this.#showProblem(problem, detail);
  }

  /** Say where the model runs now, if not as chosen. @param {string} way @param {string} notice */
  showWay(way, notice) {
    this.layout.ways.show(way);
    this.showNotice(notice);
  }

  /** @param {string} text */
  showNotice(text) {
    this.layout.notice.textContent = text;
    this.layout.notice.hidden = !text;
  }

  /** Ask for something in the picture. @param {string} text */
  showPrompt(text) {
    if (!this.layout) return; // while it is made
    this.layout.prompt.textContent = text;
    this.layout.prompt.hidden = !text;
  }

  /** @param {((values: number[]) => number[]) | null} baseline */
  setBaseline(baseline) {
    this.baseline = baseline;
    if (this.live) this.live.baseline = baseline;
  }

  /** @param {number} done01 */
  showLoading(done01) {
    this.layout.loading.hidden = done01 >= 1;
    this.layout.loading.value = done01;
  }

  /** @param {string} problem @param {string} detail */
  #showProblem(problem, detail) {
    const { title, remedy } = this.data.texts.problems[problem];
    this.layout.showMessage(title, detail ? `${remedy} (${detail})` : remedy, CAMERA_PROBLEMS.includes(problem));
    this.layout.start.disabled = ["missing", "insecure"].includes(problem) && this.choices.source === "camera";
  }

  #onDeviceChange = async () => {
    this.settings.showCameras();
    if (this.live || this.choices.source !== "camera") return;
    const problem = await foreseeProblem();
    if (this.live || this.choices.source !== "camera") return;
    if (problem) return this.#showProblem(problem, "");
    this.#showIdle();
    const obstacle = this.choices.way === "server" ? await checkServers(this.data.ice_servers) : "";
    if (obstacle && !this.live) this.#showProblem(obstacle, "");
  };

  #liveEvents = {
    onMoment: (/** @type {import("./live.js").Moment} */ moment) => this.#onMoment(moment),
    onFrame: () => this.view.draw(),
  };

  #sourceEvents = {
    onEnded: () => this.fail(this.source?.kind === "screen" ? "screen_ended" : "unplugged"),
    onMuted: (/** @type {boolean} */ muted) => this.showNotice(muted ? "The camera sends no picture." : ""),
  };

  /** @param {import("./live.js").Moment} moment */
  #onMoment(moment) {
    const { view } = this;
    view.moment = moment;
    this.engines?.noteResult();
    if (moment.atS - this.answeredS < ANSWERS_EVERY_S && moment.faces.every(({ id }) => view.answers.has(id))) return;
    this.answeredS = moment.atS;
    const { labels, texts } = this.data;
    const threshold = this.live?.threshold ?? 0;
    // While another answer is ahead but not shown yet, the numbers stay, too: they belong to what is said.
    const answers = moment.faces.map(
      (face) => (!face.isSettled && view.answers.get(face.id)) || toAnswer(face, labels, texts, threshold),
    );
    view.answers = new Map(answers.map((answer) => [answer.id, answer]));
    this.timeline.add(answers, moment.atS);
    const focused = answers.find(({ id }) => id === view.focus) ?? answers[0] ?? null;
    this.tools.onShown({ atS: moment.atS, focused, answers, faces: moment.faces });
    if (!focused) return this.#showAbsence();
    this.panel.show(focused, answers, threshold, faceNote(this.timeline.rows.get(focused.id) ?? [], moment));
  }

  #showAbsence() {
    this.panel.showNone(this.live?.state ?? "idle", this.source?.kind === "camera");
  }

  #showStatus() {
    if (!this.live) return;
    this.timeline.draw(nowS());
    this.tools.onTick(nowS());
    this.layout.speed.textContent = describeSpeed(this.live.speed, this.live.engine?.transport ?? "");
    if (this.live.state === "running" && this.view.moment?.faces.length) return;
    this.#forgetFaces();
    this.#showAbsence();
  }

  #forgetFaces() {
    this.view.moment = null;
    this.view.answers.clear();
    this.view.draw();
  }

  /** @param {string} source */
  #setSource(source) {
    const wasRunning = this.live !== null;
    if (wasRunning) this.stop();
    this.choose({ source });
    this.#showIdle();
    if (source === "file") this.layout.fileInput.click();
    else if (wasRunning) this.start();
    else this.#onDeviceChange();
  }

  #applyLooks() {
    const mirror = this.choices.mirror && !!this.source?.canMirror;
    Object.assign(this.view, { mirror, boxes: this.choices.boxes });
    this.layout.video.classList.toggle("mirrored", mirror);
  }

  /** @param {boolean} running */
  #showRunning(running) {
    this.layout.cover.hidden = running;
    this.layout.root.classList.toggle("running", running);
    this.layout.start.disabled = false;
    this.layout.loading.hidden = true;
    this.tools.show(running);
    this.screen.keep(running);
    this.#applyLooks();
  }

  #showIdle() {
    this.#showAbsence();
    this.layout.speed.textContent = "";
    this.layout.start.disabled = false;
    this.layout.showMessage("", this.data.privacy[this.choices.way]);
  }
}
