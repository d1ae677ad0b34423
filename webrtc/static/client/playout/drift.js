/**
 * How much faster or slower to play, so that the delay stays where it should be although the
 * sender's clock and ours differ.
 *
 * A proportional and integral controller of the excess delay; the integral is the drift, learned
 * within a minute or two, so that what a change of the target leaves does not pass for one. Sound-card clocks are within 100 ppm of each other;
 * the bounds allow for three times as much and keep the pitch within one cent (578 ppm) of the
 * sender's even while the drift is still being learned.
 */

const MAX_PPM = 300;
const PPM_PER_MS = 200;
const PPM_PER_MS_S = 3;
const MAX_ERROR_MS = 1.5;
const SLEW_PPM_PER_S = 100;

export class Drift {
  /** The sender's clock against ours. */
  ppm = 0;

  #correctionPpm = 0;

  /** Forget what was learned. */
  reset() {
    this.ppm = 0;
    this.#correctionPpm = 0;
  }

  /**
   * Take the excess delay of the moment into account; return the speed to play at, 1 as sent.
   *
   * @param {number} excessMs
   * @param {number} elapsedS Since the last call.
   */
  follow(excessMs, elapsedS) {
    const errorMs = within(excessMs, MAX_ERROR_MS);
    const askedPpm = this.ppm + errorMs * PPM_PER_MS;
    const wantedPpm = within(askedPpm, MAX_PPM);
    // Beyond the bounds the error is no clock's, and is not left to the speed alone.
    if (askedPpm === wantedPpm && errorMs === excessMs) this.ppm += errorMs * PPM_PER_MS_S * elapsedS;
    const slew = SLEW_PPM_PER_S * elapsedS;
    this.#correctionPpm += within(wantedPpm - this.#correctionPpm, slew);
    return this.speed;
  }

  /** The speed to play at, 1 as sent. */
  get speed() {
    return 1 + this.#correctionPpm * 1e-6;
  }
}

/**
 * @param {number} value
 * @param {number} bound
 */
function within(value, bound) {
  return Math.max(-bound, Math.min(bound, value));
}
