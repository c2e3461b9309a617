// Follow faces from frame to frame and smooth their probabilities over time: fer_core/live/smoothing.py.

import { area, center, iou } from "../inference/face.js";
import { FaceMotion } from "./motion.js";
import { StableAnswer } from "./stable_answer.js";

/** @typedef {import("../inference/face.js").Box} Box */
/** @typedef {import("../inference/face_quality.js").Quality} Quality */

/** What is known of a face in one frame; the probabilities are in the order of the model's labels.
 * @typedef {{box: Box, probabilities: number[], quality: Quality}} Reading */

/** A face that is followed; `label` is the index of the expression that is shown, which is about to change where it is
 * not settled.
 * @typedef {{id: number, motion: FaceMotion, box: Box, probabilities: number[], label: number, reasons: string[],
 *   quality: Quality, isSettled: boolean}} TrackedFace */

/** Why a face is doubtful. @typedef {(quality: Quality, probabilities: number[]) => string[]} FindReasons */

export const TIME_CONSTANT_S = 0.4;
export const LEAD_01 = 0.1;
export const HOLD_S = 0.25;
const LOST_AFTER_S = 1;
const HIDDEN_AFTER_S = 0.5;
const IOU_MIN_01 = 0.2;
const DISTANCE_MAX = 1;
const SIZE_RATIO_MAX = 1.6;

/** @typedef {{id: number, motion: FaceMotion, probabilities: number[], quality: Quality, lastSeenS: number,
 *   answer: StableAnswer}} Track */

export class FaceTracker {
  /** @param {{timeConstantS?: number, lead01?: number, holdS?: number}} [options] a time constant of 0 is off */
  constructor({ timeConstantS = TIME_CONSTANT_S, lead01 = LEAD_01, holdS = HOLD_S } = {}) {
    this.timeConstantS = timeConstantS;
    this.lead01 = lead01;
    this.holdS = holdS;
    /** @type {Track[]} */
    this.tracks = [];
    this.count = 0;
  }

  /** Update the tracks with the faces of a frame.
   * @param {Reading[]} readings @param {number} atS not before the previous frame @param {FindReasons} findReasons
   * @returns {TrackedFace[]} the faces in sight, the largest first */
  update(readings, atS, findReasons) {
    this.tracks = this.tracks.filter((track) => atS - track.lastSeenS <= LOST_AFTER_S);
    const matched = match(this.tracks, readings.map((reading) => reading.box), atS);
    readings.forEach((reading, number) => {
      const place = matched.get(number);
      if (place === undefined) this.#start(reading, atS);
      else this.#smooth(this.tracks[place], reading, atS);
    });
    return this.tracks
      .filter((track) => atS - track.lastSeenS <= HIDDEN_AFTER_S)
      .map((track) => {
        const reasons = findReasons(track.quality, track.probabilities);
        const answer = track.answer.update(track.probabilities, reasons, atS);
        const { id, motion, probabilities, quality } = track;
        const isSettled = track.answer.contestedSinceS === null;
        return { id, motion, box: motion.predict(motion.atS), probabilities, quality, isSettled, ...answer };
      })
      .sort((one, other) => area(other.box) - area(one.box) || one.id - other.id);
  }

  /** @param {Reading} reading @param {number} atS */
  #start({ box, probabilities, quality }, atS) {
    const [motion, answer] = [new FaceMotion(box, atS), new StableAnswer(this.lead01, this.holdS)];
    this.tracks.push({ id: ++this.count, motion, probabilities, quality, lastSeenS: atS, answer });
  }

  /** @param {Track} track @param {Reading} reading @param {number} atS */
  #smooth(track, { box, probabilities, quality }, atS) {
    const elapsedS = Math.max(0, atS - track.lastSeenS);
    const weight = this.timeConstantS ? 1 - Math.exp(-elapsedS / this.timeConstantS) : 1;
    track.probabilities = probabilities.map((value, i) => value * weight + track.probabilities[i] * (1 - weight));
    track.motion.update(box, atS);
    [track.lastSeenS, track.quality] = [atS, quality];
  }
}

/** Match boxes to tracks by overlap where the faces should be by now, then the rest to the nearest of about that size.
 * @param {Track[]} tracks @param {Box[]} boxes @param {number} atS
 * @returns {Map<number, number>} place of the track by number of the box */
function match(tracks, boxes, atS) {
  const expected = tracks.map((track) => track.motion.predict(atS));
  /** @type {Map<number, number>} */
  const matched = new Map();
  const taken = new Set();
  const pairs = expected.flatMap((track, place) => boxes.map((box, number) => ({ track, place, box, number })));
  const assign = (/** @type {{place: number, number: number}} */ { place, number }) => {
    if (matched.has(number) || taken.has(place)) return;
    matched.set(number, place);
    taken.add(place);
  };
  pairs
    .map((pair) => ({ ...pair, overlap: iou(pair.track, pair.box) }))
    .filter((pair) => pair.overlap > IOU_MIN_01)
    .sort((one, other) => other.overlap - one.overlap)
    .forEach(assign);
  pairs
    .map((pair) => ({ ...pair, distance: distance(pair.track, pair.box) }))
    .filter((pair) => pair.distance <= DISTANCE_MAX)
    .sort((one, other) => one.distance - other.distance)
    .forEach(assign);
  return matched;
}

/** Distance of the centers in sides of the face; infinite if the sizes differ too much.
 * @param {Box} track @param {Box} box */
function distance(track, box) {
  const [side, other] = [Math.sqrt(area(track)), Math.sqrt(area(box))];
  if (Math.max(side, other) > SIZE_RATIO_MAX * Math.min(side, other)) return Infinity;
  const [[x, y], [otherX, otherY]] = [center(track), center(box)];
  return Math.hypot(x - otherX, y - otherY) / side;
}
