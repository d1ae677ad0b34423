/**
 * One remote track in the sound graph: the browser's path and our own side by side, so that one can
 * be faded into the other sample by sample, behind them how loud and where the track is heard.
 *
 *   remote track ── tap (gain) ──┐
 *   playout node (own gain) ─────┴── level (gain) ── [pan] ── output of the graph
 */

import { fadeCurve } from './playout/gain.js';

/** Both paths are told a fade this long before it begins, so that it begins at once on both. */
const LEAD_S = 0.02;
/** A change of level or place is not heard as a click. */
const RAMP_S = 0.02;

/**
 * @typedef {object} GraphTrackNodes
 * @property {AudioContext} context
 * @property {AudioNode} output
 * @property {GainNode} tapGain
 * @property {GainNode} level
 * @property {StereoPannerNode | null} panner
 */

export class GraphTrack {
  /** @type {GraphTrackNodes | null} */
  #nodes = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #tap = null;
  /** @type {MediaStreamTrack | null} */
  #track = null;
  #tapLevel = 1;
  #fadedAt = 0;
  #gain = 1;
  #pan = 0;

  /** Where our own path comes in; null while the graph is closed. */
  get input() {
    return this.#nodes?.level ?? null;
  }

  /**
   * The graph opens.
   * @param {AudioContext} context
   * @param {AudioNode} output
   */
  open(context, output) {
    const tapGain = context.createGain();
    const level = context.createGain();
    tapGain.gain.value = this.#tapLevel = 1;
    level.gain.value = this.#gain;
    tapGain.connect(level);
    level.connect(output);
    this.#nodes = { context, output, tapGain, level, panner: null };
    this.#fadedAt = 0;
    if (this.#pan !== 0) this.#place(this.#nodes);
    this.#attachTap();
  }

  /** The graph closes, or the track is gone. */
  close() {
    this.#tap?.disconnect();
    this.#tap = null;
    this.#nodes?.level.disconnect();
    this.#nodes?.panner?.disconnect();
    this.#nodes = null;
  }

  /** @param {MediaStreamTrack | null} track */
  setTrack(track) {
    this.#track = track;
    this.#attachTap();
  }

  /**
   * How it is heard here, on either path.
   * @param {{ gain: number, pan: number }} mix `gain` 0 (silence) … 4; `pan` −1 left … 1 right.
   */
  setMix({ gain, pan }) {
    this.#gain = gain;
    this.#pan = pan;
    if (!this.#nodes) return;
    const { context, level } = this.#nodes;
    level.gain.setTargetAtTime(gain, context.currentTime, RAMP_S / 3);
    this.#place(this.#nodes);
  }

  /**
   * Fade the browser's path, from a moment on that the caller gives to the other path as well.
   * @param {number} gain 0 or 1.
   * @param {number} durationMs
   * @returns {number} When it begins, on the context's clock in s.
   */
  fadeTap(gain, durationMs) {
    if (!this.#nodes) return 0;
    const { context, tapGain } = this.#nodes;
    const atTime = Math.max(context.currentTime + LEAD_S, this.#fadedAt);
    const durationS = durationMs / 1000;
    this.#fadedAt = atTime + durationS + 0.001; // curves must not touch
    if (gain !== this.#tapLevel)
      tapGain.gain.setValueCurveAtTime(fadeCurve(this.#tapLevel, gain), atTime, durationS);
    this.#tapLevel = gain;
    return atTime;
  }

  /** A panner only stands in the way of who was moved. @param {GraphTrackNodes} nodes */
  #place(nodes) {
    const { context, level, output } = nodes;
    if (!nodes.panner) {
      if (this.#pan === 0) return;
      nodes.panner = context.createStereoPanner();
      nodes.panner.connect(output);
      level.disconnect();
      level.connect(nodes.panner);
    }
    nodes.panner.pan.setTargetAtTime(this.#pan, context.currentTime, RAMP_S / 3);
  }

  #attachTap() {
    this.#tap?.disconnect();
    this.#tap = null;
    if (!this.#nodes || !this.#track) return;
    const { context, tapGain } = this.#nodes;
    this.#tap = context.createMediaStreamSource(new MediaStream([this.#track]));
    this.#tap.connect(tapGain);
  }
}
