/**
 * Loudness as ITU-R BS.1770-4 and EBU R 128 define it: weighting, momentary (400 ms), short-term
 * (3 s) and gated integrated loudness. Arithmetic only; it runs in the page and in the worklet.
 */

/** @typedef {{ b: readonly [number, number, number], a: readonly [number, number] }} Biquad */

/**
 * The two filters of the K weighting, for any sample rate.
 * @param {number} rateHz
 * @returns {readonly [Biquad, Biquad]}
 */
export function kWeighting(rateHz) {
  return [shelf(rateHz), highPass(rateHz)];
}

/** @param {number} rateHz @returns {Biquad} */
function shelf(rateHz) {
  const q = 0.7071752369554196;
  const k = Math.tan((Math.PI * 1681.974450955533) / rateHz);
  const high = 10 ** (3.999843853973347 / 20);
  const band = high ** 0.4996667741545416;
  const norm = 1 + k / q + k * k;
  return {
    b: [
      (high + (band * k) / q + k * k) / norm,
      (2 * (k * k - high)) / norm,
      (high - (band * k) / q + k * k) / norm,
    ],
    a: [(2 * (k * k - 1)) / norm, (1 - k / q + k * k) / norm],
  };
}

/** @param {number} rateHz @returns {Biquad} */
function highPass(rateHz) {
  const q = 0.5003270373238773;
  const k = Math.tan((Math.PI * 38.13547087602444) / rateHz);
  const norm = 1 + k / q + k * k;
  return { b: [1, -2, 1], a: [(2 * (k * k - 1)) / norm, (1 - k / q + k * k) / norm] };
}

/** One channel's weighting, with its memory; it runs on the audio thread and leaves no garbage. */
export class Weighting {
  /** @param {number} rateHz */
  constructor(rateHz) {
    const [shelved, high] = kWeighting(rateHz);
    const [b0, b1, b2] = shelved.b;
    const [a1, a2] = shelved.a;
    const [c1, c2] = high.a; // its b are 1, −2, 1
    this.#filters = { b0, b1, b2, a1, a2, c1, c2 };
  }

  #filters;
  #memory = { s1: 0, s2: 0, h1: 0, h2: 0 };

  /**
   * @param {Float32Array} samples
   * @returns {number} Sum of the weighted squares.
   */
  energyOf(samples) {
    const { b0, b1, b2, a1, a2, c1, c2 } = this.#filters;
    let { s1, s2, h1, h2 } = this.#memory;
    let energy = 0;
    for (let i = 0; i < samples.length; i += 1) {
      const value = /** @type {number} */ (samples[i]);
      const shelved = b0 * value + s1;
      s1 = b1 * value - a1 * shelved + s2;
      s2 = b2 * value - a2 * shelved;
      const weighted = shelved + h1;
      h1 = -2 * shelved - c1 * weighted + h2;
      h2 = shelved - c2 * weighted;
      energy += weighted * weighted;
    }
    const memory = this.#memory;
    memory.s1 = s1;
    memory.s2 = s2;
    memory.h1 = h1;
    memory.h2 = h2;
    return energy;
  }
}

/** @param {number} power Weighted mean square, all channels added. @returns {number} LUFS. */
export const lufsOf = (power) => (power > 0 ? -0.691 + 10 * Math.log10(power) : -Infinity);

const MOMENTARY_PARTS = 4;
const SHORT_PARTS = 30;
const ABSOLUTE_GATE_LUFS = -70;
const RELATIVE_GATE_LU = -10;
/** Blocks are remembered by their loudness, to a tenth, so that an evening takes no more room. */
const BINS_PER_LU = 10;
const BINS = 80 * BINS_PER_LU;

/** Takes the weighted power of each 100 ms and tells the three loudnesses, in LUFS. */
export class LoudnessMeter {
  /** @type {number[]} The last 3 s, in parts of 100 ms. */
  #parts = [];
  /** Parts since the integrated loudness began. */
  #taken = 0;
  #counts = new Float64Array(BINS);
  #powers = new Float64Array(BINS);

  /** @param {number} power Mean of the weighted squares over 100 ms, all channels added. */
  put(power) {
    this.#parts.push(power);
    if (this.#parts.length > SHORT_PARTS) this.#parts.shift();
    this.#taken += 1;
    if (this.#taken < MOMENTARY_PARTS) return;
    const block = mean(this.#parts.slice(-MOMENTARY_PARTS));
    const lufs = lufsOf(block);
    if (lufs < ABSOLUTE_GATE_LUFS) return;
    const bin = Math.min(BINS - 1, Math.floor((lufs - ABSOLUTE_GATE_LUFS) * BINS_PER_LU));
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
    this.#powers[bin] = (this.#powers[bin] ?? 0) + block;
  }

  /** Begin the integrated loudness anew. */
  reset() {
    this.#taken = 0;
    this.#counts.fill(0);
    this.#powers.fill(0);
  }

  /** Of the last 400 ms; −∞ before there are as many. */
  get momentary() {
    const { length } = this.#parts;
    return length < MOMENTARY_PARTS ? -Infinity : lufsOf(mean(this.#parts.slice(-MOMENTARY_PARTS)));
  }

  /** Of the last 3 s. */
  get shortTerm() {
    return this.#parts.length < SHORT_PARTS ? -Infinity : lufsOf(mean(this.#parts));
  }

  /** Since the beginning, without pauses. */
  get integrated() {
    const gate = lufsOf(this.#meanFrom(0)) + RELATIVE_GATE_LU;
    const from = Math.max(0, Math.ceil((gate - ABSOLUTE_GATE_LUFS) * BINS_PER_LU));
    return lufsOf(this.#meanFrom(Number.isFinite(from) ? from : 0));
  }

  /** @param {number} first Bin. */
  #meanFrom(first) {
    let count = 0;
    let power = 0;
    for (let bin = first; bin < BINS; bin += 1) {
      count += this.#counts[bin] ?? 0;
      power += this.#powers[bin] ?? 0;
    }
    return count > 0 ? power / count : 0;
  }
}

/** @param {readonly number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
