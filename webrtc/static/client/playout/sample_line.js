/**
 * Decoded sound in a row: what was played last, and what waits.
 *
 * ```
 *   0 ......... head - HISTORY ........ head ........ end ....... capacity
 *                 what was played        what waits
 * ```
 *
 * The head is the next sample to be played. Two planes of fixed size: nothing is allocated after
 * construction.
 */

/** Kept behind the head. */
export const HISTORY = 1_024;
const CAPACITY = 32_768;

export class SampleLine {
  left = new Float32Array(CAPACITY);
  right = new Float32Array(CAPACITY);
  head = HISTORY;
  end = HISTORY;
  #begin = HISTORY;

  /** How much waits. */
  get waiting() {
    return this.end - this.head;
  }

  /**
   * How much before index `at` is sound that goes on unbroken to there.
   *
   * @param {number} at
   */
  known(at) {
    return at - this.#begin;
  }

  /** Forget everything; what was played last counts as silence. */
  clear() {
    this.left.fill(0, 0, HISTORY);
    this.right.fill(0, 0, HISTORY);
    this.head = HISTORY;
    this.end = HISTORY;
    this.#begin = HISTORY;
  }

  /** Drop what waits beyond the first `samples`. @param {number} samples */
  truncate(samples) {
    this.end = Math.min(this.end, this.head + samples);
  }

  /**
   * Make room for `samples` behind the end; return the index there. Indices from before may have
   * moved with what they point at.
   *
   * @param {number} samples At most 12000.
   */
  room(samples) {
    if (this.end + samples > CAPACITY) {
      const start = this.head - HISTORY;
      this.left.copyWithin(0, start, this.end);
      this.right.copyWithin(0, start, this.end);
      this.head -= start;
      this.end -= start;
      this.#begin = Math.max(0, this.#begin - start);
    }
    return this.end;
  }

  /**
   * Take `samples` out at index `at`; what follows moves up.
   *
   * @param {number} at
   * @param {number} samples
   */
  cut(at, samples) {
    this.left.copyWithin(at, at + samples, this.end);
    this.right.copyWithin(at, at + samples, this.end);
    this.end -= samples;
  }

  /**
   * Move what stands from index `at` on back by `samples`; what is left there is to be filled.
   *
   * @param {number} at
   * @param {number} samples
   */
  open(at, samples) {
    this.left.copyWithin(at + samples, at, this.end);
    this.right.copyWithin(at + samples, at, this.end);
    this.end += samples;
  }
}
