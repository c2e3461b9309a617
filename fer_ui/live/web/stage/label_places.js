// Where the label of each face goes: inside the picture, and over no other face or label if there is such a place.

import { intersection } from "../inference/face.js";

/** @typedef {import("../inference/face.js").Box} Box */

const GAP_PX = 4;

/** Above the box if possible, else below it, else beside it, else inside its upper edge; where everything is covered,
 * the place that covers least.
 * @param {Box[]} boxes @param {{width: number, height: number}[]} sizes of the labels
 * @param {{width: number, height: number}} picture @returns {Box[]} */
export function placeLabels(boxes, sizes, picture) {
  /** @type {Box[]} */
  const placed = [];
  boxes.forEach((box, number) => {
    const width = Math.min(sizes[number].width, picture.width);
    const height = Math.min(sizes[number].height, picture.height);
    const [right, bottom] = [box.x + box.width, box.y + box.height];
    const [above, below] = [box.y - height - GAP_PX, bottom + GAP_PX];
    const corners = [
      ...[above, below].flatMap((y) => [box.x, right - width].map((x) => [x, y])),
      [right + GAP_PX, box.y],
      [box.x - width - GAP_PX, box.y],
      [box.x, box.y + GAP_PX],
    ];
    const others = [...boxes.filter((_, i) => i !== number), ...placed];
    const spots = corners.map(([x, y]) => {
      const spot = { x: clamp(x, picture.width - width), y: clamp(y, picture.height - height), width, height };
      const shared = others.reduce((sum, other) => sum + intersection(spot, other), 0);
      return { spot, cost: shared + (spot.x !== x || spot.y !== y ? intersection(spot, box) : 0) };
    });
    placed.push(spots.reduce((best, each) => (each.cost < best.cost ? each : best)).spot);
  });
  return placed;
}

/** @param {number} value @param {number} highest */
const clamp = (value, highest) => Math.min(Math.max(value, 0), highest);
