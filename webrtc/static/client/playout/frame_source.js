/**
 * Takes the encoded frames of receivers: keeps the worker that their transforms run in.
 *
 * Chromium takes a transform only in the turn of the loop in which the transceiver is made, and
 * sends a receiver's sound through it for ever after; a worker that does not run would silence the
 * browser's own path. Hence a receiver gets a transform only once the worker has said that it is
 * ready, and a worker that stops answering is replaced.
 *
 *   state    | event                        | next    | done
 *   ---------|------------------------------|---------|------------------------------------------
 *   calm     | a second over, or a suspicion| asked   | ask; a suspicion shortens the patience
 *   asked    | it answers                   | calm    |
 *   asked    | the patience is over         | doubted | ask again, start a spare worker beside it
 *   doubted  | it answers                   | calm    | end the spare one
 *   doubted  | the patience is over         | calm    | the spare one takes over
 *
 * It is asked twice because a page that was busy finds its timer due before the answer.
 */

import { Emitter } from '../emitter.js';
import { FrameFeed } from './frame_feed.js';

/** A machine that is very busy takes a second; one that never answers is found out by nothing else. */
const READY_WITHIN_MS = 4000;
const ASK_EVERY_MS = 1000;
const PATIENCE_MS = 500;
/** While nothing is heard; twice as long after each worker that was replaced. */
const SHORT_PATIENCE_MS = 75;
/** So often a transform may turn out not to be connected; then this browser gets none any more. */
const MOST_LOST = 3;

/**
 * @typedef {object} FrameSourcePlatform
 * @property {(() => Worker) | null} createFramesWorker Null: the browser has no transforms.
 * @property {(worker: Worker, port: MessagePort) => RTCRtpScriptTransform} createTransform
 * @property {(callback: () => void, delayMs: number) => unknown} setTimer
 * @property {(handle: any) => void} clearTimer
 *
 * @typedef {object} Starting A worker from its first moment on.
 * @property {Worker | null} worker Null: there can be none.
 * @property {Promise<boolean>} ready
 * @property {() => void} end
 */

/** @extends {Emitter<{ gone: {} }>} `gone`: only new connections get their sound back. */
export class FrameSource extends Emitter {
  /** @param {FrameSourcePlatform} platform */
  constructor(platform) {
    super();
    this.#platform = platform;
    this.#isSupported = platform.createFramesWorker !== null;
  }

  #platform;
  #isSupported;
  /** @type {Starting | null} */
  #current = null;
  #isReady = false;
  /** @type {Starting | null} */
  #spare = null;
  /** @type {Set<FrameFeed>} */
  #feeds = new Set();
  /** @type {'calm' | 'asked' | 'doubted'} */
  #state = 'calm';
  #patienceMs = PATIENCE_MS;
  #replaced = 0;
  #lost = 0;
  /** @type {unknown} */
  #timer = null;

  /** False also once a worker could not be started. */
  get isSupported() {
    return this.#isSupported;
  }

