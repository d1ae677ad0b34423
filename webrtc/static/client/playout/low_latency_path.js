/**
 * Our own playout path of one receiver: frames from its transform's worker into a playout node of
 * an `AudioContext`. The browser's path is not touched: frames go on to it all the time.
 */

import { Emitter } from '../emitter.js';
import { FrameRing } from './frame_ring.js';

/**
 * @typedef {import('./types.js').FramesSink} FramesSink
 * @typedef {import('./types.js').PlayoutReport} PlayoutReport
 * @typedef {import('./types.js').PlayoutStats} PlayoutStats
 * @typedef {import('./path_switch.js').Failure} Failure
 *
 * @typedef {object} PathEvents
 * @property {{ stats: PlayoutStats }} stats Every 250 ms while it is open.
 * @property {{ reason: Failure }} failed It is of no use until it is opened again.
 *
 * @typedef {(context: AudioContext) => Promise<import('./playout_node.js').PlayoutNode>}
 *   CreatePlayoutNode
 * @typedef {object} PathPlatform
 * @property {CreatePlayoutNode} createPlayoutNode
 * @property {boolean} isIsolated Whether threads of this page may share memory.
 * @property {(callback: () => void, delayMs: number) => unknown} setTimer
 */

/** @extends {Emitter<PathEvents>} */
export class LowLatencyPath extends Emitter {
  /**
   * @param {PathPlatform} platform
   * @param {import('./frame_source.js').FrameSource} source
   */
  constructor(platform, source) {
    super();
    this.#platform = platform;
    this.#source = source;
  }

  #platform;
  #source;
  /** @type {import('./frame_feed.js').FrameFeed | null} */
  #feed = null;
  /** @type {import('./playout_node.js').PlayoutNode | null} */
  #node = null;
  #generation = 0;
  /** @type {PlayoutStats | null} */
  #stats = null;

  /** Figures of the moment; null while it is closed. */
  get stats() {
    return this.#stats;
  }

  /** From a frame's arrival to the device; null: nothing played, or the browser does not tell. */
  get delayToEarMs() {
    return this.#node?.delayToEarMs() ?? null;
  }

  /**
   * Take the frames of a receiver, in the turn of the loop in which it was made.
   * @param {RTCRtpReceiver} receiver
   * @returns {boolean} Whether they can be taken.
   */
  attach(receiver) {
    this.detach();
    this.#feed = this.#source.attach(receiver);
    this.#feed?.on('failed', ({ reason }) => this.emit('failed', { reason }));
    this.#feed?.on('rebound', () => this.#node && this.#wire(this.#node));
    if (this.#feed && this.#node) this.#wire(this.#node);
    return this.#feed !== null;
  }

  /** The receiver's connection is closed. */
  detach() {
    this.#feed?.detach();
    this.#feed = null;
  }

  /**
   * Decode and play, with a gain of 0, until `close`.
   * @param {AudioContext} context
   * @param {AudioNode} destination
   */
  async open(context, destination) {
    const generation = ++this.#generation;
    let node;
    try {
      node = await this.#platform.createPlayoutNode(context);
    } catch {
      if (generation === this.#generation) this.emit('failed', { reason: 'worklet' });
      return;
    }
    if (generation !== this.#generation) {
      node.close();
      return;
    }
    this.#node = node;
    node.onreport = (report) => {
      if (node === this.#node) this.#report(report);
    };
    node.onprocessorerror = () => {
      if (node === this.#node) this.emit('failed', { reason: 'worklet' });
    };
    node.connect(destination);
    this.#wire(node);
  }

  /**
   * @param {number} gain
   * @param {number} durationMs
   * @param {number} atTime Of the context, in s.
   */
  fade(gain, durationMs, atTime) {
    this.#node?.fade(gain, durationMs, atTime);
  }

  /** @param {number} [afterMs] How long it still plays. */
  close(afterMs = 0) {
    const node = this.#node;
    this.#generation += 1;
    this.#node = null;
    this.#stats = null;
    if (!node) return;
    this.#platform.setTimer(() => {
      node.close();
      if (!this.#node) this.#feed?.connect(null);
    }, afterMs);
  }

  /** @param {import('./playout_node.js').PlayoutNode} node */
  #wire(node) {
    const { sink, source } = openWay(this.#platform.isIsolated);
    node.takeFrames(source);
    this.#feed?.connect(sink);
  }

  /** @param {PlayoutReport} report */
  #report(report) {
    if (report.type === 'failed') this.emit('failed', { reason: 'decoder' });
    if (report.type === 'starving') this.#source.suspect();
    if (report.type !== 'stats') return;
    this.#stats = report.stats;
    this.emit('stats', { stats: report.stats });
  }
}

/**
 * A way from the worker to the processor.
 * @param {boolean} isIsolated
 * @returns {{ sink: FramesSink, source: FramesSink }} Its two ends.
 */
function openWay(isIsolated) {
  if (isIsolated) {
    const ring = FrameRing.allocate();
    return { sink: { ring }, source: { ring } };
  }
  const { port1, port2 } = new MessageChannel();
  return { sink: { port: port1 }, source: { port: port2 } };
}
