/**
 * Plays the mix through an `<audio>` element: no WebAudio hop, so nothing is added to the
 * browser's own playout delay.
 */

import { AudioStreamingError } from './errors.js';
import { Emitter } from './emitter.js';

/**
 * @typedef {object} PlaybackEvents
 * @property {{ blocked: boolean }} blockedchange The browser waits for a click, or got it.
 */

/** @extends {Emitter<PlaybackEvents>} */
export class Playback extends Emitter {
  /** @param {() => HTMLAudioElement} createElement */
  constructor(createElement) {
    super();
    this.#createElement = createElement;
  }

  #createElement;
  /** @type {HTMLAudioElement | null} */
  #element = null;
  /** @type {MediaStreamTrack | null} */
  #track = null;
  #wanted = false;
  #silent = false;
  #blocked = false;
  #sinkId = '';

  get element() {
    return this.#element;
  }

  get track() {
    return this.#track;
  }

  /** Whether the browser refuses to play until the user clicks. */
  get isBlocked() {
    return this.#blocked;
  }

  /** Whether this browser can choose an output. */
  get canChooseOutput() {
    return typeof HTMLMediaElement !== 'undefined' && 'setSinkId' in HTMLMediaElement.prototype;
  }

  /** @param {HTMLAudioElement | null} [element] The caller's own; else one is made. */
  start(element = null) {
    this.#wanted = true;
    this.#element ??= element ?? this.#createElement();
    this.#element.autoplay = true;
    this.#element.muted = this.#silent;
    if (this.#sinkId !== '') void this.setOutput(this.#sinkId).catch(() => {});
    this.#attach();
  }

  /** @param {MediaStreamTrack} track */
  setTrack(track) {
    this.#track = track;
    this.#attach();
  }

  stop() {
    this.#wanted = false;
    this.#setBlocked(false);
    if (this.#element) {
      this.#element.pause();
      this.#element.srcObject = null;
    }
    this.#element = null;
  }

  /** @param {boolean} silent */
  setSilent(silent) {
    this.#silent = silent;
    if (this.#element) this.#element.muted = silent;
  }

  /** Try again to play; call it from a click after `blockedchange`. */
  async resume() {
    if (!this.#element || !this.#element.srcObject) return;
    try {
      await this.#element.play();
      this.#setBlocked(false);
    } catch (error) {
      // AbortError: another track came meanwhile and has its own attempt.
      if (error instanceof Error && error.name === 'NotAllowedError') this.#setBlocked(true);
    }
  }

  /**
   * @param {string} deviceId Empty: the system's default.
   * @throws {AudioStreamingError} `output_unsupported`.
   */
  async setOutput(deviceId) {
    if (!this.canChooseOutput) {
      throw new AudioStreamingError(
        'output_unsupported',
        'This browser plays on the default output.',
      );
    }
    try {
      await this.#element?.setSinkId(deviceId);
      this.#sinkId = deviceId;
    } catch (error) {
      throw new AudioStreamingError('output_unsupported', 'The output could not be chosen.', error);
    }
  }

  #attach() {
    if (!this.#wanted || !this.#element || !this.#track) return;
    this.#element.srcObject = new MediaStream([this.#track]);
    void this.resume();
  }

  /** @param {boolean} blocked */
  #setBlocked(blocked) {
    if (blocked === this.#blocked) return;
    this.#blocked = blocked;
    this.emit('blockedchange', { blocked });
  }
}