  /**
   * Start the worker, so that receivers can be attached.
   * @returns {Promise<boolean>} Whether they can.
   */
  async prepare() {
    if (!this.#isSupported) return false;
    this.#current ??= this.#start();
    const current = this.#current;
    const ready = await current.ready;
    if (current !== this.#current) return false;
    this.#settle(ready);
    return ready;
  }

  /**
   * Attach a receiver in the turn of the loop in which it was made.
   * @param {RTCRtpReceiver} receiver
   * @returns {FrameFeed | null} Null: its frames cannot be taken.
   */
  attach(receiver) {
    const worker = this.#isReady ? this.#current?.worker : null;
    if (!worker) return null;
    const feed = new FrameFeed(receiver, this.#platform.createTransform, () => this.#leave(feed));
    try {
      feed.bind(worker);
    } catch {
      feed.detach();
      return null; // a browser that knows transforms, but not of this kind
    }
    this.#feeds.add(feed);
    if (this.#feeds.size === 1) this.#rest();
    return feed;
  }

  /** Frames stopped coming to somebody who plays: find out at once whether the worker is alive. */
  suspect() {
    if (this.#state === 'calm' && this.#feeds.size > 0)
      this.#ask(SHORT_PATIENCE_MS * 2 ** Math.min(this.#replaced, 3));
  }

  /**
   * What comes is not decoded: the browser did not connect a receiver with its transform.
   * @returns {boolean} Whether a new connection would help; after a few times it gets no transform.
   */
  distrust() {
    if (this.#feeds.size === 0) return false;
    this.#lost += 1;
    if (this.#lost >= MOST_LOST) this.#settle(false);
    return true;
  }

  /** End the worker; it can be prepared again. */
  close() {
    for (const feed of [...this.#feeds]) feed.detach();
    this.#current?.end();
    this.#current = null;
    this.#isReady = false;
  }

  /** @param {boolean} ready */
  #settle(ready) {
    this.#isReady = ready;
    if (ready) return;
    this.#isSupported = false;
    this.close();
  }

  /** @returns {Starting} */
  #start() {
    const { createFramesWorker, setTimer, clearTimer } = this.#platform;
    const worker = createFramesWorker && start(createFramesWorker);
    if (!worker) return { worker: null, ready: Promise.resolve(false), end: () => {} };
    let finish = (/** @type {boolean} */ _result) => {};
    /** @type {Promise<boolean>} */
    const ready = new Promise((resolve) => {
      const limit = setTimer(() => finish(false), READY_WITHIN_MS);
      finish = (result) => {
        clearTimer(limit);
        resolve(result);
      };
    });
    worker.onmessage = () => {
      finish(true);
      if (worker === this.#current?.worker) this.#rest();
    };
    worker.onerror = () => finish(false); // whoever still answers still works
    const end = () => {
      finish(false);
      worker.terminate();
    };
    return { worker, ready, end };
  }

  /** @param {FrameFeed} feed */
  #leave(feed) {
    this.#feeds.delete(feed);
    if (this.#feeds.size === 0) this.#rest();
  }

  /** Calm down; the worker is asked again in a while, if anybody depends on it. */
  #rest() {
    this.#state = 'calm';
    this.#spare?.end();
    this.#spare = null;
    this.#platform.clearTimer(this.#timer);
    this.#timer = null;
    if (this.#feeds.size > 0)
      this.#timer = this.#platform.setTimer(() => this.#ask(PATIENCE_MS), ASK_EVERY_MS);
  }

  /** @param {number} patienceMs */
  #ask(patienceMs) {
    const { setTimer, clearTimer } = this.#platform;
    clearTimer(this.#timer);
    this.#patienceMs = patienceMs;
    this.#state = this.#state === 'calm' ? 'asked' : 'doubted';
    this.#current?.worker?.postMessage('ping');
    this.#timer = setTimer(() => this.#missed(), patienceMs);
  }

  #missed() {
    if (this.#state === 'doubted') {
      void this.#replace();
      return;
    }
    this.#spare = this.#start();
    this.#ask(this.#patienceMs);
  }

  /** The worker is dead, and its receivers silent: another one takes over. */
  async #replace() {
    const spare = this.#spare ?? this.#start();
    this.#spare = null;
    this.#current?.end();
    this.#current = spare;
    this.#isReady = false;
    this.#replaced += 1;
    const orphans = [...this.#feeds];
    for (const feed of orphans) feed.fail('worker');
    const ready = await spare.ready;
    if (spare !== this.#current) return;
    if (!ready || !spare.worker) {
      this.#settle(false);
      if (orphans.length > 0) this.emit('gone', {});
      return;
    }
    this.#settle(true);
    for (const feed of orphans) if (this.#feeds.has(feed)) feed.bind(spare.worker);
    this.#rest();
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
