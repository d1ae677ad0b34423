/**
 * From payloads to sound without a break: decoding, repair, concealment and its fades.
 *
 * Concealment keeps its loudness for a while, then fades; sound that comes back fades in from the
 * gain that is left.
 */

import { isDtx } from './opus_packet.js';
import { OVERLAP, crossfade } from './stretch.js';

const FADE_IN = 240; // 5 ms
const FADE_AFTER = 2_880; // 60 ms
const SILENT_AFTER = 4_800; // 100 ms

/** @typedef {Pick<import('./decoder.js').OpusDecoder,
 *   'decode' | 'decodeFec' | 'conceal' | 'reset'>} FrameDecoder */

export class SoundMaker {
  /** Samples in a row that no frame said, comfort noise of a silent sender included. */
  madeUp = 0;

  #decoder;
  #line;
  #counters;
  #gain = 0;
  #resting = false;

  /**
   * @param {FrameDecoder} decoder
   * @param {import('./sample_line.js').SampleLine} line
   * @param {import('./counters.js').Counters} counters
   */
  constructor(decoder, line, counters) {
    this.#decoder = decoder;
    this.#line = line;
    this.#counters = counters;
  }

  /** Drop what waits; what comes next fades in. */
  silence() {
    this.#line.clear();
    this.madeUp = 0;
    this.#gain = 0;
    this.#resting = false;
  }

  /** Whether so much was made up, and played, that nothing of it is heard any more. */
  get fadedOut() {
    return this.madeUp - this.#line.waiting >= SILENT_AFTER;
  }

  /** Whether the sender said that it is silent. */
  get resting() {
    return this.#resting;
  }

  /**
   * Append a frame of `samples`, without the first `skipped`.
   *
   * @param {Uint8Array} payload
   * @param {number} samples
   * @param {number} skipped
   */
  decode(payload, samples, skipped) {
    const line = this.#line;
    const at = line.room(samples);
    if (this.#decoder.decode(payload, line.left, line.right, at) !== samples) {
      this.#counters.decodeErrors += 1;
      this.conceal(samples);
      return;
    }
    this.#resting = isDtx(payload);
    if (this.#resting) this.#fade(at, samples);
    else this.#fadeIn(at, samples);
    this.#keep(at, samples, skipped);
  }

  /**
   * Append the frame before `carrier` from the copy in it, without the first `skipped`; both have
   * `samples`.
   *
   * @param {Uint8Array} carrier
   * @param {number} samples
   * @param {number} skipped
   */
  repair(carrier, samples, skipped) {
    const line = this.#line;
    const at = line.room(samples);
    if (this.#decoder.decodeFec(carrier, samples, line.left, line.right, at) !== samples) {
      this.#counters.decodeErrors += 1;
      this.conceal(samples);
      return;
    }
    this.#fadeIn(at, samples);
    this.#keep(at, samples, skipped);
    this.#counters.fecSamples += samples - skipped;
  }

  /**
   * Append made-up sound. Pieces of less than 10 ms are for streams of such frames only: libopus
   * cuts them out of 10 ms otherwise, and the cut is heard.
   *
   * @param {number} samples A multiple of 120.
   */
  conceal(samples) {
    const line = this.#line;
    const at = line.room(samples);
    if (this.#decoder.conceal(samples, line.left, line.right, at) !== samples) {
      line.left.fill(0, at, at + samples);
      line.right.fill(0, at, at + samples);
      this.#counters.decodeErrors += 1;
    }
    this.#fade(at, samples);
    line.end += samples;
  }

  /**
   * Append what stands behind the end without its first `skipped`, blended so that it goes on
   * unbroken.
   *
   * @param {number} at
   * @param {number} samples
   * @param {number} skipped
   */
  #keep(at, samples, skipped) {
    const line = this.#line;
    line.end += samples;
    if (skipped <= 0) return;
    const count = Math.min(OVERLAP, skipped, samples - skipped);
    crossfade(line.left, at, line.left, at + skipped, count);
    crossfade(line.right, at, line.right, at + skipped, count);
    line.cut(at, skipped);
  }

  /**
   * Count samples as made up and take them down as the run grows.
   *
   * @param {number} at
   * @param {number} samples
   */
  #fade(at, samples) {
    const begun = this.madeUp;
    const before = this.#gain;
    this.madeUp += samples;
    if (!this.#resting) this.#counters.concealedSamples += samples;
    if (this.madeUp <= FADE_AFTER && before === 1) return;
    const { left, right } = this.#line;
    for (let index = 0; index < samples; index += 1) {
      const share = (SILENT_AFTER - begun - index) / (SILENT_AFTER - FADE_AFTER);
      this.#gain = Math.min(before, Math.max(0, share));
      left[at + index] = /** @type {number} */ (left[at + index]) * this.#gain;
      right[at + index] = /** @type {number} */ (right[at + index]) * this.#gain;
    }
  }

  /**
   * Bring what was decoded at `at` in from the gain that is left.
   *
   * @param {number} at
   * @param {number} samples
   */
  #fadeIn(at, samples) {
    this.madeUp = 0;
    if (this.#gain === 1) return;
    const count = Math.min(FADE_IN, samples);
    const { left, right } = this.#line;
    for (let index = 0; index < count; index += 1) {
      const gain = this.#gain + ((1 - this.#gain) * index) / count;
      left[at + index] = /** @type {number} */ (left[at + index]) * gain;
      right[at + index] = /** @type {number} */ (right[at + index]) * gain;
    }
    this.#gain = 1;
  }
}
