/**
 * Delays that are rare but come back: the greatest of every few seconds, for a minute.
 *
 * A window of a few seconds forgets a hiccup before its next visit, and each visit is heard. What
 * is kept is how far above the fastest frame of its time a peak stood, so that clocks which drift
 * apart over the minute do not look like delay.
 */

const BUCKETS = 16;
const BUCKET_S = 4;
/** Delay that is worth accepting to spare one late frame a minute. */
const COST_S = 0.004;
/** A little more than a request of most outputs; see `lower`. */
const MOST_LOWERED_S = 0.012;

export class RarePeaks {
  /** Height above the fastest frame that is worth waiting for. */
  worthwhileS = 0;

  #peaks = new Float64Array(BUCKETS);
  #sorted = new Float64Array(BUCKETS);
  #bucket = 0;
  #endS = -Infinity;
  /** Taken off from what is kept. */
  #loweredS = 0;

  reset() {
    this.#loweredS = 0;
    this.#peaks.fill(0);
    this.#bucket = 0;
    this.#endS = -Infinity;
    this.worthwhileS = 0;
  }

  /**
   * @param {number} aboveS Height above the fastest frame of late, not negative.
   * @param {number} arrivalS
   */
  add(aboveS, arrivalS) {
    if (arrivalS >= this.#endS) this.#turn(arrivalS);
    const keptS = aboveS + this.#loweredS;
    if (keptS <= /** @type {number} */ (this.#peaks[this.#bucket])) return;
    this.#peaks[this.#bucket] = keptS;
    if (aboveS > this.worthwhileS) this.#weigh();
  }

  /**
   * The fastest frame of late is another, though the path is the same: what came before stands less
   * high above it, and as high again once this is undone.
   *
   * @param {number} byS
   */
  lower(byS) {
    this.#loweredS = Math.max(0, Math.min(MOST_LOWERED_S, this.#loweredS + byS));
    this.#weigh();
  }

  /** @param {number} arrivalS */
  #turn(arrivalS) {
    this.#endS = arrivalS + BUCKET_S;
    this.#bucket = (this.#bucket + 1) % BUCKETS;
    this.#peaks[this.#bucket] = 0;
    this.#weigh();
  }

  /** Choose the height of least cost: its own length plus what the peaks above it cost. */
  #weigh() {
    this.#sorted.set(this.#peaks);
    this.#sorted.sort();
    let bestCostS = Infinity;
    for (let over = 0; over < BUCKETS; over += 1) {
      const keptS = /** @type {number} */ (this.#sorted[BUCKETS - 1 - over]);
      const heightS = Math.max(0, keptS - this.#loweredS);
      const costS = heightS + COST_S * over;
      if (costS < bestCostS) {
        bestCostS = costS;
        this.worthwhileS = heightS;
      }
    }
  }
}
