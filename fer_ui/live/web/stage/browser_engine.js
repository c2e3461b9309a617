// Analyze frames in this browser, in a thread of its own. No frame leaves the machine.

import { scaledSize, SIDE_MAX_PX } from "./frame_size.js";

/** What an engine found in a frame; predictions as in `LivePredictor`.
 * @typedef {{number: number, predictions: import("../inference/live_predictor.js").Prediction[], found: number,
 *   width: number, height: number, timesMs: Record<string, number>}} Result */

/** @typedef {{onResult: (result: Result) => void, onProblem: (problem: string, detail?: string) => void,
 *   onProgress: (done01: number) => void}} Listener */

const FRAMES_MAX = 2; // one that is analyzed, and the next one, so that the worker need not wait for it

export class BrowserEngine {
  /** @param {import("../inference/networks.js").BrowserModel} model @param {Listener} listener */
  constructor(model, listener) {
    this.isOpen = false;
    this.frames = 0;
    this.transport = "";
    this.worker = new Worker(new URL("../inference/worker.js", import.meta.url), { type: "module" });
    this.opened = new Promise((resolve, reject) => {
      this.worker.addEventListener("error", (event) => reject(new Error(event.message || "The worker failed.")));
      this.worker.addEventListener("message", ({ data }) => {
        if (data.progress !== undefined) listener.onProgress(data.progress);
        else if (data.ready) resolve(undefined);
        else if (data.error) reject(new Error(data.error));
        if (data.ready) [this.isOpen, this.transport] = [true, data.provider];
        if (data.number !== undefined) this.frames--;
        if (data.error && data.number !== undefined) listener.onProblem("engine_failed", data.error);
        if (data.predictions) listener.onResult(data);
      });
    });
    this.worker.postMessage({ open: model });
  }

  /** Whether the next frame can be taken. */
  get isFree() {
    return this.isOpen && this.frames < FRAMES_MAX;
  }

  /** Take a frame; the result comes to the listener.
   * @param {HTMLVideoElement} video @param {number} number @param {number} atS @param {number} facesMax */
  async send(video, number, atS, facesMax) {
    this.frames++;
    try {
      const { width, height } = scaledSize(video, SIDE_MAX_PX);
      const isScaled = width !== video.videoWidth;
      const frame = await createImageBitmap(video, isScaled ? { resizeWidth: width, resizeHeight: height } : {});
      this.worker.postMessage({ frame, number, atS, facesMax }, [frame]);
    } catch {
      this.frames--; // the video had no frame; the next one is taken
    }
  }

  close() {
    this.worker.terminate();
  }
}
