/**
 * Which way the mix takes to the ear: our own playout path, or the browser's. Decides only; never
 * touches a sound, a clock or a timer.
 *
 * Invariants: sound always has a way: the browser's path is left only for one that plays, and is
 * taken again before ours is closed; the way back grows longer with every failure.
 *
 *   state     input                                      next      does
 *   off       no obstacle, mode not browser              opening   open
 *   opening   it plays (auto: for a second, faultless)   own       fade to low-latency
 *   own       the network is poor (auto)                 watching  fade to browser
 *   watching  the network is good, and the pause over    own       fade to low-latency
 *   own       it starves (auto), or an error             resting   fade to browser, close
 *   opening, watching: an error, or no reports           resting   close
 *   resting   the pause is over                          opening   open
 *   any       an obstacle, mode browser                  off       fade to browser, close
 *
 * In mode low-latency neither the network nor starving is a reason to leave. Pauses are 5 s, 10 s
 * … 120 s; a minute on our own path without trouble begins them anew.
 */

import { Health } from './health.js';

/**
 * @typedef {import('./types.js').PlayoutStats} PlayoutStats
 * @typedef {'auto' | 'low-latency' | 'browser'} PlayoutMode
 * @typedef {'low-latency' | 'browser'} PlayoutPath
 * @typedef {'off' | 'opening' | 'own' | 'watching' | 'resting'} SwitchState
 * @typedef {'idle' | 'unsupported' | 'element' | 'echo' | 'blocked'} Obstacle Nothing is to be
 *   played; the browser cannot; the caller's own element plays; the microphone would hear what we
 *   play; the browser waits for a click.
 * @typedef {'worker' | 'worklet' | 'decoder' | 'codec' | 'silent'} Failure What broke. `silent`:
 *   reports stopped coming.
 * @typedef {'chosen' | 'starting' | 'network' | 'underruns' | 'ready' | 'recovered' | Obstacle
 *   | Failure} PlayoutReason Why this path. `chosen`: the mode says so; `ready`, `recovered`: ours
 *   plays, for the first time or again.
 * @typedef {'open' | 'close' | 'fade'} SwitchEffect `fade` goes to `path`.
 */

/** @type {readonly PlayoutMode[]} */
export const PLAYOUT_MODES = ['auto', 'low-latency', 'browser'];

const PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 120_000;
const STABLE_MS = 60_000;
/** Reports come every 250 ms of audio time; a page that is busy reads them late. */
const SILENT_MS = 3000;
/** Before the first one, a module is loaded and a decoder compiled. */
const OPENS_WITHIN_MS = 10_000;

export class PathSwitch {
  /** @param {PlayoutMode} [mode] */
  constructor(mode = 'auto') {
    this.#mode = mode;
    this.#reason = mode === 'browser' ? 'chosen' : 'idle';
  }

  #mode;
  /** @type {SwitchState} */
  #state = 'off';
  /** @type {PlayoutReason} */
  #reason;
  /** @type {Obstacle | null} */
  #obstacle = 'idle';
  #health = new Health();
  #failures = 0;
  /** When the pause after a failure is over. */
  #againAt = 0;
  #since = 0;
  #reportedAt = 0;

  get mode() {
    return this.#mode;
  }

  get state() {
    return this.#state;
  }

  /** @returns {PlayoutPath} What is heard. */
  get path() {
    return this.#state === 'own' ? 'low-latency' : 'browser';
  }

  /** Why `path` is what it is. */
  get reason() {
    return this.#reason;
  }

