/**
 * Whether a sound output keeps up with the short way of asking for sound, from how often it had none
 * to play (`underrunEvents`, Web Audio's `AudioPlaybackStats`). Arithmetic only.
 */

/** A page that loads, or a device that begins, stumbles. */
const LEARNING_MS = 3000;
/** So many in so long are heard as crackling. */
const MOST_UNDERRUNS = 3;
const SPAN_MS = 10_000;

export class OutputWatch {
  /** @type {number | null} */
  #since = null;
  /** @type {{ at: number, underruns: number }[]} The latest last. */
  #history = [];

  /**
   * @param {number} underruns Of the output so far.
   * @param {number} now Milliseconds.
   */
  report(underruns, now) {
    this.#since ??= now;
    if (now - this.#since < LEARNING_MS) return;
    this.#history.push({ at: now, underruns });
    while ((this.#history[0]?.at ?? now) < now - SPAN_MS) this.#history.shift();
  }

  get isStruggling() {
    const first = this.#history[0]?.underruns ?? 0;
    return (this.#history.at(-1)?.underruns ?? 0) - first > MOST_UNDERRUNS;
  }
}
