// Detect known faces near their last places, in a mosaic of all regions: fer_core/live/region_search.py.

import { alignedCrop, area, center, intersectsImage, iou } from "./face.js";
import { resize, roundHalfEven } from "./image.js";
import { INPUT_SIDE_PX } from "./yunet.js";

/** @typedef {import("./image.js").Image} Image */
/** @typedef {import("./face.js").Box} Box */
/** @typedef {import("./face.js").Face} Face */

const REGION_SIDES = 1.8;
const FACE_PX = 80;
const STEP_PX = 16;
const GRAY = 127;
const MOSAIC_AREA_MAX_01 = 0.6;

/** A square of the frame and its place in the mosaic.
 * @typedef {{left: number, top: number, scale: number, mosaicX: number, mosaicY: number}} Region */

/** For each box the face that is there now, or null; null instead of a list if the whole frame is as fast.
 * @param {import("./yunet.js").Detector} detector @param {Image} image @param {Box[]} boxes
 * @returns {Promise<(Face | null)[] | null>} */
export async function detectInRegions(detector, image, boxes) {
  const whole = INPUT_SIDE_PX / Math.max(image.width, image.height, INPUT_SIDE_PX);
  const face = Math.max(...boxes.map((box) => Math.min(Math.sqrt(area(box)) * whole, FACE_PX)));
  const tile = Math.ceil((face * REGION_SIDES) / STEP_PX) * STEP_PX;
  const columns = gridColumns(boxes.length, Math.floor(INPUT_SIDE_PX / tile));
  const rows = Math.ceil(boxes.length / columns);
  if (columns * rows * tile * tile > MOSAIC_AREA_MAX_01 * image.width * image.height * whole * whole) return null;
  const [width, height] = [columns * tile, rows * tile];
  const mosaic = { data: new Uint8Array(width * height * 3).fill(GRAY), width, height, channels: 3 };
  const regions = boxes.map((box, number) =>
    pasteRegion(mosaic, image, box, tile, (number % columns) * tile, Math.floor(number / columns) * tile),
  );
  /** @type {(Face | null)[]} */
  const faces = boxes.map(() => null);
  const best = boxes.map(() => 0);
  for (const found of await detector(mosaic, INPUT_SIDE_PX)) {
    const number = tileOf(found.box, tile, columns);
    if (number >= boxes.length) continue;
    const moved = toFrame(found, regions[number]);
    const overlap = iou(moved.box, boxes[number]);
    if (overlap > best[number] && intersectsImage(alignedCrop(moved), image)) {
      [faces[number], best[number]] = [moved, overlap];
    }
  }
  return faces;
}

/** Columns with the fewest empty tiles, as square as possible.
 * @param {number} tiles @param {number} sideMax */
function gridColumns(tiles, sideMax) {
  const cost = (/** @type {number} */ columns) => {
    const rows = Math.ceil(tiles / columns);
    return [Math.max(columns, rows, sideMax), columns * rows, Math.max(columns, rows)];
  };
  const order = (/** @type {number[]} */ a, /** @type {number[]} */ b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
  return Array.from({ length: tiles }, (_, i) => i + 1).sort((a, b) => order(cost(a), cost(b)))[0];
}

/** @param {Image} mosaic @param {Image} image @param {Box} box @param {number} tile @param {number} mosaicX
 * @param {number} mosaicY @returns {Region} */
function pasteRegion(mosaic, image, box, tile, mosaicX, mosaicY) {
  const side = Math.max(roundHalfEven(REGION_SIDES * Math.sqrt(area(box))), tile);
  const [left, top] = center(box).map((place) => roundHalfEven(place - side / 2));
  const scale = tile / side;
  const [x0, y0] = [Math.max(left, 0), Math.max(top, 0)];
  const [x1, y1] = [Math.min(left + side, image.width), Math.min(top + side, image.height)];
  const [across, down] = [roundHalfEven((x0 - left) * scale), roundHalfEven((y0 - top) * scale)];
  const width = Math.min(roundHalfEven((x1 - x0) * scale), tile - across);
  const height = Math.min(roundHalfEven((y1 - y0) * scale), tile - down);
  if (width > 0 && height > 0) {
    const step = Math.max(1, Math.floor(side / (2 * tile))); // averaging more than two pixels per side is slow
    const small = resize(sample(image, x0, y0, x1, y1, step), width, height);
    for (let row = 0; row < height; row++) {
      const to = ((mosaicY + down + row) * mosaic.width + mosaicX + across) * 3;
      mosaic.data.set(small.data.subarray(row * width * 3, (row + 1) * width * 3), to);
    }
  }
  return { left, top, scale, mosaicX, mosaicY };
}

/** Every `step`th pixel of a rectangle.
 * @param {Image} image @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1
 * @param {number} step @returns {Image} RGB */
function sample(image, x0, y0, x1, y1, step) {
  const width = Math.ceil((x1 - x0) / step);
  const height = Math.ceil((y1 - y0) / step);
  const data = new Uint8Array(width * height * 3);
  for (let row = 0, to = 0; row < height; row++) {
    let from = ((y0 + row * step) * image.width + x0) * image.channels;
    for (let column = 0; column < width; column++, to += 3, from += step * image.channels) {
      data[to] = image.data[from];
      data[to + 1] = image.data[from + 1];
      data[to + 2] = image.data[from + 2];
    }
  }
  return { data, width, height, channels: 3 };
}

/** @param {Box} box @param {number} tile @param {number} columns */
function tileOf(box, tile, columns) {
  const [column, row] = center(box).map((place) => Math.floor(place / tile));
  return Math.min(Math.max(column, 0), columns - 1) + Math.max(row, 0) * columns;
}

/** @param {Face} face @param {Region} region @returns {Face} in pixels of the frame */
function toFrame(face, region) {
  const x = (/** @type {number} */ value) => (value - region.mosaicX) / region.scale + region.left;
  const y = (/** @type {number} */ value) => (value - region.mosaicY) / region.scale + region.top;
  const [left, top] = [roundHalfEven(x(face.box.x)), roundHalfEven(y(face.box.y))];
  const right = roundHalfEven(x(face.box.x + face.box.width));
  const bottom = roundHalfEven(y(face.box.y + face.box.height));
  const box = { x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
  return { box, score: face.score, landmarks: face.landmarks.map(([across, down]) => [x(across), y(down)]) };
}
