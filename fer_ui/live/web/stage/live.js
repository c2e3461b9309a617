// A running video: frames go to the engine as fast as it takes them, and its results become faces that are followed.

import { probabilities } from "../inference/contract.js";
import { abstainReasons } from "../inference/face_quality.js";
import { FaceTracker } from "../tracking/tracker.js";
import { SMOOTHING } from "./choices.js";
import { MedianMeter, RateMeter } from "./meters.js";

/** @typedef {import("./browser_engine.js").Result} Result */
/** @typedef {import("../tracking/tracker.js").TrackedFace} TrackedFace */

/** `transport` says how frames go to the server ("video", "pictures") or what runs the model here ("WebGPU", …).
 * @typedef {{isFree: boolean, transport: string, close: () => void,
 *   send: (video: HTMLVideoElement, number: number, atS: number, facesMax: number) => void}} Engine */

/** What the page shows of a moment; boxes are in pixels of a picture of that width and height.
 * @typedef {{faces: TrackedFace[], found: number, width: number, height: number, atS: number}} Moment */

/** Speeds; times in milliseconds, null before the first result.
 * @typedef {{shown: number, analyzed: number, delayMs: number | null, parts: Record<string, number | null>}} Speed */

/** `onMoment` is called for each result, `onFrame` for each frame that is shown.
 * @typedef {{onMoment: (moment: Moment) => void, onFrame: () => void}} LiveEvents */

const LATE_AFTER_S = 1.5;
const HIDDEN_EVERY_MS = 500;
const SENT_MAX = 600; // frames whose results may still come

export const nowS = () => performance.now() / 1000;

export class Live {
  /**
   * @param {HTMLVideoElement} video @param {import("./types.js").Model} model
   * @param {import("./choices.js").Choices} choices @param {LiveEvents} events
   */
  constructor(video, model, choices, { onMoment, onFrame }) {
    this.video = video;
    this.model = model;
    this.choices = choices;
    this.onMoment = onMoment;
    this.onFrame = onFrame;
    /** @type {Engine | null} */
    this.engine = null;
    /** Corrects probabilities for one person. @type {((values: number[]) => number[]) | null} */
    this.baseline = null;
    this.resultS = -Infinity;
    this.number = 0;
    /** @type {Map<number, number>} */
    this.sent = new Map();
    this.meters = { shown: new RateMeter(), analyzed: new RateMeter(), delay: new MedianMeter() };
    /** @type {Record<string, MedianMeter>} */
    this.parts = {};
    this.over = false;
    this.tracker = this.#createTracker();
    this.#nextFrame();
    // A hidden page gets no frames to show, but a shared window is watched from a hidden page.
    this.timer = setInterval(() => document.hidden && this.#take(), HIDDEN_EVERY_MS);
  }

  /** Follow the faces with the smoothing that is chosen now. */
  restartTracker() {
    const { count } = this.tracker;
    this.tracker = Object.assign(this.#createTracker(), { count }); // a number is never given twice
  }

  #createTracker() {
    return new FaceTracker(SMOOTHING[/** @type {keyof typeof SMOOTHING} */ (this.choices.smoothing)]);
  }

  /** "starting", "late" or "running". */
  get state() {
    if (this.resultS < 0) return "starting";
    return nowS() - this.resultS > LATE_AFTER_S ? "late" : "running";
  }

  /** @returns {Speed} */
  get speed() {
    const now = nowS();
    const { shown, analyzed, delay } = this.meters;
    const parts = Object.entries(this.parts).map(([name, meter]) => [name, meter.median()]);
    return {
      shown: shown.rate(now),
      analyzed: analyzed.rate(now),
      delayMs: delay.median(),
      parts: Object.fromEntries(parts),
    };
  }

  stop() {
    this.over = true;
    clearInterval(this.timer);
    this.engine?.close();
    this.engine = null;
  }

  #nextFrame() {
    const onFrame = () => {
      if (this.over) return;
      this.meters.shown.tick(nowS());
      this.#take();
      this.onFrame();
      this.#nextFrame();
    };
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(onFrame);
    else requestAnimationFrame(onFrame);
  }

  #take() {
    if (!this.engine?.isFree || !this.video.videoWidth) return;
    const atS = nowS();
    this.sent.set(++this.number, atS);
    this.sent.delete(this.number - SENT_MAX);
    this.engine.send(this.video, this.number, atS, this.choices.facesMax);
  }

  /** Take a result of the engine. @param {Result} result */
  take(result) {
    const atS = this.sent.get(result.number);
    if (this.over || atS === undefined) return;
    for (const number of this.sent.keys()) if (number <= result.number) this.sent.delete(number);
    this.resultS = nowS();
    this.meters.analyzed.tick(this.resultS);
    this.meters.delay.add(1000 * (this.resultS - atS));
    const analysisMs = Object.values(result.timesMs).reduce((sum, ms) => sum + ms, 0);
    const times = { ...result.timesMs, transport: Math.max(0, 1000 * (this.resultS - atS) - analysisMs) };
    for (const [name, ms] of Object.entries(times)) (this.parts[name] ??= new MedianMeter()).add(ms);
    const faces = this.tracker.update(result.predictions.map(this.#toReading), atS, this.#reasons);
    this.onMoment({ faces, found: result.found, width: result.width, height: result.height, atS });
  }

  /** @param {import("../inference/live_predictor.js").Prediction} prediction */
  #toReading = ({ box, logits, quality }) => {
    const values = probabilities(this.model.calibration, this.choices.point, logits);
    return { box, probabilities: this.baseline?.(values) ?? values, quality };
  };

  /** @param {import("../inference/face_quality.js").Quality} quality @param {number[]} values */
  #reasons = (quality, values) => abstainReasons(quality, values, this.threshold, this.model.limits);

  get threshold() {
    return this.model.calibration.points[this.choices.point].confidence_threshold;
  }
}
