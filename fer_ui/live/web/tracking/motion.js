// Where a face will be: a Kalman filter of its center and side with constant speed, as in fer_core/live/motion.py.

import { area, center } from "../inference/face.js";

/** @typedef {import("../inference/face.js").Box} Box */

const PROCESS_NOISE = 6; // standard deviation of the acceleration, in sides of the face per second squared
const BOX_NOISE = 0.04; // of a detected box's center and side, in sides
const SPEED_MAX = 3; // in sides per second
const UNSEEN_SPEED_TIME_S = 0.3;

/** One of center x, center y and side. @typedef {{value: number, speed: number, p: number, q: number, r: number}} Axis */

export class FaceMotion {
  /** Start with a box at rest. @param {Box} box @param {number} atS */
  constructor(box, atS) {
    const side = Math.sqrt(area(box));
    const [p, r] = [(BOX_NOISE * side) ** 2, ((SPEED_MAX * side) / 2) ** 2];
    /** @type {Axis[]} covariance p, q, r: of the value, of both, of the speed */
    this.axes = [...center(box), side].map((value) => ({ value, speed: 0, p, q: 0, r }));
    this.atS = atS;
    this.aspect = box.width / Math.max(box.height, 1);
  }

  /** The box at a time; the filter stays as it is. @param {number} atS @returns {Box} */
  predict(atS) {
    const elapsedS = Math.max(0, atS - this.atS);
    const movedS = UNSEEN_SPEED_TIME_S * (1 - Math.exp(-elapsedS / UNSEEN_SPEED_TIME_S));
    const [x, y, side] = this.axes.map((axis) => axis.value + axis.speed * movedS);
    const width = Math.max(side, 1) * Math.sqrt(this.aspect);
    const height = Math.max(side, 1) / Math.sqrt(this.aspect);
    return { x: x - width / 2, y: y - height / 2, width, height };
  }

  /** Correct the state with a detected box. @param {Box} box @param {number} atS */
  update(box, atS) {
    const t = Math.max(1e-3, atS - this.atS);
    const side = Math.sqrt(area(box));
    const noise = (PROCESS_NOISE * side) ** 2;
    const measured = [...center(box), side];
    this.axes.forEach((axis, i) => {
      const p = axis.p + 2 * t * axis.q + t * t * axis.r + (noise * t ** 4) / 4;
      const q = axis.q + t * axis.r + (noise * t ** 3) / 2;
      const r = axis.r + noise * t ** 2;
      const value = axis.value + axis.speed * t;
      const [gain, speedGain] = [p / (p + (BOX_NOISE * side) ** 2), q / (p + (BOX_NOISE * side) ** 2)];
      axis.value = value + gain * (measured[i] - value);
      axis.speed = Math.min(SPEED_MAX * side, Math.max(-SPEED_MAX * side, axis.speed + speedGain * (measured[i] - value)));
      [axis.p, axis.q, axis.r] = [p - gain * p, q - gain * q, r - speedGain * q];
    });
    this.atS = atS;
    this.aspect = box.width / Math.max(box.height, 1);
  }
}
