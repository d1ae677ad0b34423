/**
 * What is measured on the way of the frames, for people to look at: nothing is decided by it.
 */

import { SAMPLE_RATE_HZ } from './opus_packet.js';

const SMOOTHING = 1 / 32;
const JITTER_SMOOTHING = 1 / 16;
const MAX_STEP_MS = 3_000;

/** @typedef {import('./frame_queue.js').Queued} Queued */

export class Measures {
  #jitterMs = 0;
  #lastTransitMs = NaN;
  #delayMs = 0;
  #offsetMs = 0;
  #measured = false;

  /** Forget where the clocks stood; the jitter stays, as RFC 3550 has it per source. */
  reset() {
    this.#lastTransitMs = NaN;
    this.#measured = false;
  }

  /** @param {Queued} frame */
  arrived(frame) {
    const transitMs = frame.arrivalMs - (frame.position * 1000) / SAMPLE_RATE_HZ;
    const stepMs = Math.abs(transitMs - this.#lastTransitMs);
    if (stepMs < MAX_STEP_MS) this.#jitterMs += (stepMs - this.#jitterMs) * JITTER_SMOOTHING;
    this.#lastTransitMs = transitMs;
  }

  /**
   * @param {Queued} frame
   * @param {number} playedS When its first sample is rendered.
   */
  played(frame, playedS) {
    const delayMs = frame.waitedMs + (playedS - frame.availableS) * 1000;
    const offsetMs = playedS * 1000 - frame.arrivalMs;
    const share = this.#measured ? SMOOTHING : 1;
    this.#delayMs += (delayMs - this.#delayMs) * share;
    this.#offsetMs += (offsetMs - this.#offsetMs) * share;
    this.#measured = true;
  }

  figures() {
    return {
      jitterMs: this.#jitterMs,
      delayMs: this.#delayMs,
      playoutOffsetMs: this.#measured ? this.#offsetMs : null,
    };
  }
}
