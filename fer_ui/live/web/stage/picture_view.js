// The faces over the picture: draws them with each frame of the video, and finds the one that is clicked.

import { nowS } from "./live.js";
import { drawOverlay, toPicture } from "./overlay.js";

/** @typedef {import("./live.js").Moment} Moment */
/** @typedef {import("./answer.js").Answer} Answer */

export class PictureView {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** @type {Moment | null} */
    this.moment = null;
    /** @type {Map<number, Answer>} */
    this.answers = new Map();
    this.mirror = false;
    this.boxes = true;
    /** The face that was chosen. @type {number | null} */
    this.focus = null;
    this.isEmpty = true;
  }

  /** Choose the face at a place of the canvas. @param {number} x @param {number} y */
  choose(x, y) {
    const scene = this.#scene();
    const { clientWidth, clientHeight } = this.canvas;
    const hit = scene?.faces.find((face) => {
      const box = toPicture(face, scene, clientWidth, clientHeight);
      return box.x <= x && x <= box.x + box.width && box.y <= y && y <= box.y + box.height;
    });
    if (hit) this.focus = hit.id;
  }

  /** Draw the faces where they are now, or nothing. */
  draw() {
    const scene = this.#scene();
    if (scene) drawOverlay(this.canvas, scene);
    else if (!this.isEmpty) this.canvas.getContext("2d")?.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.isEmpty = !scene;
  }

  #scene() {
    const { moment, answers, mirror, boxes } = this;
    if (!moment?.faces.length) return null;
    return { ...moment, answers, mirror, boxes, focus: this.focus ?? moment.faces[0].id, atS: nowS() };
  }
}
