/**
 * Plays the mix on whichever path path_switch.js decides: feeds it, and carries out what it says on
 * the sound graph and our own path.
 */

import { Emitter } from './emitter.js';
import { LowLatencyPath } from './playout/low_latency_path.js';
import { PathSwitch } from './playout/path_switch.js';
import { SoundGraph } from './sound_graph.js';
import { MachineTimer } from './timer.js';

/**
 * @typedef {import('./playout/path_switch.js').PlayoutMode} PlayoutMode
 * @typedef {import('./playout/path_switch.js').PlayoutPath} PlayoutPath
 * @typedef {import('./playout/path_switch.js').PlayoutReason} PlayoutReason
 * @typedef {import('./playout/types.js').PlayoutStats} PlayoutStats
 */

/**
 * @typedef {object} PlayoutState
 * @property {PlayoutMode} mode What was asked for.
 * @property {PlayoutPath} path What is heard.
 * @property {PlayoutReason} reason Why.
 * @property {number | null} toEarMs From a frame's arrival to the device, as measured; null: our own
 *   path does not play, or the browser does not tell.
 * @property {number | null} outputMs From the graph to the device; null: an element plays.
 * @property {PlayoutStats | null} stats Of our own path, also while it only stands by.
 */

/**
 * @typedef {object} PlayoutEvents
 * @property {{ path: PlayoutPath, reason: PlayoutReason }} change
 * @property {{}} carry `carries` is another.
 * @property {{}} gone The connection brings no sound any more: a new one would.
 *
 * @typedef {import('./playout/low_latency_path.js').PathPlatform
 *   & import('./sound_graph.js').GraphPlatform & import('./timer.js').Clock} PlayoutPlatform
 */

const FADE_MS = 25;
/** After a fade, until what was faded out may end. */
const FADED_MS = 100;

