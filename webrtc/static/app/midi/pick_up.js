/** So near is the same place. */
const NEAR = 0.02;

/**
 * Soft take-over: a fader of the desk that stands elsewhere than the one on the screen moves nothing
 * until it has come to it, so that no level jumps.
 */
export class PickUp {
  #holds = false;
  /** @type {number | null} */
  #seen = null;

  /**
   * @param {number} position Of the desk's fader, 0 to 1.
   * @param {number} current Of the screen's.
   * @returns {boolean} Whether the desk's moves the screen's now.
   */
  take(position, current) {
    const seen = this.#seen;
    this.#seen = position;
    const passed = seen !== null && (seen - current) * (position - current) <= 0;
    this.#holds ||= passed || Math.abs(position - current) <= NEAR;
    return this.#holds;
  }

  /** The screen's was moved by others, or is somebody else's now: it has to be met again. */
  letGo() {
    this.#holds = false;
  }
}

/** @param {number} a @param {number} b */
export const isSamePlace = (a, b) => Math.abs(a - b) <= NEAR;
