/**
 * Whether it pays to wait one frame longer, so that a lost one can be repaired by the next.
 *
 * In-band FEC arrives one frame time after the original. The rules are those of the server's
 * `mixer/playout_loss.py`.
 */

import { SAMPLE_RATE_HZ } from './opus_packet.js';

const SMOOTHING = 1 / 128;
const WAIT_ABOVE = 0.01;
const STOP_BELOW = 0.003;
const REPAIRS_REMEMBERED = 500; // frames

export class LossWatch {
  /** Delay asked for beyond the jitter deadline. */
  extensionS = 0;

  #share = 0;
  #waiting = false;
  #repairsLeft = 0;
  #repairS = 0;

  /** Forget every loss and repair. */
  reset() {
    this.extensionS = 0;
    this.#share = 0;
    this.#waiting = false;
    this.#repairsLeft = 0;
    this.#repairS = 0;
  }

  /** Whether it is worth finding out if frames carry repairs. */
  get watching() {
    return this.#share > STOP_BELOW;
  }

  /**
   * Note that a frame of `samples` brought a copy of its predecessor.
   *
   * @param {number} samples
   */
  repairsCome(samples) {
    this.#repairsLeft = REPAIRS_REMEMBERED;
    this.#repairS = samples / SAMPLE_RATE_HZ;
  }

  /**
   * Note one frame's turn, and how many were missing between it and the one before.
   *
   * @param {number} lostBefore
   */
  played(lostBefore) {
    if (lostBefore === 0 && this.#share === 0) return;
    for (let lost = Math.min(lostBefore, 4); lost > 0; lost -= 1) {
      this.#share += (1 - this.#share) * SMOOTHING; // a burst is one event to repair
    }
    this.#share -= this.#share * SMOOTHING;
    if (this.#share < STOP_BELOW / 10) this.#share = 0;
    this.#repairsLeft -= 1;
    const threshold = this.#waiting ? STOP_BELOW : WAIT_ABOVE;
    this.#waiting = this.#share > threshold && this.#repairsLeft > 0;
    this.extensionS = this.#waiting ? this.#repairS : 0;
  }
}
