// From the frames of a video to what the network says of each face: fer_core/live/predictor.py, in the browser.
//
// The whole frame is searched at intervals, known faces are followed in between, and a face's crop is classified when
// it has changed. Passes alternate between the crop and its mirror image, and the last two are averaged.

import { normalize, resizeCrop } from "./contract.js";
import { alignedCrop, iou } from "./face.js";
import { faceQuality } from "./face_quality.js";
import { cropFace } from "./image.js";
import { detectInRegions } from "./region_search.js";
import { INPUT_SIDE_PX } from "./yunet.js";

/** @typedef {import("./image.js").Image} Image */
/** @typedef {import("./face.js").Face} Face */
/** @typedef {import("./face_quality.js").Quality} Quality */

/** What the network says of a face; logits are in the order of the contract's labels.
 * @typedef {{box: import("./face.js").Box, logits: number[], quality: Quality}} Prediction */

/** @typedef {{contract: import("./contract.js").Contract, flipTta: boolean, provider: string,
 *   detector: import("./yunet.js").Detector, mouth: import("./mouth_occlusion.js").MouthNetwork,
 *   classify: (input: Float32Array, count: number) => Promise<number[][]>}} Parts */

/** @typedef {{face: Face, input: Uint8Array | null, quality: Quality | null, passes: number,
 *   logits: Map<boolean, number[]>, predictedS: number, flipNext: boolean}} Known */

const SEARCH_EVERY_S = 0.5;
const PREDICT_EVERY_S = 0.5;
const TTA_WITHIN_S = 0.3;
const CROP_CHANGE_MAX_01 = 0.15;
const CONTRAST_MIN = 8;
const CELLS = 12;
const FACES_PER_FRAME_MAX = 4;
const IOU_MIN_01 = 0.2;

export class LivePredictor {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    this.orientations = parts.flipTta ? 2 : 1;
    /** @type {Known[]} */
    this.faces = [];
    this.found = 0;
    this.searchedS = -Infinity;
    this.timesMs = { detector: 0, classifier: 0 };
  }

  /** Predict the largest faces of the next frame, at most `facesMax`; `found` says how many there are.
   * @param {Image} image @param {number} atS @param {number} facesMax
   * @returns {Promise<{predictions: Prediction[], found: number}>} */
  async predict(image, atS, facesMax) {
    const started = performance.now();
    await this.#findFaces(image, atS, facesMax);
    const found = performance.now();
    await this.#classify(image, atS);
    this.timesMs = { detector: found - started, classifier: performance.now() - found };
    const predictions = this.faces.flatMap(({ face, logits, quality }) =>
      logits.size && quality ? [{ box: face.box, logits: meanOf([...logits.values()]), quality }] : [],
    );
    return { predictions, found: this.found };
  }

  /** @param {Image} image @param {number} atS @param {number} facesMax */
  async #findFaces(image, atS, facesMax) {
    if (this.faces.length && atS - this.searchedS < SEARCH_EVERY_S) {
      const boxes = this.faces.map((known) => known.face.box);
      const moved = await detectInRegions(this.parts.detector, image, boxes);
      if (moved && !moved.includes(null)) {
        this.faces.forEach((known, i) => (known.face = /** @type {Face} */ (moved[i])));
        return;
      }
    }
    const found = await this.parts.detector(image, INPUT_SIDE_PX);
    const largestFirst = found.sort((one, other) => other.box.width - one.box.width);
    const before = [...this.faces];
    this.found = found.length;
    this.faces = largestFirst.slice(0, facesMax).map((face) => {
      const place = before.findIndex((known) => iou(known.face.box, face.box) > IOU_MIN_01);
      return place < 0 ? newFace(face) : { ...before.splice(place, 1)[0], face };
    });
    this.searchedS = atS;
  }

  /** Classify new and changed faces, and those that wait for their second pass, longest waiting first.
   * @param {Image} image @param {number} atS */
  async #classify(image, atS) {
    const { contract, mouth } = this.parts;
    const requests = [];
    for (const known of [...this.faces].sort((one, other) => one.predictedS - other.predictedS)) {
      if (requests.length === FACES_PER_FRAME_MAX) break;
      const crop = cropFace(image, alignedCrop(known.face), contract.crop_margin_01);
      const input = resizeCrop(contract, crop);
      const isOld = atS - known.predictedS >= PREDICT_EVERY_S;
      if (!known.input || isOld || cropChange(known.input, input, contract.size_px) > CROP_CHANGE_MAX_01) {
        if (atS - known.predictedS > TTA_WITHIN_S) known.logits.clear();
        known.quality = faceQuality(image, known.face, crop, contract.crop_margin_01, mouth);
        Object.assign(known, { input, passes: 0, predictedS: atS });
        requests.push(known);
      } else if (known.passes < this.orientations) {
        requests.push(known);
      }
    }
    if (!requests.length) return;
    const values = contract.size_px ** 2 * (contract.color === "gray" ? 1 : 3);
    const batch = new Float32Array(values * requests.length);
    requests.forEach(({ input, flipNext }, i) =>
      batch.set(normalize(contract, /** @type {Uint8Array} */ (input), flipNext), i * values),
    );
    const rows = await this.parts.classify(batch, requests.length);
    requests.forEach((known, i) => {
      known.logits.set(known.flipNext, rows[i]);
      known.passes++;
      known.flipNext = this.orientations > 1 && !known.flipNext;
    });
  }
}

/** @param {Face} face @returns {Known} */
function newFace(face) {
  return { face, input: null, quality: null, passes: 0, logits: new Map(), predictedS: -Infinity, flipNext: false };
}

/** @param {number[][]} rows */
const meanOf = (rows) => rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);

/** Largest change of a crop: the highest mean difference of a cell, in standard deviations of the crop.
 * @param {Uint8Array} before shape (channels, side, side) @param {Uint8Array} after @param {number} side */
export function cropChange(before, after, side) {
  const sums = new Float64Array(CELLS * CELLS);
  const counts = new Float64Array(CELLS * CELLS);
  let [total, squares] = [0, 0];
  for (let i = 0; i < before.length; i++) {
    const pixel = i % (side * side);
    const [row, column] = [Math.floor(pixel / side), pixel % side];
    const cell = Math.floor((row * CELLS) / side) * CELLS + Math.floor((column * CELLS) / side);
    sums[cell] += Math.abs(before[i] - after[i]);
    counts[cell]++;
    total += before[i];
    squares += before[i] ** 2;
  }
  const deviation = Math.sqrt(Math.max(0, squares / before.length - (total / before.length) ** 2));
  return Math.max(...sums.map((sum, i) => sum / counts[i])) / Math.max(deviation, CONTRAST_MIN);
}
