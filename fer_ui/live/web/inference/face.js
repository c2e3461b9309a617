// A detected face: its box, its landmarks, and the crop that follows from them.

/** A rectangle in pixels of its image; it may reach over the edge.
 * @typedef {{x: number, y: number, width: number, height: number}} Box */

/** A detected face; landmarks are x and y of the right eye, left eye, nose tip, right and left corner of the mouth.
 * @typedef {{box: Box, score: number, landmarks: number[][]}} Face */

/** @typedef {import("./image.js").AlignedCrop} AlignedCrop */

export const CROP_SIDE = 1.04;
const ROLL_MAX_DEG = 45;
const SAMPLES = 32;

/** @param {Box} box */
export const area = (box) => box.width * box.height;

/** @param {Box} box @returns {[number, number]} */
export const center = (box) => [box.x + box.width / 2, box.y + box.height / 2];

/** Intersection over union of two boxes.
 * @param {Box} one @param {Box} other */
export function iou(one, other) {
  const shared = intersection(one, other);
  const union = area(one) + area(other) - shared;
  return union ? shared / union : 0;
}

/** @param {Box} one @param {Box} other */
export function intersection(one, other) {
  const across = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const down = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  return Math.max(0, across) * Math.max(0, down);
}

/** The crop for the model: about the box's center, upright by the eyes.
 * @param {Face} face @returns {AlignedCrop} */
export function alignedCrop(face) {
  const [x, y] = center(face.box);
  const [right, left] = face.landmarks;
  const angle = (Math.atan2(left[1] - right[1], left[0] - right[0]) * 180) / Math.PI;
  const rollDeg = Math.abs(angle) <= ROLL_MAX_DEG ? angle : 0;
  return { x, y, sidePx: CROP_SIDE * Math.sqrt(Math.max(area(face.box), 0)), rollDeg };
}

/** Whether any of the crop, without its roll, lies in the image.
 * @param {AlignedCrop} crop @param {{width: number, height: number}} image */
export function intersectsImage(crop, image) {
  const half = crop.sidePx / 2;
  const inside = (/** @type {number} */ place, /** @type {number} */ length) => -half < place && place < length + half;
  return half > 0 && inside(crop.x, image.width) && inside(crop.y, image.height);
}

/** Share of a region of the crop that lies outside the image.
 * @param {AlignedCrop} crop @param {{width: number, height: number}} image
 * @param {[number, number]} across left and right end of the region, from the center, in sides of the crop
 * @param {[number, number]} down its upper and lower end
 */
export function truncation(crop, image, across, down) {
  const roll = (crop.rollDeg * Math.PI) / 180;
  const [cos, sin] = [Math.cos(roll), Math.sin(roll)];
  let inside = 0;
  for (let row = 0; row < SAMPLES; row++) {
    const below = crop.sidePx * (down[0] + ((down[1] - down[0]) * (row + 0.5)) / SAMPLES);
    for (let column = 0; column < SAMPLES; column++) {
      const right = crop.sidePx * (across[0] + ((across[1] - across[0]) * (column + 0.5)) / SAMPLES);
      const x = crop.x + right * cos - below * sin;
      const y = crop.y + right * sin + below * cos;
      if (x >= 0 && x < image.width && y >= 0 && y < image.height) inside++;
    }
  }
  return 1 - inside / SAMPLES ** 2;
}