  /** When to call `handleTimer`, on the clock of `now`; null: nothing is waited for. */
  pollTimeout() {
    if (this.#state === 'resting') return this.#againAt;
    if (this.#state === 'own' || this.#state === 'watching') return this.#reportedAt + SILENT_MS;
    if (this.#state === 'opening') return this.#reportedAt + OPENS_WITHIN_MS;
    return null;
  }

  /**
   * @param {number} now Milliseconds.
   * @returns {SwitchEffect[]} In order.
   */
  handleTimer(now) {
    const at = this.pollTimeout();
    if (at === null || now < at) return [];
    return this.#state === 'resting' ? this.#open(now) : this.fail('silent', now);
  }

  /**
   * @param {PlayoutMode} mode
   * @param {number} now
   * @returns {SwitchEffect[]}
   */
  setMode(mode, now) {
    this.#mode = mode;
    this.#failures = 0;
    if (mode === 'browser') return this.#leave('chosen');
    if (this.#obstacle) return this.#leave(this.#obstacle);
    switch (this.#state) {
      case 'off':
      case 'resting':
        return this.#open(now);
      case 'watching':
        return mode === 'low-latency' ? this.#enter('chosen', now) : [];
      default:
        return [];
    }
  }

  /**
   * @param {Obstacle | null} obstacle What keeps us from our own path; null: nothing.
   * @param {number} now
   * @returns {SwitchEffect[]}
   */
  setObstacle(obstacle, now) {
    if (obstacle === this.#obstacle) return [];
    this.#obstacle = obstacle;
    if (this.#mode === 'browser') return [];
    if (obstacle) return this.#leave(obstacle);
    return this.#state === 'off' ? this.#open(now) : [];
  }

  /**
   * Our own path cannot go on.
   * @param {Failure} failure
   * @param {number} now
   * @returns {SwitchEffect[]}
   */
  fail(failure, now) {
    if (this.#state === 'off' || this.#state === 'resting') return [];
    return this.#rest(failure, now);
  }

  /**
   * @param {PlayoutStats} stats Of our own path, of this moment.
   * @param {number} now
   * @returns {SwitchEffect[]}
   */
  report(stats, now) {
    if (this.#state === 'off' || this.#state === 'resting') return [];
    this.#reportedAt = now;
    this.#health.report(stats, now);
    if (this.#health.isBroken) return this.#rest('decoder', now);
    switch (this.#state) {
      case 'opening':
        if (stats.state !== 'playing') return [];
        if (this.#mode === 'auto' && !this.#health.isProven) return [];
        return this.#enter(this.#failures > 0 ? 'recovered' : 'ready', now);
      case 'watching':
        if (!this.#health.isGood || now < this.#againAt) return [];
        return this.#enter('recovered', now);
      default:
        return this.#judge(now);
    }
  }

  /**
   * @param {number} now
   * @returns {SwitchEffect[]}
   */
  #judge(now) {
    if (now - this.#since >= STABLE_MS) this.#failures = 0;
    if (this.#mode !== 'auto') return [];
    if (this.#health.isStarving) return this.#rest('underruns', now);
    if (!this.#health.isPoor) return [];
    this.#pause(now);
    this.#become('watching', 'network');
    return ['fade'];
  }

  /**
   * @param {number} now
   * @returns {SwitchEffect[]}
   */
  #open(now) {
    this.#health = new Health();
    this.#reportedAt = now;
    this.#become('opening', this.#failures > 0 ? this.#reason : 'starting');
    return ['open'];
  }

  /**
   * @param {PlayoutReason} reason
   * @param {number} now
   * @returns {SwitchEffect[]}
   */
  #enter(reason, now) {
    this.#since = now;
    this.#become('own', this.#mode === 'low-latency' ? 'chosen' : reason);
    return ['fade'];
  }

  /**
   * @param {PlayoutReason} reason
   * @param {number} now
   * @returns {SwitchEffect[]}
   */
  #rest(reason, now) {
    const heard = this.#state === 'own';
    this.#pause(now);
    this.#become('resting', reason);
    return heard ? ['fade', 'close'] : ['close'];
  }

  /**
   * @param {PlayoutReason} reason
   * @returns {SwitchEffect[]}
   */
  #leave(reason) {
    const { path, state } = this;
    this.#become('off', reason);
    if (state === 'off' || state === 'resting') return [];
    return path === 'low-latency' ? ['fade', 'close'] : ['close'];
  }

  /** @param {number} now */
  #pause(now) {
    this.#againAt = now + Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
  }

  /**
   * @param {SwitchState} state
   * @param {PlayoutReason} reason
   */
  #become(state, reason) {
    this.#state = state;
    this.#reason = reason;
  }
}
