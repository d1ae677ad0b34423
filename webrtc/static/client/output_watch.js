/**
 * Whether a sound output keeps up with the short way of asking for sound, from how often it had none
 * to play (`underrunEvents`, Web Audio's `AudioPlaybackStats`). A single hiccup of the machine is many
 * events, so what counts are seconds with any. Arithmetic only.
 */

/** A page that loads, or a device that begins, stumbles. */
const LEARNING_MS = 3000;
/** So many reports with underruns, within so long, are heard as crackling. */
const MOST_BAD = 3;
const SPAN_MS = 10_000;

export class OutputWatch {
  /** @type {number | null} */
  #since = null;
  #underruns = 0;
  /** @type {number[]} When there were any. */
  #bad = [];

  /**
   * About once a second.
   * @param {number} underruns Of the output so far.
   * @param {number} now Milliseconds.
   */
  report(underruns, now) {
    this.#since ??= now;
    if (underruns > this.#underruns && now - this.#since >= LEARNING_MS) this.#bad.push(now);
    this.#underruns = underruns;
    while ((this.#bad[0] ?? now) <= now - SPAN_MS) this.#bad.shift();
  }

  /** Learn anew: the output does not run, or is another. */
  reset() {
    this.#since = null;
    this.#bad.length = 0;
  }

  get isStruggling() {
    return this.#bad.length > MOST_BAD;
  }
}
