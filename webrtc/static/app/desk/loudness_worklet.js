/** Runs on the audio thread: levels and weighted power of what is played, 20 times a second. */

import { Weighting } from './loudness.js';

const TOLD_PER_S = 20;

class LoudnessProcessor extends AudioWorkletProcessor {
  #weightings = [new Weighting(sampleRate), new Weighting(sampleRate)];
  #samples = 0;
  #energy = 0;
  #peaks = [0, 0];
  #squares = [0, 0];

  /** @param {Float32Array[][]} inputs */
  process([channels = []]) {
    const [left, right = left] = channels;
    const count = left?.length ?? 128;
    if (left && right) [left, right].forEach((samples, side) => this.#take(samples, side));
    this.#samples += count;
    if (this.#samples >= sampleRate / TOLD_PER_S) this.#tell();
    return true;
  }

  /** @param {Float32Array} samples @param {number} side */
  #take(samples, side) {
    let peak = this.#peaks[side] ?? 0;
    let squares = 0;
    for (const sample of samples) {
      squares += sample * sample;
      if (sample > peak) peak = sample;
      else if (-sample > peak) peak = -sample;
    }
    this.#peaks[side] = peak;
    this.#squares[side] = (this.#squares[side] ?? 0) + squares;
    this.#energy += this.#weightings[side]?.energyOf(samples) ?? 0;
  }

  #tell() {
    const mean = (/** @type {number} */ sum) => sum / this.#samples;
    this.port.postMessage({
      power: mean(this.#energy),
      peaks: this.#peaks,
      powers: this.#squares.map(mean),
    });
    this.#samples = 0;
    this.#energy = 0;
    this.#peaks = [0, 0];
    this.#squares = [0, 0];
  }
}

registerProcessor('ag-loudness', LoudnessProcessor);
