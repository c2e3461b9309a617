// Rates and delays of the last moments.

const WINDOW_S = 2;
const DELAYS = 30;

export class RateMeter {
  /** @type {number[]} */
  #times = [];

  /** @param {number} atS */
  tick(atS) {
    this.#times.push(atS);
  }

  /** Events per second in the last two seconds. @param {number} atS */
  rate(atS) {
    this.#times = this.#times.filter((time) => atS - time <= WINDOW_S);
    const [first] = this.#times;
    return this.#times.length < 2 ? 0 : (this.#times.length - 1) / Math.max(this.#times[this.#times.length - 1] - first, 1e-3);
  }
}

export class MedianMeter {
  /** @type {number[]} */
  #values = [];

  /** @param {number} value */
  add(value) {
    this.#values = [...this.#values.slice(1 - DELAYS), value];
  }

  /** Median of the newest values; null without any. */
  median() {
    const sorted = [...this.#values].sort((one, other) => one - other);
    return sorted.length ? sorted[Math.floor(sorted.length / 2)] : null;
  }
}
