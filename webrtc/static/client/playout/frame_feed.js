/** The frames of one receiver, on their way through the worker to whoever plays them. */

import { Emitter } from '../emitter.js';

/**
 * @typedef {import('./types.js').FramesSink} FramesSink
 *
 * @typedef {object} FrameFeedEvents
 * @property {{ reason: 'worker' | 'codec' }} failed No frames reach the sink any more.
 * @property {{}} rebound Another worker has taken over, which knows of no sink.
 */

/** @extends {Emitter<FrameFeedEvents>} */
export class FrameFeed extends Emitter {
  /**
   * @param {RTCRtpReceiver} receiver
   * @param {import('./frame_source.js').FrameSourcePlatform['createTransform']} createTransform
   * @param {() => void} leave Called once it is detached.
   */
  constructor(receiver, createTransform, leave) {
    super();
    this.#receiver = receiver;
    this.#createTransform = createTransform;
    this.#leave = leave;
  }

  #receiver;
  #createTransform;
  #leave;
  /** @type {MessagePort | null} */
  #control = null;

  /**
   * Lead the receiver's sound through a worker, the first or another one.
   * @param {Worker} worker
   * @throws {DOMException} The browser refuses it.
   */
  bind(worker) {
    const isFirst = this.#control === null;
    this.#control?.close();
    const { port1, port2 } = new MessageChannel();
    this.#control = port1;
    port1.onmessage = () => this.fail('codec');
    this.#receiver.transform = this.#createTransform(worker, port2);
    if (!isFirst) this.emit('rebound', {});
  }

  /** @param {FramesSink | null} sink Where frames go from now on; a port moves to the worker. */
  connect(sink) {
    this.#control?.postMessage({ type: 'frames', sink }, sink?.port ? [sink.port] : []);
  }

  /** @param {'worker' | 'codec'} reason */
  fail(reason) {
    this.emit('failed', { reason });
  }

  /** The receiver's connection is closed. */
  detach() {
    this.#control?.close();
    this.#control = null;
    this.#leave();
  }
}
