// YuNet face detector (Wu, Peng, Yu 2023) on onnxruntime-web: fer_core/detection/yunet.py.

import { alignedCrop, intersectsImage, iou } from "./face.js";
import { resizeByArea, roundHalfEven } from "./image.js";

/** @typedef {import("./image.js").Image} Image */
/** @typedef {import("./face.js").Face} Face */

/** Runs a network: from the input and its shape to the outputs by name.
 * @typedef {(input: Float32Array, shape: number[]) => Promise<Record<string, Float32Array>>} Network */

export const INPUT_SIDE_PX = 640;
const INPUT_MIN_PX = 64;
const OVERLAP_MAX_01 = 0.3;
const STRIDES_PX = [8, 16, 32];

/** A face detector; `sidePx` is the longer side of the network's input, smaller images are not upscaled.
 * @typedef {(image: Image, sidePx: number) => Promise<Face[]>} Detector */

/** @param {Network} network @param {number} scoreMin01 @returns {Detector} */
export function createDetector(network, scoreMin01) {
  return async (image, sidePx) => {
    const scale = Math.min(1, sidePx / Math.max(image.width, image.height));
    const width = Math.max(1, roundHalfEven(image.width * scale));
    const height = Math.max(1, roundHalfEven(image.height * scale));
    const small = scale < 1 ? resizeByArea(image, width, height) : image;
    const { input, columns, rows } = toInput(small);
    const outputs = await network(input, [1, 3, rows, columns]);
    const found = STRIDES_PX.flatMap((stride) => decode(outputs, stride, columns / stride, scoreMin01));
    const [across, down] = [image.width / width, image.height / height];
    return suppress(found)
      .map((each) => toFace(each, across, down))
      .filter((face) => intersectsImage(alignedCrop(face), image))
      .sort((one, other) => one.box.x - other.box.x || one.box.y - other.box.y);
  };
}

/** Blue, green and red planes, filled up to a multiple of the largest stride; small images with gray before.
 * @param {Image} image */
function toInput(image) {
  const { data, channels, width, height } = image;
  const last = STRIDES_PX[STRIDES_PX.length - 1];
  const [grayWidth, grayHeight] = [Math.max(width, INPUT_MIN_PX), Math.max(height, INPUT_MIN_PX)];
  const columns = Math.ceil(grayWidth / last) * last;
  const rows = Math.ceil(grayHeight / last) * last;
  const plane = rows * columns;
  const input = new Float32Array(3 * plane);
  if (grayWidth > width || grayHeight > height) {
    for (let row = 0; row < 3 * rows; row++) {
      if (row % rows < grayHeight) input.fill(128, row * columns, row * columns + grayWidth);
    }
  }
  for (let row = 0; row < height; row++) {
    for (let column = 0, to = row * columns, from = row * width * channels; column < width; column++, to++) {
      input[to + 2 * plane] = data[from];
      input[to + plane] = data[from + 1];
      input[to] = data[from + 2];
      from += channels;
    }
  }
  return { input, columns, rows };
}

/** A detection in pixels of the network's input.
 * @typedef {{x: number, y: number, width: number, height: number, points: number[], score: number}} Detection */

/** Faces of one grid: center and landmarks are offsets from the cell's corner in cells, the size is a logarithm, and
 * the score the geometric mean of two outputs.
 * @param {Record<string, Float32Array>} outputs @param {number} stride @param {number} columns
 * @param {number} scoreMin01 @returns {Detection[]} */
function decode(outputs, stride, columns, scoreMin01) {
  const [cls, obj, boxes, points] = ["cls", "obj", "bbox", "kps"].map((kind) => outputs[`${kind}_${stride}`]);
  const detections = [];
  for (let cell = 0; cell < cls.length; cell++) {
    const score = Math.sqrt(unit(cls[cell]) * unit(obj[cell]));
    if (score < scoreMin01) continue;
    const [column, row] = [cell % columns, Math.floor(cell / columns)];
    const width = Math.exp(boxes[4 * cell + 2]) * stride;
    const height = Math.exp(boxes[4 * cell + 3]) * stride;
    detections.push({
      x: (column + boxes[4 * cell]) * stride - width / 2,
      y: (row + boxes[4 * cell + 1]) * stride - height / 2,
      width,
      height,
      points: Array.from({ length: 10 }, (_, i) => (points[10 * cell + i] + (i % 2 ? row : column)) * stride),
      score,
    });
  }
  return detections;
}

/** @param {number} value */
const unit = (value) => Math.min(1, Math.max(0, value));

/** Keep of overlapping detections the one with the highest score.
 * @param {Detection[]} detections */
function suppress(detections) {
  /** @type {Detection[]} */
  const kept = [];
  for (const each of [...detections].sort((one, other) => other.score - one.score)) {
    if (kept.every((better) => iou(each, better) <= OVERLAP_MAX_01)) kept.push(each);
  }
  return kept;
}

/** @param {Detection} each @param {number} across @param {number} down factors to pixels of the image
 * @returns {Face} */
function toFace(each, across, down) {
  const [left, right] = [each.x, each.x + each.width].map((x) => roundHalfEven(x * across));
  const [top, bottom] = [each.y, each.y + each.height].map((y) => roundHalfEven(y * down));
  const landmarks = Array.from({ length: 5 }, (_, i) => [each.points[2 * i] * across, each.points[2 * i + 1] * down]);
  const box = { x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
  return { box, score: Math.min(1, each.score), landmarks };
}
