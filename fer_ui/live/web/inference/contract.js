// A model's input from a face crop, and its probabilities from the network's outputs; fer_core/contract.py and
// fer_core/calibration.py say what the fields mean.

import { resize, toGray } from "./image.js";

/** @typedef {import("./image.js").Image} Image */

/** @typedef {{color: "gray" | "rgb", size_px: number, crop_margin_01: number,
 *   normalization: "byte" | "unit" | "image" | "channel", mean: number[], std: number[], labels: string[]}} Contract */

/** @typedef {{tau: number, temperature: number, confidence_threshold: number}} PointCalibration */

/** @typedef {{log_priors: number[], points: Record<string, PointCalibration>}} Calibration */

const DEVIATION_MIN = 1; // in gray levels

/** Convert a crop to the contract's color and size.
 * @param {Contract} contract @param {Image} crop
 * @returns {Uint8Array} shape (channels, size, size)
 */
export function resizeCrop(contract, crop) {
  const gray = contract.color === "gray" ? toGray(crop) : crop;
  const small = resize(gray, contract.size_px, contract.size_px);
  const pixels = contract.size_px ** 2;
  const channels = contract.color === "gray" ? 1 : 3;
  if (channels === 1) return Uint8Array.from(small.data);
  const planes = new Uint8Array(channels * pixels);
  for (let channel = 0; channel < channels; channel++) {
    const from = small.channels === 1 ? 0 : channel;
    for (let i = 0; i < pixels; i++) planes[channel * pixels + i] = small.data[i * small.channels + from];
  }
  return planes;
}

/** Normalize pixels for the network.
 * @param {Contract} contract
 * @param {Uint8Array} pixels from `resizeCrop`
 * @param {boolean} [flipped] mirror the face
 * @returns {Float32Array} the same shape
 */
export function normalize(contract, pixels, flipped = false) {
  const values = Float32Array.from(flipped ? flipRows(pixels, contract.size_px) : pixels);
  if (contract.normalization === "byte") return values;
  if (contract.normalization === "image") return standardize(values);
  const plane = contract.size_px ** 2;
  return values.map((value, i) => {
    const channel = Math.floor(i / plane);
    const unit = value / 255;
    return contract.normalization === "unit" ? unit : (unit - contract.mean[channel]) / contract.std[channel];
  });
}

/** @param {Float32Array} values */
function standardize(values) {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const deviation = Math.max(Math.sqrt(squares / values.length), DEVIATION_MIN);
  return values.map((value) => (value - mean) / deviation);
}

/** @param {Uint8Array} pixels @param {number} width */
function flipRows(pixels, width) {
  const flipped = new Uint8Array(pixels.length);
  for (let row = 0; row < pixels.length; row += width) {
    for (let column = 0; column < width; column++) flipped[row + column] = pixels[row + width - 1 - column];
  }
  return flipped;
}

/** Compute the probabilities at an operating point: softmax((z - tau * log_prior) / temperature).
 * @param {Calibration} calibration @param {string} point @param {ArrayLike<number>} logits
 * @returns {number[]} in the order of the contract's labels
 */
export function probabilities(calibration, point, logits) {
  const { tau, temperature } = calibration.points[point];
  const scaled = Array.from(logits, (logit, i) => (logit - tau * calibration.log_priors[i]) / temperature);
  const highest = Math.max(...scaled);
  const powers = scaled.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}
