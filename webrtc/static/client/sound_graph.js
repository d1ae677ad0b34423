/**
 * What is heard, as a WebAudio graph: every track (graph_track.js) into one output.
 *
 *   track ──┐
 *   track ──┴── output (gain: deafened or not) ── device
 */

import { Emitter } from './emitter.js';
import { OutputWatch } from './output_watch.js';

/**
 * The browser's own word for low latency leaves a margin: 23 ms in Chromium, for which most devices
 * have no use. Those that have are noticed (output_watch.js).
 */
const SHORTEST = 0;
const WATCH_EVERY_MS = 1000;
const SILENCE_S = 0.01;
/** A context that has not begun by then waits for a click. */
const STARTS_WITHIN_MS = 500;

/**
 * @typedef {object} GraphPlatform
 * @property {((latencyHint: AudioContextLatencyCategory | number) => AudioContext) | null}
 *   createAudioContext
 * @property {() => HTMLAudioElement} createAudioElement
 * @property {EventTarget} gestures Fires `pointerdown` and `keydown`.
 * @property {(callback: () => void, delayMs: number) => unknown} setTimer
 * @property {(handle: any) => void} clearTimer
 * @property {() => number} now Milliseconds, monotonic.
 */

/**
 * @typedef {object} GraphEvents
 * @property {{}} change It began to run, stopped, or turned out to be blocked.
 * @property {{}} struggle The device does not keep up: close it, and open it with a margin.
 */

/** @extends {Emitter<GraphEvents>} */
export class SoundGraph extends Emitter {
  /** @param {GraphPlatform} platform */
  constructor(platform) {
    super();
    this.#platform = platform;
  }

  #platform;
  /** @type {{ context: AudioContext, output: GainNode } | null} */
  #nodes = null;
  /** @type {Set<import('./graph_track.js').GraphTrack>} */
  #tracks = new Set();
  /** @type {HTMLAudioElement | null} Plays the graph where contexts cannot choose an output. */
  #speaker = null;
  #sinkId = '';
  #silent = false;
  #blocked = false;
  /** Changes of output under way. */
  #moves = 0;
  /** @type {unknown} */
  #limit = null;
  /** Whether the device has shown that it needs a margin. */
  #calm = false;
  /** @type {unknown} */
  #watching = null;

  get context() {
    return this.#nodes?.context ?? null;
  }

  /** What the device gets; null while it is closed. */
  get output() {
    return this.#nodes?.output ?? null;
  }

  get isRunning() {
    return this.context?.state === 'running';
  }

  /** Whether the browser waits for a click. */
  get isBlocked() {
    return this.#blocked && !this.isRunning;
  }

  /** From here to the device's terminals, as far as the browser tells. */
  get latencyMs() {
    const { baseLatency = 0, outputLatency = 0 } = this.context ?? {};
    return (baseLatency + outputLatency) * 1000;
  }

