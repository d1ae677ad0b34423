/**
 * Runs on the audio thread: levels and weighted power of what is played, 20 times a second. Between
 * two reports it makes no objects: what plays shares this thread.
 */

import { Weighting } from './loudness.js';

const TOLD_PER_S = 20;
/** What is gathered of one side. */
const PEAK = 0;
const SQUARES = 1;

class LoudnessProcessor extends AudioWorkletProcessor {
  #left = new Weighting(sampleRate);
  #right = new Weighting(sampleRate);
  #leftSums = new Float64Array(2);
  #rightSums = new Float64Array(2);
  #samples = 0;
  #energy = 0;

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const left = inputs[0]?.[0];
    if (left) {
      const right = inputs[0]?.[1] ?? left;
      this.#energy += this.#left.energyOf(left) + this.#right.energyOf(right);
      gather(this.#leftSums, left);
      gather(this.#rightSums, right);
    }
    this.#samples += left?.length ?? 128;
    if (this.#samples >= sampleRate / TOLD_PER_S) this.#tell();
    return true;
  }

  #tell() {
    const sides = [this.#leftSums, this.#rightSums];
    this.port.postMessage({
      power: this.#energy / this.#samples,
      peaks: sides.map((sums) => sums[PEAK]),
      powers: sides.map((sums) => (sums[SQUARES] ?? 0) / this.#samples),
    });
    this.#samples = 0;
    this.#energy = 0;
    this.#leftSums.fill(0);
    this.#rightSums.fill(0);
  }
}

/**
 * @param {Float64Array} sums
 * @param {Float32Array} samples
 */
function gather(sums, samples) {
  let peak = /** @type {number} */ (sums[PEAK]);
  let squares = /** @type {number} */ (sums[SQUARES]);
  for (let i = 0; i < samples.length; i += 1) {
    const sample = /** @type {number} */ (samples[i]);
    squares += sample * sample;
    if (sample > peak) peak = sample;
    else if (-sample > peak) peak = -sample;
  }
  sums[PEAK] = peak;
  sums[SQUARES] = squares;
}

registerProcessor('ag-loudness', LoudnessProcessor);
