// The personal baseline: how a face looks at rest to the model is taken out of its later predictions.
//
// Some faces read as sad or angry while their owner does nothing. While somebody looks neutral for three seconds, the
// mean log-odds of each other expression against neutral are recorded; what exceeds that of an ordinary neutral face is
// subtracted from then on. An expression is never made more likely by it.

export const RECORD_S = 3;
const READINGS_MIN = 10;
const ORDINARY_LOG_ODDS = Math.log(0.05 / 0.7); // of any other expression against neutral, on a neutral face
const CORRECTION_MAX = 3; // so that a clear expression is still seen
const TINY = 1e-6;

export class BaselineRecorder {
  /** @param {number} neutral index of neutral */
  constructor(neutral) {
    this.neutral = neutral;
    /** @type {number[][]} */
    this.readings = [];
  }

  /** @param {number[]} probabilities of the face, at the operating point, without a baseline */
  add(probabilities) {
    this.readings.push(probabilities.map((value) => Math.log(Math.max(value, TINY))));
  }

  /** The correction, or null if the face was hardly in view.
   * @returns {number[] | null} to be subtracted from the logarithm of each probability */
  finish() {
    if (this.readings.length < READINGS_MIN) return null;
    const mean = this.readings[0].map((_, i) => this.readings.reduce((sum, row) => sum + row[i], 0) / this.readings.length);
    return mean.map((value, i) => {
      if (i === this.neutral) return 0;
      const excess = value - mean[this.neutral] - ORDINARY_LOG_ODDS;
      return Math.min(Math.max(excess, 0), CORRECTION_MAX);
    });
  }
}

/** Apply a correction. @param {number[]} correction @param {number[]} probabilities @returns {number[]} they sum to 1 */
export function correct(correction, probabilities) {
  const weighed = probabilities.map((value, i) => value * Math.exp(-correction[i]));
  const sum = weighed.reduce((total, value) => total + value, 0);
  return weighed.map((value) => value / sum);
}
