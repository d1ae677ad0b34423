/**
 * Takes the encoded frames of a receiver: keeps the worker that its transform runs in.
 *
 * Chromium takes a transform only in the turn of the loop in which the transceiver is made, and
 * sends a receiver's sound through it for ever after; a worker that does not run would silence the
 * browser's own path. Hence a receiver gets a transform only once the worker has said that it is
 * ready, and a worker that stops answering is replaced.
 */

import { Emitter } from '../emitter.js';

const READY_WITHIN_MS = 1500;
const PING_EVERY_MS = 250;
/** A page that is busy reads answers late; a hidden one asks once a second. */
const MISSED_PINGS = 4;

/**
 * @typedef {object} FrameSourceEvents
 * @property {{ reason: 'worker' | 'codec' }} failed No frames reach the port any more.
 * @property {{}} gone The receiver is cut off from its sound: only a new connection helps.
 *
 * @typedef {object} FrameSourcePlatform
 * @property {(() => Worker) | null} createFramesWorker Null: the browser has no transforms.
 * @property {(worker: Worker, port: MessagePort) => RTCRtpScriptTransform} createTransform
 * @property {(callback: () => void, delayMs: number) => unknown} setTimer
 * @property {(handle: any) => void} clearTimer
 */

/** @extends {Emitter<FrameSourceEvents>} */
export class FrameSource extends Emitter {
  /** @param {FrameSourcePlatform} platform */
  constructor(platform) {
    super();
    this.#platform = platform;
    this.#isSupported = platform.createFramesWorker !== null;
  }

  #platform;
  #isSupported;
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Promise<boolean> | null} */
  #starting = null;
  #isReady = false;
  /** @type {RTCRtpReceiver | null} */
  #receiver = null;
  /** @type {MessagePort | null} */
  #control = null;
  #missed = 0;
  /** @type {unknown} */
  #timer = null;

  /** False also once a worker could not be started. */
  get isSupported() {
    return this.#isSupported;
  }

  /** Whether the sound of a receiver runs through the worker. */
  get isAttached() {
    return this.#receiver !== null;
  }

  /**
   * Start the worker, so that receivers can be attached.
   * @returns {Promise<boolean>} Whether they can.
   */
  prepare() {
    if (!this.#isSupported) return Promise.resolve(false);
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /**
   * Attach a receiver in the turn of the loop in which it was made; a former one is let go.
   * @param {RTCRtpReceiver} receiver
   * @returns {boolean} Whether it was.
   */
  attach(receiver) {
    this.detach();
    if (!this.#isReady) return false;
    this.#receiver = receiver;
    try {
      this.#transform(receiver);
    } catch {
      this.detach(); // a browser that knows transforms, but not of this kind
      return false;
    }
    this.#plan();
    return true;
  }

  /** The receiver's connection is closed. */
  detach() {
    this.#receiver = null;
    this.#control?.close();
    this.#control = null;
    this.#platform.clearTimer(this.#timer);
    this.#timer = null;
  }

  /**
   * @param {MessagePort | null} port Where frames go from now on; it moves to the worker.
   */
  connect(port) {
    this.#control?.postMessage({ type: 'frames', port }, port ? [port] : []);
  }

  /** End the worker; it can be prepared again. */
  close() {
    this.detach();
    this.#worker?.terminate();
    this.#worker = null;
    this.#starting = null;
    this.#isReady = false;
  }

  async #start() {
    const { createFramesWorker, setTimer, clearTimer } = this.#platform;
    if (!createFramesWorker) return false;
    const worker = start(createFramesWorker);
    this.#worker = worker;
    const ready = await new Promise((resolve) => {
      if (!worker) {
        resolve(false);
        return;
      }
      const limit = setTimer(() => resolve(false), READY_WITHIN_MS);
      const finish = (/** @type {boolean} */ result) => {
        clearTimer(limit);
        resolve(result);
      };
      worker.onmessage = () => finish(true);
      worker.onerror = () => finish(false);
    });
    if (worker !== this.#worker) return false;
    if (worker) {
      worker.onmessage = null;
      worker.onerror = null; // whoever still answers still works
    }
    this.#isReady = ready;
    if (!ready) {
      this.close();
      this.#isSupported = false;
    }
    return ready;
  }

  /** @param {RTCRtpReceiver} receiver */
  #transform(receiver) {
    if (!this.#worker) return;
    const { port1, port2 } = new MessageChannel();
    receiver.transform = this.#platform.createTransform(this.#worker, port2);
    this.#control = port1;
    this.#missed = 0;
    port1.onmessage = ({ data }) => {
      this.#missed = 0;
      if (data.type === 'unfit') this.emit('failed', { reason: 'codec' });
    };
  }

  #plan() {
    this.#timer = this.#platform.setTimer(() => this.#ping(), PING_EVERY_MS);
  }

  #ping() {
    if (this.#missed >= MISSED_PINGS) {
      void this.#replace();
      return;
    }
    this.#missed += 1;
    this.#control?.postMessage({ type: 'ping' });
    this.#plan();
  }

  /** The worker is dead, and the receiver silent: another one takes over. */
  async #replace() {
    const receiver = this.#receiver;
    this.close();
    this.emit('failed', { reason: 'worker' });
    const ready = await this.prepare();
    if (!receiver || this.#receiver) return; // a new connection came meanwhile
    if (!ready) {
      this.emit('gone', {});
      return;
    }
    this.#receiver = receiver;
    this.#transform(receiver);
    this.#plan();
  }
}

/**
 * @param {() => Worker} create
 * @returns {Worker | null} Null: the page's policy forbids it.
 */
function start(create) {
  try {
    return create();
  } catch {
    return null;
  }
}
