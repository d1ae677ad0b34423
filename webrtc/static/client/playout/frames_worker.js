/**
 * The worker that receivers' transforms run in: passes every encoded frame on to the browser's own
 * decoder, as if it were not there, and a copy to our own playout path while that wants one.
 *
 * The browser's path depends on this file: nothing in it may stop the passing on. That the browser
 * decodes all the time what is seldom heard lets either path be faded into the other at once.
 *
 * A receiver's transform comes with `options.port`, over which the page and this worker talk:
 *
 *   page ──▶ worker   { type: 'frames', sink }   copies go to `sink` from now on; null: nowhere
 *   worker ──▶ page   { type: 'unfit', detail }  frames that are no Opus (RED, say): no more copies
 *
 * Once it runs, the worker says `ready` to its owner, and `pong` whenever it is sent anything.
 */

import { FrameRing } from './frame_ring.js';

/**
 * @typedef {import('./types.js').EncodedFrame} EncodedFrame
 * @typedef {import('./types.js').FramesSink} FramesSink
 */

/**
 * @typedef {object} Transformer
 * @property {ReadableStream<Frame>} readable
 * @property {WritableStream<Frame>} writable
 * @property {{ port: MessagePort }} options
 */

/**
 * An encoded frame as browsers hand it out; `receiveTime` and `mimeType` are missing in older ones.
 * @typedef {object} Frame
 * @property {ArrayBuffer} data
 * @property {number} timestamp
 * @property {() => { sequenceNumber?: number, rtpTimestamp?: number, receiveTime?: number,
 *   mimeType?: string }} getMetadata
 */

class Feed {
  /** @param {Transformer} transformer */
  constructor({ readable, writable, options }) {
    this.#port = options.port;
    this.#port.onmessage = ({ data }) => this.#handle(data);
    // Both ends fail when the connection is closed; there is nothing to pass on then.
    this.#passOn(readable.getReader(), writable.getWriter()).catch(() => {});
  }

  #port;
  /** @type {((frame: EncodedFrame) => void) | null} */
  #send = null;

  /**
   * A loop costs two thirds of what a TransformStream between two pipes does.
   *
   * @param {ReadableStreamDefaultReader<Frame>} reader
   * @param {WritableStreamDefaultWriter<Frame>} writer
   */
  async #passOn(reader, writer) {
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) return;
      if (this.#send) this.#offer(frame, this.#send);
      await writer.write(frame);
    }
  }

  /** @param {{ type: 'frames', sink: FramesSink | null }} message */
  #handle({ sink }) {
    this.#send = sink && senderTo(sink);
  }

  /**
   * @param {Frame} frame
   * @param {(frame: EncodedFrame) => void} send
   */
  #offer(frame, send) {
    try {
      if (frame.data.byteLength > 0) send(read(frame)); // browsers begin with some that are empty
    } catch (error) {
      this.#send = null;
      this.#port.postMessage({ type: 'unfit', detail: String(error) });
    }
  }
}

/**
 * @param {FramesSink} sink
 * @returns {(frame: EncodedFrame) => void}
 */
function senderTo({ ring, port }) {
  if (!ring) return (frame) => port?.postMessage(frame);
  const frames = new FrameRing(ring);
  return (frame) => void frames.put(frame);
}

/**
 * @param {Frame} frame
 * @returns {EncodedFrame} Its payload is still the browser's: to be cloned, which so few bytes are
 *   sooner than transferred.
 * @throws {TypeError} It is no Opus packet, or does not say which.
 */
function read(frame) {
  const { sequenceNumber, rtpTimestamp, receiveTime, mimeType } = frame.getMetadata();
  if (mimeType !== undefined && mimeType.toLowerCase() !== 'audio/opus') {
    throw new TypeError(mimeType);
  }
  if (sequenceNumber === undefined) throw new TypeError('no sequence number');
  return {
    sequence: sequenceNumber,
    timestamp: rtpTimestamp ?? frame.timestamp,
    payload: frame.data,
    arrivalMs: performance.timeOrigin + (receiveTime ?? performance.now()),
    handedMs: Date.now(),
  };
}

globalThis.addEventListener('rtctransform', (event) => {
  new Feed(/** @type {Event & { transformer: Transformer }} */ (event).transformer);
});
globalThis.onmessage = () => globalThis.postMessage('pong');
globalThis.postMessage('ready');