  open() {
    if (this.#nodes) return;
    const context = this.#createContext();
    if (!context) return;
    const output = context.createGain();
    output.gain.value = 0;
    output.connect(context.destination);
    this.#nodes = { context, output };
    for (const track of this.#tracks) track.open(context, output);
    context.onstatechange = () => this.#stateChanged();
    this.#limit = this.#platform.setTimer(() => this.#late(), STARTS_WITHIN_MS);
    if (this.#sinkId !== '') void this.setOutput(this.#sinkId).catch(() => {});
    void this.resume();
    if (context.state === 'running') this.#stateChanged();
    this.#watch(context);
  }

  close() {
    this.#platform.clearTimer(this.#limit);
    this.#platform.clearTimer(this.#watching);
    this.#awaitGesture(false);
    for (const track of this.#tracks) track.close();
    this.#speaker?.pause();
    this.#speaker = null;
    const context = this.context;
    this.#nodes = null;
    this.#blocked = false;
    if (!context) return;
    context.onstatechange = null;
    void context.close();
  }

  /** Try to run; call it from a click after `isBlocked`. */
  async resume() {
    await this.context?.resume().catch(() => {});
  }

  /** @param {import('./graph_track.js').GraphTrack} track */
  add(track) {
    this.#tracks.add(track);
    if (this.#nodes) track.open(this.#nodes.context, this.#nodes.output);
  }

  /** @param {import('./graph_track.js').GraphTrack} track */
  remove(track) {
    this.#tracks.delete(track);
    track.close();
  }

  /** @param {boolean} silent */
  setSilent(silent) {
    this.#silent = silent;
    const { context, output } = this.#nodes ?? {};
    if (context) output?.gain.setTargetAtTime(silent ? 0 : 1, context.currentTime, SILENCE_S / 3);
  }

  /**
   * @param {string} deviceId Empty: the system's default.
   * @throws {DOMException} There is no such output, or it may not be used.
   */
  async setOutput(deviceId) {
    this.#sinkId = deviceId;
    const { context, output } = this.#nodes ?? {};
    if (!context || !output) return;
    if ('setSinkId' in context) {
      await this.#move(/** @type {any} */ (context), deviceId);
      return;
    }
    await this.#playThroughElement(context, output, deviceId);
  }

  /**
   * Chromium suspends a context while it moves to another output, for some 20 ms.
   * @param {{ setSinkId(deviceId: string): Promise<void> }} context
   * @param {string} deviceId
   */
  async #move(context, deviceId) {
    this.#moves += 1;
    try {
      await context.setSinkId(deviceId);
    } finally {
      this.#platform.setTimer(() => {
        this.#moves -= 1;
        if (this.context === /** @type {unknown} */ (context) && !this.isRunning) this.#stateChanged();
      }, STARTS_WITHIN_MS);
    }
  }

  #createContext() {
    try {
      return this.#platform.createAudioContext?.(this.#calm ? 'interactive' : SHORTEST) ?? null;
    } catch {
      return null; // the page has too many already, or there is no sound device
    }
  }

  /** @param {AudioContext & { playbackStats?: { underrunEvents: number } }} context */
  #watch(context) {
    if (this.#calm || !context.playbackStats) return;
    const watch = new OutputWatch();
    const look = () => {
      if (context.state !== 'running' || this.#moves > 0) watch.reset();
      else watch.report(context.playbackStats?.underrunEvents ?? 0, this.#platform.now());
      this.#calm = watch.isStruggling;
      if (this.#calm) this.emit('struggle', {});
      else this.#watching = this.#platform.setTimer(look, WATCH_EVERY_MS);
    };
    look();
  }

  #stateChanged() {
    const { context, output } = this.#nodes ?? {};
    if (!context || !output || (this.#moves > 0 && !this.isRunning)) return;
    if (this.isRunning) {
      this.#blocked = false;
      this.#awaitGesture(false);
      this.setSilent(this.#silent);
    } else {
      output.gain.value = 0;
      this.#late();
    }
    this.emit('change', {});
  }

  #late() {
    if (this.isRunning || this.#blocked || !this.#nodes) return;
    this.#blocked = true;
    this.#awaitGesture(true);
    this.emit('change', {});
  }

  /** @param {boolean} wanted Whether the next click or key makes the graph run. */
  #awaitGesture(wanted) {
    const { gestures } = this.#platform;
    for (const type of ['pointerdown', 'keydown']) {
      if (wanted) gestures.addEventListener(type, this.#onGesture);
      else gestures.removeEventListener(type, this.#onGesture);
    }
  }

  #onGesture = () => void this.resume();

  /**
   * A way for browsers whose contexts cannot choose an output; an element adds its own delay.
   * @param {AudioContext} context
   * @param {GainNode} output
   * @param {string} deviceId
   */
  async #playThroughElement(context, output, deviceId) {
    output.disconnect();
    this.#speaker?.pause();
    this.#speaker = null;
    if (deviceId === '') {
      output.connect(context.destination);
      return;
    }
    const speaker = this.#platform.createAudioElement();
    const stream = context.createMediaStreamDestination();
    output.connect(stream);
    speaker.srcObject = stream.stream;
    this.#speaker = speaker;
    await speaker.setSinkId(deviceId);
    await speaker.play();
  }
}
