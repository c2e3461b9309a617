// Whether a hand or a mask covers the mouth: fer_core/inference/mouth_occlusion.py.

/** The weights: one hidden layer between standardized features and a probability.
 * @typedef {{mean: Float32Array, scale: Float32Array, hidden: Float32Array, hiddenBias: Float32Array,
 *   output: Float32Array, outputBias: Float32Array}} MouthNetwork */

const SIDE_PX = 48;
const CELL_PX = 6;
const CELLS = SIDE_PX / CELL_PX;
const DIRECTIONS = 8;
const FIRST_ROW = 3;
const COARSE_PX = 4;

/** Read the weights, which are one after the other in a file.
 * @param {ArrayBuffer} file @param {number} features @param {number} units @returns {MouthNetwork} */
export function readMouthNetwork(file, features, units) {
  let at = 0;
  const next = (/** @type {number} */ length) => new Float32Array(file, 4 * at, (at += length) && length);
  return {
    mean: next(features),
    scale: next(features),
    hidden: next(features * units),
    hiddenBias: next(units),
    output: next(units),
    outputBias: next(1),
  };
}

/** Probability that the mouth is covered.
 * @param {Float32Array} face gray levels, 48x48 @param {MouthNetwork} network */
export function mouthOccluded(face, network) {
  const features = computeFeatures(face);
  const units = network.hiddenBias.length;
  const hidden = Float32Array.from(network.hiddenBias);
  for (let i = 0; i < features.length; i++) {
    const value = (features[i] - network.mean[i]) / network.scale[i];
    for (let unit = 0; unit < units; unit++) hidden[unit] += value * network.hidden[i * units + unit];
  }
  let logit = network.outputBias[0];
  for (let unit = 0; unit < units; unit++) logit += Math.max(hidden[unit], 0) * network.output[unit];
  return 1 / (1 + Math.exp(-Math.min(30, Math.max(-30, logit))));
}

/** Histograms of oriented gradients (Dalal and Triggs 2005) of the lower part's cells, and its gray levels, coarsely.
 * @param {Float32Array} pixels */
function computeFeatures(pixels) {
  const face = standardize(pixels);
  const bins = new Float32Array(CELLS * CELLS * DIRECTIONS);
  let total = 0;
  for (let row = 0; row < SIDE_PX; row++) {
    for (let column = 0; column < SIDE_PX; column++) {
      const across = slope(face, row * SIDE_PX, column, 1);
      const down = slope(face, column, row, SIDE_PX);
      const magnitude = Math.hypot(across, down);
      const angle = Math.atan2(down, across);
      const direction = ((((angle < 0 ? angle + 2 * Math.PI : angle) * DIRECTIONS) / Math.PI) % DIRECTIONS);
      const lower = Math.floor(direction);
      const cell = (CELLS * Math.floor(row / CELL_PX) + Math.floor(column / CELL_PX)) * DIRECTIONS;
      const upperShare = magnitude * (direction - lower);
      bins[cell + (lower % DIRECTIONS)] += magnitude - upperShare;
      bins[cell + ((lower + 1) % DIRECTIONS)] += upperShare;
      total += magnitude;
    }
  }
  const mean = Math.max(total / face.length, 0.01);
  const edges = bins.subarray(FIRST_ROW * CELLS * DIRECTIONS).map((sum) => Math.sqrt(sum / CELL_PX ** 2 / mean));
  const shades = blockMeans(face).subarray(Math.floor((FIRST_ROW * CELL_PX) / COARSE_PX) * (SIDE_PX / COARSE_PX));
  return [...edges, ...shades];
}

/** @param {Float32Array} pixels */
function standardize(pixels) {
  const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  const variance = pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pixels.length;
  const deviation = Math.max(Math.sqrt(variance), 1);
  return pixels.map((value) => (value - mean) / deviation);
}

/** Central difference, one-sided at the ends, along a line that begins at `start`.
 * @param {Float32Array} face @param {number} start @param {number} place @param {number} step */
function slope(face, start, place, step) {
  const before = Math.max(place - 1, 0);
  const after = Math.min(place + 1, SIDE_PX - 1);
  return (face[start + after * step] - face[start + before * step]) / (after - before);
}

/** @param {Float32Array} face */
function blockMeans(face) {
  const across = SIDE_PX / COARSE_PX;
  const means = new Float32Array(across * across);
  for (let i = 0; i < face.length; i++) {
    const block = Math.floor(Math.floor(i / SIDE_PX) / COARSE_PX) * across + Math.floor((i % SIDE_PX) / COARSE_PX);
    means[block] += face[i] / COARSE_PX ** 2;
  }
  return means;
}
