/**
 * The worker that receivers' transforms run in: passes every encoded frame on to the browser's own
 * decoder, as if it were not there, and a copy to our own playout path while that wants one.
 *
 * The browser's path depends on this file: nothing in it may stop the passing on. That the browser
 * decodes all the time what is seldom heard costs 2 % of a core (a 2-core machine, Chromium, 100
 * packets a second), and lets either path be faded into the other at once.
 *
 * A receiver's transform comes with `options.port`, over which the page and this worker talk:
 *
 *   page ──▶ worker   { type: 'frames', port }   copies go to `port` from now on; null: nowhere
 *   page ──▶ worker   { type: 'ping' }
 *   worker ──▶ page   { type: 'pong' }
 *   worker ──▶ page   { type: 'unfit', detail } frames that are no Opus (RED, say): no more copies
 *
 * Once it runs, the worker says `ready` to its owner.
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
  /** @type {MessagePort | null} */
  #frames = null;

  /**
   * A loop of our own costs two thirds of what a TransformStream between two pipes does.
   *
   * @param {ReadableStreamDefaultReader<Frame>} reader
   * @param {WritableStreamDefaultWriter<Frame>} writer
   */
  async #passOn(reader, writer) {
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) return;
      if (this.#frames) this.#offer(frame, this.#frames);
      await writer.write(frame);
    }
  }

  /** @param {{ type: string, port?: MessagePort | null }} message */
  #handle({ type, port = null }) {
    if (type === 'ping') this.#port.postMessage({ type: 'pong' });
    if (type === 'frames') this.#frames = port;
  }

  /**
   * @param {Frame} frame
   * @param {MessagePort} port
   */
  #offer(frame, port) {
    try {
      copy(frame, port);
    } catch (error) {
      this.#frames = null;
      this.#port.postMessage({ type: 'unfit', detail: String(error) });
    }
  }
}

/**
 * @param {Frame} frame
 * @param {MessagePort} port
 * @throws {TypeError} It is no Opus packet, or does not say which.
 */
function copy(frame, port) {
  const { data } = frame;
  if (data.byteLength === 0) return; // browsers begin with some
  const { sequenceNumber, rtpTimestamp, receiveTime, mimeType } = frame.getMetadata();
  if (mimeType !== undefined && mimeType.toLowerCase() !== 'audio/opus') {
    throw new TypeError(mimeType);
  }
  if (sequenceNumber === undefined) throw new TypeError('no sequence number');
  const arrivalMs = performance.timeOrigin + (receiveTime ?? performance.now());
  const timestamp = rtpTimestamp ?? frame.timestamp;
  // The browser's decoder still needs the data; and so few bytes are sooner cloned than transferred.
  port.postMessage({ sequence: sequenceNumber, timestamp, payload: data, arrivalMs });
}

globalThis.addEventListener('rtctransform', (event) => {
  new Feed(/** @type {Event & { transformer: Transformer }} */ (event).transformer);
});
globalThis.postMessage('ready');

export {};
