/**
 * What to do about the peer connection when the network, the server or the laptop lets go.
 * Decides only; never touches a peer connection, a clock or a timer.
 *
 * Invariants: nothing is sent while signaling is away: the strongest pending step waits for it
 * (renew over restart over offer), and a step cut off half-way is taken again; a working connection
 * is never thrown away; a broken one is tried again for as long as media is wanted.
 *
 *   state        input                          next         does
 *   idle         want                           connecting   renew
 *   connecting   up                             connected    -
 *   connecting   failed, no success in 8 s      retrying     -         (back-off)
 *   connected    want                           connected    offer     (direction or track changed)
 *   connected    delayed, then the back-off     connected    offer     ("not now", it was told)
 *   connected    shaky                          interrupted  -         ("disconnected")
 *   connected    networkChanged                 restarting   restart   (the sound goes on)
 *   interrupted  up                             connected    -
 *   interrupted  1.5 s passed, networkChanged   restarting   restart
 *   restarting   up                             connected    -
 *   restarting   failed, no success in 6 s      connecting   renew
 *   retrying     back-off over, networkChanged  connecting   renew
 *   connected, interrupted: failed              connecting   renew
 *   any wanted   reset (server lost its half)   connecting   renew     (a new RTCPeerConnection)
 *   any          unwant                         idle         close
 */

import { backoffMs } from './backoff.js';

const GRACE_MS = 1500;
const RESTART_LIMIT_MS = 6000;
const CONNECT_LIMIT_MS = 8000;

/**
 * @typedef {'idle' | 'connecting' | 'connected' | 'interrupted' | 'restarting' | 'retrying'}
 *   MediaState
 * @typedef {'want' | 'unwant' | 'up' | 'shaky' | 'failed' | 'reset' | 'networkChanged'
 *   | 'signalingUp' | 'signalingDown' | 'settled' | 'delayed'} MediaInput `settled`: the offer was
 *   answered, or refused for good; `delayed`: it should be made again later.
 * @typedef {'offer' | 'restart' | 'renew' | 'close'} MediaEffect
 */

/** @type {Record<'offer' | 'restart' | 'renew', number>} */
const STRENGTH = { offer: 0, restart: 1, renew: 2 };

export class MediaMachine {
  /** @param {{ random: () => number }} environment */
  constructor({ random }) {
    this.#random = random;
  }

  #random;
  /** @type {MediaState} */
  #state = 'idle';
  #signaling = false;
  #attempt = 0;
  /** @type {'offer' | 'restart' | 'renew' | null} */
  #pending = null;
  /** @type {'offer' | 'restart' | 'renew' | null} Offered, not yet answered. */
  #open = null;
  /** @type {number | null} */
  #wakeAt = null;

  get state() {
    return this.#state;
  }

  /** Whether sound flows as wanted, with no step left to take. */
  get isSettled() {
    return this.#state === 'connected' && this.#pending === null && this.#open === null;
  }

  /** When to call `handleTimer`, on the clock of `now`; null: nothing is waited for. */
  pollTimeout() {
    return this.#wakeAt;
  }

  /**
   * @param {MediaInput} input
   * @param {number} now Milliseconds.
   * @returns {MediaEffect[]} In order; at most one.
   */
  handle(input, now) {
    switch (input) {
      case 'want':
        return this.#state === 'idle' ? this.#renew(now) : this.#act('offer', now);
      case 'unwant':
        return this.#close();
      case 'signalingUp':
        this.#signaling = true;
        return this.#flush(now);
      case 'signalingDown':
        this.#signaling = false;
        if (this.#open) this.#postpone(this.#open);
        this.#open = null;
        return [];
      case 'settled':
        this.#open = null;
        return [];
      case 'delayed':
        return this.#delayed(now);
      case 'reset':
        return this.#state === 'idle' ? [] : this.#renew(now);
      case 'up':
        return this.#up();
      case 'shaky':
        if (this.#state === 'connected') this.#enter('interrupted', now + GRACE_MS);
        return [];
      case 'failed':
        return this.#failed(now);
      case 'networkChanged':
        return this.#networkChanged(now);
    }
  }

  /**
   * @param {number} now
   * @returns {MediaEffect[]}
   */
  handleTimer(now) {
    if (this.#wakeAt === null || now < this.#wakeAt) return [];
    this.#wakeAt = null;
    switch (this.#state) {
      case 'interrupted':
        return this.#restart(now);
      case 'restarting':
      case 'retrying':
        return this.#renew(now);
      case 'connecting':
        return this.#failed(now);
      case 'connected':
        return this.#flush(now);
      default:
        return [];
    }
  }

  /**
   * @param {number} now
   * @returns {MediaEffect[]}
   */
  #delayed(now) {
    if (this.#state !== 'connected' || this.#open === null) return [];
    this.#pending ??= this.#open;
    this.#open = null;
    this.#wakeAt = now + backoffMs(this.#attempt, this.#random, { baseMs: 500 });
    this.#attempt += 1;
    return [];
  }

  /**
   * @param {MediaState} state
   * @param {number | null} wakeAt
   */
  #enter(state, wakeAt) {
    this.#state = state;
    this.#wakeAt = wakeAt;
  }

  /** @returns {MediaEffect[]} */
  #close() {
    if (this.#state === 'idle') return [];
    this.#enter('idle', null);
    this.#pending = null;
    this.#open = null;
    this.#attempt = 0;
    return ['close'];
  }

  /** @returns {MediaEffect[]} */
  #up() {
    if (this.#state === 'idle') return [];
    this.#attempt = 0;
    this.#enter('connected', null);
    return [];
  }

  /**
   * @param {number} now
   * @returns {MediaEffect[]}
   */
  #renew(now) {
    this.#enter('connecting', now + CONNECT_LIMIT_MS);
    return this.#act('renew', now);
  }

  /**
   * @param {number} now
   * @returns {MediaEffect[]}
   */
  #restart(now) {
    this.#enter('restarting', now + RESTART_LIMIT_MS);
    return this.#act('restart', now);
  }

  /**
   * @param {number} now
   * @returns {MediaEffect[]}
   */
  #failed(now) {
    switch (this.#state) {
      case 'connected':
      case 'interrupted':
      case 'restarting':
        return this.#renew(now);
      case 'connecting':
        this.#enter('retrying', now + backoffMs(this.#attempt, this.#random, { baseMs: 1000 }));
        this.#attempt += 1;
        return [];
      default:
        return [];
    }
  }

  /**
   * @param {number} now
   * @returns {MediaEffect[]}
   */
  #networkChanged(now) {
    if (this.#state === 'connected' || this.#state === 'interrupted') return this.#restart(now);
    return this.#state === 'retrying' ? this.#renew(now) : [];
  }

  /**
   * @param {'offer' | 'restart' | 'renew'} step
   * @param {number} now
   * @returns {MediaEffect[]}
   */
  #act(step, now) {
    this.#postpone(step);
    return this.#flush(now);
  }

  /** @param {'offer' | 'restart' | 'renew'} step */
  #postpone(step) {
    if (this.#pending === null || STRENGTH[step] > STRENGTH[this.#pending]) this.#pending = step;
    if (step !== 'offer') this.#wakeAt = null;
  }

  /**
   * @param {number} now
   * @returns {MediaEffect[]}
   */
  #flush(now) {
    const step = this.#pending;
    if (step === null || !this.#signaling) return [];
    this.#pending = null;
    this.#open = step;
    if (step === 'renew') this.#wakeAt = now + CONNECT_LIMIT_MS;
    if (step === 'restart') this.#wakeAt = now + RESTART_LIMIT_MS;
    return [step];
  }
}
