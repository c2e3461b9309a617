// What makes a prediction doubtful: fer_core/inference/face_quality.py and abstention.py, with the same measures.

import { alignedCrop, truncation } from "./face.js";
import { resize, toGray } from "./image.js";
import { mouthOccluded } from "./mouth_occlusion.js";

/** @typedef {import("./face.js").Face} Face */
/** @typedef {import("./image.js").Image} Image */
/** @typedef {import("./mouth_occlusion.js").MouthNetwork} MouthNetwork */

/** @typedef {{side_px: number, truncation_01: number, is_rotated: boolean, yaw_ratio: number, sharpness: number,
 *   mouth_occluded_01: number}} Quality */

/** The limits of `abstention.py`.
 * @typedef {{face_width_min_px: number, margin_min_01: number, truncation_max_01: number, profile_yaw_min: number,
 *   sharpness_min: number, mouth_occluded_min_01: number}} Limits */

const SIDE_PX = 48;
const EDGE_PX = 4;
const DEVIATION_MIN = 4;
const EYE_SPAN_MIN = 0.05;
const SIDE_BY_LANDMARKS = 2.55;
/** @type {[number, number]} */
const ACROSS = [-0.36, 0.36];
/** @type {[number, number]} */
const DOWN = [-0.25, 0.42];
const BLUR = gaussian(1, 4);

/** Measure the quality of a face.
 * @param {{width: number, height: number}} image @param {Face} face
 * @param {Image} crop with `margin01` around the aligned crop
 * @param {number} margin01 @param {MouthNetwork} network
 * @returns {Quality}
 */
export function faceQuality(image, face, crop, margin01, network) {
  const small = toFloat(resize(toGray(withoutMargin(crop, margin01)), SIDE_PX, SIDE_PX));
  return {
    side_px: Math.min(face.box.width, face.box.height),
    truncation_01: truncation01(image, face),
    is_rotated: false,
    yaw_ratio: yawRatio(face.landmarks),
    sharpness: sharpness(small),
    mouth_occluded_01: deviation(small, 0) >= DEVIATION_MIN ? mouthOccluded(small, network) : 0,
  };
}

/** List the reasons to abstain, most important first.
 * @param {Quality} quality @param {number[]} values probabilities @param {number} threshold @param {Limits} limits
 * @returns {string[]}
 */
export function abstainReasons(quality, values, threshold, limits) {
  const [first, second] = [...values].sort((a, b) => b - a);
  const blurred = quality.sharpness < limits.sharpness_min;
  const occluded = quality.mouth_occluded_01 >= limits.mouth_occluded_min_01 && !quality.is_rotated && !blurred;
  /** @type {[string, boolean][]} */
  const checks = [
    ["small_face", quality.side_px < limits.face_width_min_px],
    ["truncated", quality.truncation_01 > limits.truncation_max_01],
    ["rotated", quality.is_rotated],
    ["profile", quality.yaw_ratio >= limits.profile_yaw_min],
    ["blurred", blurred],
    ["mouth_occluded", occluded],
    ["low_confidence", first < threshold],
    ["small_margin", first - second < limits.margin_min_01],
  ];
  return checks.filter(([, applies]) => applies).map(([reason]) => reason);
}

/** @param {{width: number, height: number}} image @param {Face} face */
function truncation01(image, face) {
  const crop = alignedCrop(face);
  const [right, left, , mouthRight, mouthLeft] = face.landmarks;
  const eyes = [(right[0] + left[0]) / 2, (right[1] + left[1]) / 2];
  const mouth = [(mouthRight[0] + mouthLeft[0]) / 2, (mouthRight[1] + mouthLeft[1]) / 2];
  const sidePx = SIDE_BY_LANDMARKS * Math.hypot(mouth[0] - eyes[0], mouth[1] - eyes[1]);
  const byPoints = { x: (eyes[0] + mouth[0]) / 2, y: (eyes[1] + mouth[1]) / 2, sidePx, rollDeg: crop.rollDeg };
  return Math.max(truncation(crop, image, ACROSS, DOWN), truncation(byPoints, image, ACROSS, DOWN));
}

