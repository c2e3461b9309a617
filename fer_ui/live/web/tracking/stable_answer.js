// The answer that is shown of one face: it changes only when another has clearly led for a while
// (fer_core/live/stable_answer.py).

/** An expression (its index), or why there is none; of reasons the first is shown.
 * @typedef {{label: number, reasons: string[]}} Answer */

export class StableAnswer {
  /** @param {number} lead01 by so much another must be ahead @param {number} holdS for so long */
  constructor(lead01, holdS) {
    this.lead01 = lead01;
    this.holdS = holdS;
    /** @type {Answer | null} */
    this.shown = null;
    /** Since when another answer is ahead. @type {number | null} */
    this.contestedSinceS = null;
  }

  /** Take a face's newest probabilities, already smoothed, and return the answer to show.
   * @param {number[]} values @param {string[]} reasons to abstain @param {number} atS @returns {Answer} */
  update(values, reasons, atS) {
    const newest = { label: this.#leading(values), reasons };
    if (!this.shown || isLike(newest, this.shown)) {
      [this.shown, this.contestedSinceS] = [newest, null];
    } else {
      this.contestedSinceS ??= atS;
    }
    if (this.contestedSinceS !== null && atS - this.contestedSinceS >= this.holdS) {
      [this.shown, this.contestedSinceS] = [newest, null];
    }
    return this.shown;
  }

  /** @param {number[]} values */
  #leading(values) {
    const best = values.indexOf(Math.max(...values));
    return !this.shown || values[best] - values[this.shown.label] > this.lead01 ? best : this.shown.label;
  }
}

/** Whether both look the same: of two doubts the expression doesn't count.
 * @param {Answer} one @param {Answer} other */
function isLike(one, other) {
  if (one.reasons.length || other.reasons.length) return one.reasons[0] === other.reasons[0];
  return one.label === other.label;
}
