// The video that goes to the server through streamlit-webrtc.
//
// streamlit-webrtc's player is an iframe of the same origin, out of sight. It asks its browser window for a camera; here
// that window is made to answer with a canvas, on which the stage draws the frames that are to be analyzed, each with
// its number (fer_core/live/frame_number.py). So a screen or a file can be sent too, the camera is opened once, and a
// result is known to be of a certain frame.

import { scaledSize, SIDE_MAX_PX } from "./frame_size.js";
import { isRefusal } from "./ice_check.js";

const PLAYER = 'iframe[title="streamlit_webrtc.component.webrtc_streamer"]';
const BITS = 16;
const STRIP_01 = 1 / 31;
const LOOK_EVERY_MS = 50;
const AGAIN_WITHIN_MS = 400; // sooner than its next start, which follows a stop of half a second

export const NUMBERS = 1 << BITS;

export class WebRtcVideo {
  /** @param {(state: string) => void} onState gets "connected", "disconnected", "failed" or "closed", or "refused" by TURN */
  constructor(onState) {
    this.onState = onState;
    this.askedMs = -Infinity;
    /** @type {RTCPeerConnection | null} */
    this.newest = null;
    this.canvas = document.createElement("canvas");
    [this.canvas.width, this.canvas.height] = [640, 496];
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { alpha: false }));
    this.stream = this.canvas.captureStream(0);
    this.track = /** @type {CanvasCaptureMediaStreamTrack} */ (this.stream.getVideoTracks()[0]);
    this.track.contentHint = "detail";
    this.timer = setInterval(() => this.#lookForPlayer(), LOOK_EVERY_MS);
    this.#lookForPlayer();
  }

  /** Draw a frame with its number, and send it. @param {HTMLVideoElement} video @param {number} number */
  send(video, number) {
    const { width, height } = scaledSize(video, SIDE_MAX_PX, 2);
    const strip = 2 * Math.round((height * STRIP_01) / (1 - STRIP_01) / 2);
    if (this.canvas.width !== width || this.canvas.height !== height + strip) {
      [this.canvas.width, this.canvas.height] = [width, height + strip];
    }
    this.context.drawImage(video, 0, 0, width, height);
    for (let bit = 0; bit < BITS; bit++) {
      this.context.fillStyle = (number >> (BITS - 1 - bit)) & 1 ? "#fff" : "#000";
      this.context.fillRect((bit * width) / BITS, height, Math.ceil(width / BITS), strip);
    }
    this.track.requestFrame();
  }

  close() {
    clearInterval(this.timer);
    this.stream.getTracks().forEach((track) => track.stop());
    this.restore?.();
  }

  /** Give the player its camera. Sometimes it starts twice at once, and then takes the server's answer to one connection
   * for the other; so the second one waits in vain.
   * @returns {Promise<MediaStream>} */
  #answerOnce() {
    const again = performance.now() - this.askedMs < AGAIN_WITHIN_MS;
    this.askedMs = performance.now();
    if (!again) return Promise.resolve(this.stream);
    this.newest?.close();
    return new Promise(() => {});
  }

  #lookForPlayer() {
    const frame = /** @type {HTMLIFrameElement | null} */ (document.querySelector(PLAYER));
    const window = /** @type {any} */ (frame?.contentWindow);
    const devices = window?.navigator?.mediaDevices;
    if (!devices || window === this.window) return;
    this.window = window;
    const Connection = window.RTCPeerConnection;
    devices.getUserMedia = () => this.#answerOnce();
    const { onState } = this;
    const note = (/** @type {RTCPeerConnection} */ connection) => (this.newest = connection);
    window.RTCPeerConnection = class extends Connection {
      /** @param {...any} options */
      constructor(...options) {
        super(...options);
        const connection = /** @type {RTCPeerConnection} */ (/** @type {any} */ (this));
        note(connection);
        connection.addEventListener("connectionstatechange", () => onState(connection.connectionState));
        connection.addEventListener("icecandidateerror", (event) => isRefusal(event) && onState("refused"));
      }
    };
    this.restore = () => {
      delete devices.getUserMedia;
      window.RTCPeerConnection = Connection;
    };
  }
}