/** @extends {Emitter<PlayoutEvents>} */
export class PlayoutPaths extends Emitter {
  /**
   * @param {PlayoutPlatform} platform
   * @param {PlayoutMode} [mode]
   */
  constructor(platform, mode) {
    super();
    this.#platform = platform;
    this.#switch = new PathSwitch(mode);
    this.#toldReason = this.#switch.reason;
    this.#timer = new MachineTimer(
      platform,
      () => this.#switch.pollTimeout(),
      (now) => this.#carryOut(this.#switch.handleTimer(now)),
    );
    this.#graph = new SoundGraph(platform);
    this.#own = new LowLatencyPath(platform);
    this.#graph.on('change', () => this.#graphChanged());
    this.#own.on('stats', ({ stats }) => this.#carryOut(this.#switch.report(stats, this.#now)));
    this.#own.on('failed', ({ reason }) => this.#carryOut(this.#switch.fail(reason, this.#now)));
    this.#own.on('gone', () => this.emit('gone', {}));
  }

  #platform;
  #switch;
  #timer;
  #graph;
  #own;
  #started = false;
  /** Whether the caller's own element plays, which is none of our business. */
  #byElement = false;
  /** Whether a microphone would hear what WebAudio plays. */
  #echoes = false;
  /** @type {boolean | null} Null: there is no connection. */
  #attached = null;
  #carries = false;
  /** @type {PlayoutPath} */
  #told = 'browser';
  /** @type {PlayoutReason} */
  #toldReason;

  get mode() {
    return this.#switch.mode;
  }

  get path() {
    return this.#switch.path;
  }

  get reason() {
    return this.#switch.reason;
  }

  /** Whether the graph plays the mix on either path, so that an element must not. */
  get carries() {
    return this.#carries;
  }

  /** The graph's last node; null while an element plays. */
  get output() {
    return this.#graph.output;
  }

  /** @returns {PlayoutState} */
  get figures() {
    const { mode, path, reason } = this;
    const outputMs = this.#carries ? this.#graph.latencyMs : null;
    const toEarMs = path === 'low-latency' ? this.#own.delayToEarMs : null;
    return { mode, path, reason, toEarMs, outputMs, stats: this.#own.stats };
  }

  /** Get ready for `attach`, where it may be wanted; takes a moment at most. */
  async prepare() {
    if (this.mode !== 'browser') await this.#own.prepare();
  }

  /**
   * A connection was made.
   * @param {RTCRtpReceiver} receiver In the turn of the loop in which it was made.
   */
  attach(receiver) {
    this.#attached = this.mode !== 'browser' && this.#own.attach(receiver);
    this.#look();
  }

  /** The connection is closed. */
  detach() {
    this.#own.detach();
    this.#attached = null;
    this.#look();
  }

  /** @param {boolean} byElement Whether the caller's own element is to play. */
  start(byElement) {
    this.#started = true;
    this.#byElement = byElement;
    this.#openGraph();
    this.#look();
  }

  stop() {
    this.#started = false;
    this.#look();
    this.#closeGraph();
  }

  /** Stop, and free all that was made ready. */
  release() {
    this.stop();
    this.#own.release();
  }

  /** @param {MediaStreamTrack} track The mix, as the browser plays it. */
  setTrack(track) {
    this.#graph.setTrack(track);
  }

  /**
   * Whether the open microphone's echo cancellation leaves out what WebAudio plays. In mode auto, an
   * element plays then, on the browser's own path.
   * @param {boolean} echoes
   */
  setEchoes(echoes) {
    this.#echoes = echoes;
    this.#look();
    if (this.#mustNotEcho) this.#closeGraph();
    else this.#openGraph();
  }

  /** @param {boolean} silent */
  setSilent(silent) {
    this.#graph.setSilent(silent);
  }

  /**
   * @param {string} deviceId
   * @throws {DOMException} There is no such output, or it may not be used.
   */
  setOutput(deviceId) {
    return this.#graph.setOutput(deviceId);
  }

  /** Play what the browser held back; call it from a click. */
  resume() {
    return this.#graph.resume();
  }

  /**
   * @param {PlayoutMode} mode
   * @returns {boolean} Whether this takes a new connection: one that was made in mode `browser`
   *   does not give its frames away.
   */
  setMode(mode) {
    this.#carryOut(this.#switch.setMode(mode, this.#now));
    if (mode === 'browser') return false;
    this.setEchoes(this.#echoes);
    return this.#attached === false && this.#own.isSupported;
  }

  get #now() {
    return this.#platform.now();
  }

  get #mustNotEcho() {
    return this.#echoes && this.mode === 'auto';
  }

  #openGraph() {
    const wanted = this.#started && !this.#byElement && this.mode !== 'browser';
    if (wanted && !this.#mustNotEcho && this.#own.isSupported) this.#graph.open();
  }

  #closeGraph() {
    this.#own.close();
    this.#graph.close();
    this.#graphChanged();
  }

  /** @returns {import('./playout/path_switch.js').Obstacle | null} */
  get #obstacle() {
    if (!this.#started || this.#attached === null) return 'idle';
    if (this.#byElement) return 'element';
    if (!this.#own.isSupported || !this.#attached) return 'unsupported';
    if (this.#mustNotEcho) return 'echo';
    if (this.#graph.isRunning) return null;
    return this.#graph.isBlocked ? 'blocked' : 'idle';
  }

  #look() {
    this.#carryOut(this.#switch.setObstacle(this.#obstacle, this.#now));
  }

  #graphChanged() {
    this.#look();
    const carries = this.#graph.isRunning;
    if (carries === this.#carries) return;
    this.#carries = carries;
    this.emit('carry', {});
  }

  /** @param {import('./playout/path_switch.js').SwitchEffect[]} effects */
  #carryOut(effects) {
    const { context, output } = this.#graph;
    for (const effect of effects) {
      if (effect === 'open' && context && output) void this.#own.open(context, output);
      if (effect === 'fade') this.#fade();
      if (effect === 'close') this.#own.close(effects.includes('fade') ? FADED_MS : 0);
    }
    this.#timer.arm();
    this.#tell();
  }

  #fade() {
    const own = this.path === 'low-latency' ? 1 : 0;
    const atTime = this.#graph.fadeTap(1 - own, FADE_MS);
    this.#own.fade(own, FADE_MS, atTime);
  }

  #tell() {
    const { path, reason } = this;
    if (path === this.#told && reason === this.#toldReason) return;
    this.#told = path;
    this.#toldReason = reason;
    this.emit('change', { path, reason });
  }
}
