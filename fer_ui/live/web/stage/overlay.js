// Boxes and labels over the picture, drawn with each of its frames: a box glides with its face between two results.

import { placeLabels } from "./label_places.js";

/** @typedef {import("./answer.js").Answer} Answer */
/** @typedef {import("../tracking/tracker.js").TrackedFace} TrackedFace */

const UNCERTAIN = { color: "#e2e7ed", text: "#10151b" };
const EDGE = "rgba(16, 21, 27, 0.75)";
const CORNER_PX = 10;

/** @typedef {{faces: TrackedFace[], answers: Map<number, Answer>, width: number, height: number, mirror: boolean,
 *   boxes: boolean, focus: number | null, atS: number}} Scene */

/** Draw the faces; boxes are where their motion brings them at `atS`.
 * @param {HTMLCanvasElement} canvas as large on the page as the picture @param {Scene} scene */
export function drawOverlay(canvas, scene) {
  const { clientWidth, clientHeight } = canvas;
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, clientWidth, clientHeight);
  if (!scene.boxes || !scene.faces.length) return;
  const fontPx = Math.max(13, Math.min(22, clientHeight / 26));
  context.font = `600 ${fontPx}px ${getComputedStyle(canvas).fontFamily}`;
  context.textBaseline = "middle";
  const boxes = scene.faces.map((face) => toPicture(face, scene, clientWidth, clientHeight));
  const several = scene.faces.length > 1;
  const tags = scene.faces.map(({ id }) => {
    const { tag = "…", label = null } = scene.answers.get(id) ?? {};
    return { text: several ? `${id}  ${tag}` : tag, color: label?.color ?? UNCERTAIN.color, ink: label?.text ?? UNCERTAIN.text };
  });
  const sizes = tags.map(({ text }) => ({ width: context.measureText(text).width + fontPx, height: fontPx * 1.7 }));
  boxes.forEach((box, i) => drawBox(context, box, tags[i].color, several && scene.faces[i].id === scene.focus));
  placeLabels(boxes, sizes, { width: clientWidth, height: clientHeight }).forEach((place, i) => {
    context.fillStyle = tags[i].color;
    roundedBox(context, place, 4);
    context.fill();
    context.fillStyle = tags[i].ink;
    context.fillText(tags[i].text, place.x + fontPx / 2, place.y + place.height / 2 + 1);
  });
}

/** @param {TrackedFace} face @param {Scene} scene @param {number} width @param {number} height */
export function toPicture(face, scene, width, height) {
  const box = face.motion.predict(scene.atS);
  const [across, down] = [width / scene.width, height / scene.height];
  const x = scene.mirror ? scene.width - box.x - box.width : box.x;
  return { x: x * across, y: box.y * down, width: box.width * across, height: box.height * down };
}

/** @param {CanvasRenderingContext2D} context @param {import("../inference/face.js").Box} box @param {string} color
 * @param {boolean} strong */
function drawBox(context, box, color, strong) {
  for (const [style, width] of /** @type {[string, number][]} */ ([[EDGE, strong ? 7 : 5], [color, strong ? 5 : 3]])) {
    context.strokeStyle = style;
    context.lineWidth = width;
    roundedBox(context, box, CORNER_PX);
    context.stroke();
  }
}

/** @param {CanvasRenderingContext2D} context @param {import("../inference/face.js").Box} box @param {number} radius */
function roundedBox(context, { x, y, width, height }, radius) {
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(radius, width / 2, height / 2));
}
