/**
 * Our own playout path of one receiver: frames from its transform's worker into a playout node of
 * an `AudioContext`. The browser's path is not touched: frames go on to it all the time.
 */

import { Emitter } from '../emitter.js';
import { FrameSource } from './frame_source.js';

/**
 * @typedef {import('./types.js').PlayoutReport} PlayoutReport
 * @typedef {import('./types.js').PlayoutStats} PlayoutStats
 * @typedef {import('./path_switch.js').Failure} Failure
 *
 * @typedef {object} PathEvents
 * @property {{ stats: PlayoutStats }} stats Every 250 ms while it is open.
 * @property {{ reason: Failure }} failed It is of no use until it is opened again.
 * @property {{}} gone The receiver is cut off from its sound: only a new connection helps.
 *
 * @typedef {(context: AudioContext) => Promise<import('./playout_node.js').PlayoutNode>}
 *   CreatePlayoutNode
 * @typedef {import('./frame_source.js').FrameSourcePlatform
 *   & { createPlayoutNode: CreatePlayoutNode }} PathPlatform
 */

/** @extends {Emitter<PathEvents>} */
export class LowLatencyPath extends Emitter {
  /** @param {PathPlatform} platform */
  constructor(platform) {
    super();
    this.#platform = platform;
    this.#source = new FrameSource(platform);
    this.#source.on('failed', ({ reason }) => this.emit('failed', { reason }));
    this.#source.on('gone', () => this.emit('gone', {}));
  }

  #platform;
  #source;
  /** @type {import('./playout_node.js').PlayoutNode | null} */
  #node = null;
  #generation = 0;
  /** @type {PlayoutStats | null} */
  #stats = null;

  get isSupported() {
    return this.#source.isSupported;
  }

  /** Figures of the moment; null while it is closed. */
  get stats() {
    return this.#stats;
  }

  /** From a frame's arrival to the device; null: nothing played, or the browser does not tell. */
  get delayToEarMs() {
    return this.#node?.delayToEarMs() ?? null;
  }

  /** Start what `attach` needs; resolves with whether it can. */
  prepare() {
    return this.#source.prepare();
  }

  /**
   * Take the frames of a receiver, in the turn of the loop in which it was made.
   * @param {RTCRtpReceiver} receiver
   * @returns {boolean} Whether they can be taken.
   */
  attach(receiver) {
    const attached = this.#source.attach(receiver);
    if (attached && this.#node) this.#wire(this.#node);
    return attached;
  }

  /** The receiver's connection is closed. */
  detach() {
    this.#source.detach();
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
      if (!this.#node) this.#source.connect(null);
    }, afterMs);
  }

  /** End the worker as well; `prepare` starts another. */
  release() {
    this.close();
    this.#source.close();
  }

  /** @param {import('./playout_node.js').PlayoutNode} node */
  #wire(node) {
    const { port1, port2 } = new MessageChannel();
    node.takeFrames(port1);
    this.#source.connect(port2);
  }

  /** @param {PlayoutReport} report */
  #report(report) {
    if (report.type === 'failed') this.emit('failed', { reason: 'decoder' });
    if (report.type !== 'stats') return;
    this.#stats = report.stats;
    this.emit('stats', { stats: report.stats });
  }
}