/** Distance of the nose from the line between the middles of eyes and mouth, in eye distances.
 * @param {number[][]} points */
export function yawRatio(points) {
  const [right, left, nose, mouthRight, mouthLeft] = points;
  const eyes = [(right[0] + left[0]) / 2, (right[1] + left[1]) / 2];
  const down = [(mouthRight[0] + mouthLeft[0]) / 2 - eyes[0], (mouthRight[1] + mouthLeft[1]) / 2 - eyes[1]];
  const length = Math.hypot(down[0], down[1]);
  if (!length) return 0;
  const across = [down[1] / length, -down[0] / length];
  const span = (left[0] - right[0]) * across[0] + (left[1] - right[1]) * across[1];
  const off = (nose[0] - eyes[0]) * across[0] + (nose[1] - eyes[1]) * across[1];
  return Math.abs(off) / Math.max(span, EYE_SPAN_MIN * length);
}

/** Standard deviation of the fine detail, in standard deviations of the crop; 1 for a flat crop.
 * @param {Float32Array} small */
function sharpness(small) {
  const spread = deviation(small, EDGE_PX);
  if (spread < DEVIATION_MIN) return 1;
  const blurred = convolve(convolve(small, BLUR, 1, SIDE_PX), BLUR, SIDE_PX, 1);
  return deviation(small.map((value, i) => value - blurred[i]), EDGE_PX) / spread;
}

/** Convolve rows or columns; beyond the edge the image is reflected.
 * @param {Float32Array} image @param {number[]} kernel
 * @param {number} step to the next pixel of a line @param {number} next to the next line
 */
function convolve(image, kernel, step, next) {
  const half = (kernel.length - 1) / 2;
  const out = new Float32Array(image.length);
  for (let line = 0; line < SIDE_PX; line++) {
    for (let place = 0; place < SIDE_PX; place++) {
      let sum = 0;
      for (let i = -half; i <= half; i++) {
        let at = place + i;
        if (at < 0) at = -1 - at;
        if (at >= SIDE_PX) at = 2 * SIDE_PX - 1 - at;
        sum += image[line * next + at * step] * kernel[i + half];
      }
      out[line * next + place * step] = sum;
    }
  }
  return out;
}

/** Standard deviation, without `edge` pixels on each side.
 * @param {Float32Array} image @param {number} edge */
function deviation(image, edge) {
  let [count, sum, squares] = [0, 0, 0];
  for (let row = edge; row < SIDE_PX - edge; row++) {
    for (let column = edge; column < SIDE_PX - edge; column++) {
      const value = image[row * SIDE_PX + column];
      count++;
      sum += value;
      squares += value * value;
    }
  }
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}

/** @param {Image} image */
const toFloat = (image) => Float32Array.from(image.data);

/** @param {Image} crop @param {number} margin01 @returns {Image} */
function withoutMargin(crop, margin01) {
  const cut = margin01 > 0 ? Math.round((margin01 / (1 + 2 * margin01)) * crop.height) : 0;
  if (!cut) return crop;
  const [width, height] = [crop.width - 2 * cut, crop.height - 2 * cut];
  const data = new Uint8Array(width * height * crop.channels);
  for (let row = 0; row < height; row++) {
    const from = ((row + cut) * crop.width + cut) * crop.channels;
    data.set(crop.data.subarray(from, from + width * crop.channels), row * width * crop.channels);
  }
  return { data, width, height, channels: crop.channels };
}

/** @param {number} sigma @param {number} half @returns {number[]} a kernel that sums to 1 */
function gaussian(sigma, half) {
  const values = Array.from({ length: 2 * half + 1 }, (_, i) => Math.exp(-((i - half) ** 2) / (2 * sigma * sigma)));
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}
