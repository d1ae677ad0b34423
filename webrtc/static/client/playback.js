/**
 * Plays the mix. An `<audio>` element takes it from the browser and plays it wherever WebAudio does
 * not; where playout_paths.js does, the element goes on with a volume of 0, because Chromium hands a
 * remote track to WebAudio only while an element plays it.
 */

import { AudioStreamingError } from './errors.js';
import { Emitter } from './emitter.js';
import { PlayoutPaths } from './playout_paths.js';
import { TrackPlayers } from './track_players.js';

/**
 * @typedef {import('./playout_paths.js').PlayoutMode} PlayoutMode
 * @typedef {import('./playout_paths.js').PlayoutPath} PlayoutPath
 * @typedef {import('./playout_paths.js').PlayoutReason} PlayoutReason
 */

/**
 * @typedef {object} PlaybackEvents
 * @property {{ blocked: boolean }} blockedchange The browser waits for a click, or got it.
 * @property {{ path: PlayoutPath, reason: PlayoutReason }} playoutchange
 * @property {{}} gone The connection brings no sound any more: a new one would.
 */

/** @extends {Emitter<PlaybackEvents>} */
export class Playback extends Emitter {
  /**
   * @param {import('./playout_paths.js').PlayoutPlatform} platform
   * @param {PlayoutMode} [mode]
   */
  constructor(platform, mode) {
    super();
    this.#createElement = platform.createAudioElement;
    this.#playout = new PlayoutPaths(platform, mode);
    /** What is heard besides the mix, in rooms that forward. */
    this.tracks = new TrackPlayers(platform.createAudioElement, this.#playout);
    this.#playout.on('change', (detail) => this.emit('playoutchange', detail));
    this.#playout.on('carry', () => this.#shareOut());
    this.#playout.on('gone', () => this.emit('gone', {}));
  }

  #createElement;
  #playout;
  /** @type {HTMLAudioElement | null} */
  #element = null;
  /** Whether the element is ours. */
  #owned = true;
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

  /** The WebAudio node that plays, for meters; null while the element does. */
  get output() {
    return this.#playout.output;
  }

  /** Which way the mix takes, and why. */
  get playout() {
    return this.#playout.figures;
  }

  /** Whether the browser refuses to play until the user clicks. */
  get isBlocked() {
    return this.#blocked;
  }

  /** Whether this browser can choose an output. */
  get canChooseOutput() {
    return typeof HTMLMediaElement !== 'undefined' && 'setSinkId' in HTMLMediaElement.prototype;
  }

  /** Get ready for `attach`; takes a moment at most. */
  prepare() {
    return this.#playout.prepare();
  }

  /** @param {RTCRtpReceiver} receiver In the turn of the loop in which it was made. */
  attach(receiver) {
    this.#playout.attach(receiver);
  }

  /**
   * What comes is not decoded.
   * @returns {boolean} Whether a new connection would help.
   */
  distrust() {
    return this.#playout.distrust();
  }

  /** The connection is closed. */
  detach() {
    this.#playout.detach();
  }

  /** @param {HTMLAudioElement | null} [element] The caller's own; else one is made. */
  start(element = null) {
    this.#wanted = true;
    this.#owned = this.#element ? this.#owned : element === null;
    this.#element ??= element ?? this.#createElement();
    this.#element.autoplay = true;
    this.#element.muted = this.#silent;
    this.tracks.start();
    this.#playout.start(!this.#owned);
    this.#shareOut();
    if (this.#sinkId !== '') void this.setOutput(this.#sinkId).catch(() => {});
    this.#attachTrack();
  }

  /** @param {MediaStreamTrack} track */
  setTrack(track) {
    this.#track = track;
    this.#playout.setTrack(track);
    this.#attachTrack();
  }

  stop() {
    this.#wanted = false;
    this.tracks.stop();
    this.#playout.stop();
    this.#setBlocked(false);
    if (this.#element) {
      this.#element.pause();
      this.#element.srcObject = null;
    }
    this.#element = null;
  }

  /** Stop, and free all that was made ready. */
  release() {
    this.stop();
    this.#playout.release();
  }

  /** @param {boolean} echoes Whether the open microphone would hear what WebAudio plays. */
  setEchoes(echoes) {
    this.#playout.setEchoes(echoes);
  }

  /** @param {boolean} silent */
  setSilent(silent) {
    this.#silent = silent;
    this.#playout.setSilent(silent);
    this.tracks.setSilent(silent);
    if (this.#element) this.#element.muted = silent;
  }

  /**
   * @param {PlayoutMode} mode
   * @returns {boolean} Whether this takes a new connection.
   */
  setMode(mode) {
    return this.#playout.setMode(mode);
  }

  /** Try again to play; call it from a click after `blockedchange`. */
  async resume() {
    if (!this.#element || !this.#element.srcObject) return;
    void this.#playout.resume();
    void this.tracks.resume();
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
      await Promise.all([
        this.#element?.setSinkId(deviceId),
        this.#playout.setOutput(deviceId),
        this.tracks.setSink(deviceId),
      ]);
      this.#sinkId = deviceId;
    } catch (error) {
      throw new AudioStreamingError('output_unsupported', 'The output could not be chosen.', error);
    }
  }

  #attachTrack() {
    if (!this.#wanted || !this.#element || !this.#track) return;
    this.#element.srcObject = new MediaStream([this.#track]);
    void this.resume();
  }

  /** Either the element is heard or the graph. */
  #shareOut() {
    if (this.#element && this.#owned) this.#element.volume = this.#playout.carries ? 0 : 1;
    this.tracks.setCarried(this.#playout.carries);
  }

  /** @param {boolean} blocked */
  #setBlocked(blocked) {
    if (blocked === this.#blocked) return;
    this.#blocked = blocked;
    this.emit('blockedchange', { blocked });
  }
}
