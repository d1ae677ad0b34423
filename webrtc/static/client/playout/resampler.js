/**
 * Reads sound of 48 kHz at any rate, from between its samples.
 *
 * A windowed sinc (Kaiser) in 256 phases, with coefficients interpolated between them. Opus holds
 * nothing above 20 kHz, so for outputs of 44.1 kHz and more the filter may pass up to there and
 * stop by 28 kHz, where the first image begins: 32 taps do that at −80 dB. Slower outputs get a
 * filter that stops at half their rate.
 */

import { SAMPLE_RATE_HZ } from './opus_packet.js';

const PHASES = 256;
const HALF_TAPS = 16;
const SLOW_HALF_TAPS = 24;
const TRANSITION_HZ = 8_000; // of 32 taps
const FULL_BAND_HZ = 44_100;
const KAISER_BETA = 7.9; // −80 dB

export class Resampler {
  /** Samples of input for one of output while clocks agree. */
  nominalStep;
  /** Samples of input read beyond a position. */
  lookahead;

  #taps;
  #phases;
  #fraction = 0;

  /** @param {number} rateHz Of the output. */
  constructor(rateHz) {
    this.nominalStep = SAMPLE_RATE_HZ / rateHz;
    const slow = rateHz < FULL_BAND_HZ;
    const half = slow ? Math.ceil(SLOW_HALF_TAPS * this.nominalStep) : HALF_TAPS;
    const transitionHz = (TRANSITION_HZ * HALF_TAPS) / half;
    const cutoffHz = slow ? rateHz / 2 - transitionHz / 2 : SAMPLE_RATE_HZ / 2;
    this.lookahead = half;
    this.#taps = 2 * half;
    this.#phases = design(half, cutoffHz / SAMPLE_RATE_HZ);
  }

  /**
   * Return how many samples must wait in the line for `count` of output.
   *
   * @param {number} count
   * @param {number} step Samples of input for one of output.
   */
  need(count, step) {
    return Math.floor(this.#fraction + count * step) + this.lookahead + 1;
  }

  /**
   * Fill `left` and `right` from the line, and move its head on.
   *
   * @param {import('./sample_line.js').SampleLine} line
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} step
   */
  read(line, left, right, step) {
    const count = left.length;
    for (let index = 0; index < count; index += 1) {
      this.#readOne(line, left, right, index);
      this.#fraction += step;
      const whole = Math.floor(this.#fraction);
      line.head += whole;
      this.#fraction -= whole;
    }
  }

  /**
   * @param {import('./sample_line.js').SampleLine} line
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} index
   */
  #readOne(line, left, right, index) {
    const taps = this.#taps;
    const phases = this.#phases;
    const inLeft = line.left;
    const inRight = line.right;
    const place = this.#fraction * PHASES;
    const phase = Math.floor(place);
    const share = place - phase;
    const row = phase * taps;
    const start = line.head - this.lookahead + 1;
    let sumLeft = 0;
    let sumRight = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      const low = /** @type {number} */ (phases[row + tap]);
      const high = /** @type {number} */ (phases[row + taps + tap]);
      const weight = low + (high - low) * share;
      sumLeft += weight * /** @type {number} */ (inLeft[start + tap]);
      sumRight += weight * /** @type {number} */ (inRight[start + tap]);
    }
    left[index] = sumLeft;
    right[index] = sumRight;
  }
}

/**
 * Return the filter's rows of taps, one for each phase and one for phase 1, each with gain 1 at DC.
 *
 * @param {number} half Taps on each side.
 * @param {number} cutoff Cycles per sample.
 */
function design(half, cutoff) {
  const taps = 2 * half;
  const rows = new Float32Array((PHASES + 1) * taps);
  for (let phase = 0; phase <= PHASES; phase += 1) {
    const row = rows.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      const distance = tap - half + 1 - phase / PHASES;
      const value = sinc(2 * cutoff * distance) * kaiser(distance / half);
      row[tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < taps; tap += 1) row[tap] = /** @type {number} */ (row[tap]) / sum;
  }
  return rows;
}

/** @param {number} x */
function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** @param {number} x −1 to 1. */
function kaiser(x) {
  return Math.abs(x) >= 1 ? 0 : bessel(KAISER_BETA * Math.sqrt(1 - x * x)) / bessel(KAISER_BETA);
}

/** Modified Bessel function of the first kind, order 0. @param {number} x */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let order = 1; term > sum * 1e-12; order += 1) {
    term *= (x / (2 * order)) ** 2;
    sum += term;
  }
  return sum;
}
