// Analyze frames on the server. They go there as video over WebRTC; until it is connected, and where it can't be, as
// pictures over the websocket that also brings the results.

import { scaledSize } from "./frame_size.js";
import { LiveSocket } from "./live_socket.js";
import { NUMBERS, WebRtcVideo } from "./webrtc_video.js";

/** @typedef {import("./browser_engine.js").Listener} Listener */

const VIDEO_FPS_MAX = 20;
const PICTURE_SIDE_PX = 640;
const PICTURE_QUALITY = 0.8;
const PICTURE_LOST_AFTER_MS = 3000;
const CONNECT_WITHIN_MS = 10000;

/** @typedef {{socket: string, video: boolean, listener: Listener, setPlaying: (playing: boolean) => void,
 *   onWaiting: (live: number, ahead: number) => void, onAdmitted: () => void}} Options `video` is false to send pictures only */

export class ServerEngine {
  /** @param {Options} options */
  constructor({ socket, video, listener, setPlaying, onWaiting, onAdmitted }) {
    this.listener = listener;
    this.setPlaying = setPlaying;
    this.onAdmitted = onAdmitted;
    this.wantsVideo = video;
    this.isAdmitted = false;
    this.isConnected = false;
    this.obstacle = "blocked"; // why video does not connect, if it does not
    this.sentMs = -Infinity;
    this.dueMs = 0;
    /** @type {number | null} */
    this.pending = null;
    this.canvas = document.createElement("canvas");
    this.socket = new LiveSocket(socket, {
      onAdmitted: () => this.#admit(),
      onWaiting,
      onResult: (result) => this.#take(result),
      onLost: (reason) => listener.onProblem("lost", reason),
    });
  }

  /** How frames go to the server: "video" or "pictures". */
  get transport() {
    return this.isConnected ? "video" : "pictures";
  }

  get isFree() {
    const elapsedMs = performance.now() - this.sentMs;
    if (!this.isAdmitted) return false;
    if (this.isConnected) return performance.now() >= this.dueMs;
    return this.pending === null || elapsedMs > PICTURE_LOST_AFTER_MS;
  }

  /** @param {HTMLVideoElement} video @param {number} number @param {number} _atS @param {number} facesMax */
  send(video, number, _atS, facesMax) {
    this.sentMs = performance.now();
    this.dueMs = Math.max(this.sentMs, this.dueMs + 1000 / VIDEO_FPS_MAX);
    this.newest = number;
    this.socket.setFacesMax(facesMax);
    this.video?.send(video, number % NUMBERS); // before it is connected, too, as the connection begins with a frame
    if (!this.isConnected) this.#sendPicture(video, number);
  }

  close() {
    clearTimeout(this.timer);
    this.socket.close();
    this.video?.close();
    if (this.wantsVideo) this.setPlaying(false);
  }

  #admit() {
    this.isAdmitted = true;
    this.onAdmitted();
    if (!this.wantsVideo) return;
    this.video = new WebRtcVideo((state) => this.#onVideoState(state));
    this.setPlaying(true);
    this.timer = setTimeout(() => this.isConnected || this.listener.onProblem(this.obstacle), CONNECT_WITHIN_MS);
  }

  /** @param {string} state */
  #onVideoState(state) {
    if (state === "connected") this.isConnected = true;
    else if (state === "failed") this.listener.onProblem(this.isConnected ? "lost" : this.obstacle);
    else if (state === "refused") this.obstacle = "turn_refused";
    else if (state === "disconnected") this.isConnected = false; // pictures, until it is connected again or fails
  }

  /** @param {import("./browser_engine.js").Result & {error: string}} result */
  #take(result) {
    if (result.error) this.listener.onProblem("analysis_failed", result.error);
    else this.listener.onResult({ ...result, number: this.#fullNumber(result.number) });
    if (this.pending !== null && (result.error || result.number >= this.pending)) this.pending = null;
  }

  /** The number of a frame whose lower digits are known. @param {number} number */
  #fullNumber(number) {
    const newest = this.newest ?? 0;
    const full = newest - (newest % NUMBERS) + (number % NUMBERS);
    return full > newest ? full - NUMBERS : full;
  }

  /** @param {HTMLVideoElement} video @param {number} number */
  #sendPicture(video, number) {
    this.pending = number;
    const { width, height } = scaledSize(video, PICTURE_SIDE_PX);
    Object.assign(this.canvas, { width, height });
    this.canvas.getContext("2d")?.drawImage(video, 0, 0, width, height);
    this.canvas.toBlob((jpeg) => jpeg && this.socket.sendPicture(number, jpeg), "image/jpeg", PICTURE_QUALITY);
  }
}
