// The ways to run: on the server or in this browser, and what is done where one of them is not possible.

import { BrowserEngine } from "./browser_engine.js";
import { ServerEngine } from "./server_engine.js";

/** @typedef {import("./stage.js").Stage} Stage */
/** @typedef {import("./live.js").Live} Live */

const RECONNECTIONS_MAX = 6;
const RECONNECT_AFTER_MS = 500;

/** Why video does not connect. @type {Record<string, string>} */
const OBSTACLES = {
  blocked: "Video can't reach the server from this network.",
  turn_refused: "The TURN server refused the connection.",
};

/** Opens the engine of a running video, and another one where it fails: where the server can't be reached by video or
 * is full, the model runs in the browser; where it can't either, pictures are sent, or the viewer waits for a seat. */
export class EngineRunner {
  /** @param {Stage} stage @param {Live} live */
  constructor(stage, live) {
    this.stage = stage;
    this.live = live;
    this.reconnections = 0;
  }

  /** Whether the connection was lost and is not back yet. */
  get isReconnecting() {
    return this.reconnections > 0;
  }

  /** @param {string} way @param {string} [notice] why it is not the chosen one */
  async open(way, notice = "") {
    const { live, stage } = this;
    live.engine?.close();
    live.engine = null;
    stage.showWay(way, notice);
    if (way !== "browser") {
      live.engine = this.#openServerEngine();
      return;
    }
    try {
      const engine = await this.#openBrowserEngine();
      if (live.over) engine.close();
      else live.engine = engine;
    } catch (error) {
      if (!live.over) stage.fail("engine_failed", error instanceof Error ? error.message : String(error));
    }
  }

  close() {
    clearTimeout(this.timer);
  }

  /** Connect to the server again, a little later each time; the picture goes on. */
  reconnect() {
    this.live.engine?.close();
    this.live.engine = null;
    if (++this.reconnections > RECONNECTIONS_MAX) return this.stage.fail("lost");
    this.stage.showNotice("The connection to the server was lost. Connecting again…");
    this.connectAgain(RECONNECT_AFTER_MS * 2 ** (this.reconnections - 1));
  }

  /** @param {number} afterMs */
  connectAgain(afterMs) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.live.engine) this.live.engine = this.#openServerEngine();
    }, afterMs);
  }

  /** Note a result: the connection is back. */
  noteResult() {
    if (this.isReconnecting) this.stage.showNotice("");
    this.reconnections = 0;
  }

  #openServerEngine() {
    const { stage, live } = this;
    const { data, choices } = stage;
    const canRunHere = !data.missing_in_browser;
    const engine = new ServerEngine({
      socket: data.socket,
      video: choices.transport === "video",
      setPlaying: (playing) => stage.serverVideo.want(playing),
      onWaiting: (n, ahead) => {
        if (canRunHere) this.open("browser", `The server is full: ${people(n)} live. The model runs in your browser.`);
        else stage.showNotice(`${people(n)} live. ${ahead ? `${ahead} before you.` : "You are next."}`);
      },
      onAdmitted: () => this.isReconnecting || stage.showNotice(""),
      listener: {
        onResult: (result) => live.take(result),
        onProgress: () => {},
        onProblem: (problem, detail) => {
          if (problem === "lost") {
            this.reconnect();
          } else if (!(problem in OBSTACLES)) {
            stage.fail(problem, detail);
          } else if (canRunHere) {
            this.open("browser", `${OBSTACLES[problem]} The model runs in your browser.`);
          } else {
            engine.wantsVideo = false;
            stage.showNotice(`${OBSTACLES[problem]} Pictures are sent instead.`);
          }
        },
      },
    });
    return engine;
  }

  async #openBrowserEngine() {
    const { stage, live } = this;
    if (stage.data.missing_in_browser) throw new Error(stage.data.missing_in_browser);
    const { model } = stage.data;
    const files = Object.entries(model.files).map(([name, url]) => [name, new URL(url, location.origin).href]);
    const engine = new BrowserEngine(
      { ...model, files: /** @type {any} */ (Object.fromEntries(files)) },
      {
        onResult: (result) => live.take(result),
        onProblem: (problem, detail) => stage.fail(problem, detail),
        onProgress: (done01) => stage.showLoading(done01),
      },
    );
    await engine.opened;
    return engine;
  }
}

/** @param {number} n */
const people = (n) => (n === 1 ? "1 person is" : `${n} people are`);
