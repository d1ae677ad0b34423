import { LoudnessMeter } from './loudness.js';

/**
 * @typedef {import('../ballistics.js').Reading} Reading
 * @typedef {import('../../client/playback.js').Playback} Playback
 */

const FLOOR_DB = -120;

/** @type {readonly Reading[]} */
const SILENCE = [
  { peakDb: FLOOR_DB, rmsDb: FLOOR_DB },
  { peakDb: FLOOR_DB, rmsDb: FLOOR_DB },
];

/** Measures what this page plays, wherever the client plays it through WebAudio. */
export class LoudnessTap {
  /** @param {Pick<Playback, 'output'>} playback */
  constructor(playback) {
    this.#playback = playback;
  }

  #playback;
  #loudness = new LoudnessMeter();
  /** @type {AudioNode | null} What is measured. */
  #source = null;
  /** @type {AudioWorkletNode | null} */
  #node = null;
  #heardAt = -Infinity;
  /** @type {readonly Reading[]} Left and right. */
  #readings = SILENCE;
  /** @type {number | null} Half of 100 ms. */
  #half = null;

  /** Whether anything is measured. */
  get isMeasuring() {
    return this.#node !== null && this.#playback.output === this.#source;
  }

  get readings() {
    // A context that is suspended says nothing any more.
    return performance.now() - this.#heardAt < 500 ? this.#readings : SILENCE;
  }

  get loudness() {
    return this.#loudness;
  }

  /** Follow the client to the node that plays now, if it is another. */
  async follow() {
    const { output } = this.#playback;
    if (output === this.#source) return;
    this.stop();
    this.#source = output;
    if (!output) return;
    try {
      await output.context.audioWorklet.addModule(new URL('./loudness_worklet.js', import.meta.url));
    } catch {
      return; // an insecure page has no worklets, or the context was closed meanwhile
    }
    if (this.#source !== output) return;
    const node = new AudioWorkletNode(output.context, 'ag-loudness', { numberOfOutputs: 0 });
    node.port.onmessage = ({ data }) => this.#take(data);
    output.connect(node);
    this.#node = node;
  }

  stop() {
    if (this.#node) {
      this.#node.port.onmessage = null;
      this.#source?.disconnect(this.#node);
    }
    this.#node = null;
    this.#source = null;
    this.#half = null;
    this.#readings = SILENCE;
  }

  /** @param {{ power: number, peaks: number[], powers: number[] }} told */
  #take({ power, peaks, powers }) {
    this.#heardAt = performance.now();
    this.#readings = peaks.map((peak, side) => ({
      peakDb: decibels(peak * peak),
      rmsDb: decibels(powers[side] ?? 0),
    }));
    if (this.#half === null) {
      this.#half = power;
      return;
    }
    this.#loudness.put((this.#half + power) / 2);
    this.#half = null;
  }
}

/** @param {number} power */
const decibels = (power) => (power > 0 ? Math.max(FLOOR_DB, 10 * Math.log10(power)) : FLOOR_DB);
