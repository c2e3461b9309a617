// What to know about a face besides its answer: that it seems stuck on one expression, which is more often a dark room or
// a low camera than a mood, or that there are more faces than are shown.

import { formatPercent } from "./answer.js";
import { secondsByState } from "./timeline.js";

const SECONDS_MIN = 60;
const SHARE_MIN_01 = 0.9;

/** The expression that a face is stuck on, and the share of the time; null if there is none.
 * @param {import("./timeline.js").Segment[]} segments of the face @param {number} nowS @param {string} neutral */
export function findStuck(segments, nowS, neutral) {
  const seconds = secondsByState(segments, nowS);
  const total = seconds.reduce((sum, [, length]) => sum + length, 0);
  if (total < SECONDS_MIN) return null;
  const [[name, length]] = seconds;
  const share01 = length / total;
  return share01 >= SHARE_MIN_01 && name !== neutral && name !== "uncertain" ? { name, share01 } : null;
}

/** @param {import("./timeline.js").Segment[]} segments of the face @param {import("./live.js").Moment} moment */
export function faceNote(segments, { found, faces, atS }) {
  const stuck = findStuck(segments, atS, "neutral");
  if (stuck) {
    const share = formatPercent(stuck.share01);
    const remedy = "more light, the camera at eye level, or “Calibrate to my face”";
    return `Read as ${stuck.name} for ${share} of the time. If that seems wrong: ${remedy}.`;
  }
  return found > faces.length ? `${found - faces.length} more in view: one at a time works best.` : "";
}
