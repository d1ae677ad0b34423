/**
 * When to open the socket, when to join, when to wait: the life of the signaling connection.
 * Decides only; never opens a socket, reads a clock or sets a timer.
 *
 * Invariants: at most one socket is open or being opened; a room that was joined stays wanted until
 * `leave`, a refusal or `disconnect`, and is asked for again on every new socket; the resume token
 * is tried first, and once refused never again.
 *
 *   state         input         next          does
 *   disconnected  connect       connecting    open
 *   connecting    socketUp      connected     -            (no room wanted)
 *                               rejoining     join         (room wanted)
 *   connecting    socketDown    waiting       -
 *   waiting       timer, online connecting    open
 *   connected     join          joining       join
 *   joining       joinOk        joined        -
 *   joining       joinRefused   joining       join         (it was the resume token: join anew)
 *                               connected     -            (the room itself is refused)
 *   joined        leave         connected     -
 *   joined        drain         joined        (after its delay: close, then as socketDown)
 *   rejoining     joinOk        joined        -
 *   rejoining     joinRefused   rejoining     join         (it was the resume token: join anew)
 *                               connected     -            (the room itself is refused)
 *   rejoining     joinDelayed   waiting       close        (no answer, or "not now")
 *   any live one  socketDown    waiting       -            (`joining` forgets its room)
 *   any           disconnect    disconnected  close
 *   any           expelled      disconnected  -            (the server hung up on purpose)
 */

import { backoffMs } from './backoff.js';
import { PASSING_REASONS } from './errors.js';

/**
 * @typedef {'disconnected' | 'connecting' | 'waiting' | 'connected' | 'joining' | 'joined'
 *   | 'rejoining'} SessionState
 * @typedef {'connect' | 'socketUp' | 'socketDown' | 'online' | 'joinOk' | 'leave'
 *   | 'disconnect' | 'expelled'} PlainInput
 * @typedef {{ effect: 'open', limitMs: number } | { effect: 'close' } | { effect: 'join', resume: boolean }} Effect
 */

/** The refusal of `join_room` that speaks of the resume token and not of the room. */
const TOKEN_REFUSAL = 'resume_failed';

/**
 * For so long the server may take to answer: at first, and on coming back the first time, the second
 * and so on. A replica that hangs takes connections and says nothing, and the next attempt may reach
 * another one.
 */
const OPEN_LIMIT_MS = 5000;
const REOPEN_LIMITS_MS = [1500, 2000, 4000];

export class SessionMachine {
  /** @param {{ random: () => number }} environment */
  constructor({ random }) {
    this.#random = random;
  }

  #random;
  /** @type {SessionState} */
  #state = 'disconnected';
  #attempt = 0;
  #wantsRoom = false;
  #hasToken = false;
  #everConnected = false;
  /** @type {number | null} */
  #wakeAt = null;
  #draining = false;

  get state() {
    return this.#state;
  }

  /** Whether an earlier connection is being brought back, as opposed to a first one being made. */
  get isReturning() {
    const away = this.#state === 'waiting' || this.#state === 'connecting';
    return this.#state === 'rejoining' || (away && this.#everConnected);
  }

  /** Failed attempts since the socket was last up. */
  get attempt() {
    return this.#attempt;
  }

  /** When to call `handleTimer`, on the clock of `now`; null: nothing is waited for. */
  pollTimeout() {
    return this.#wakeAt;
  }

  /**
   * @param {PlainInput} input
   * @param {number} now Milliseconds.
   * @returns {Effect[]}
   */
  handle(input, now) {
    switch (input) {
      case 'connect':
        return this.#state === 'disconnected' ? this.#open() : [];
      case 'disconnect':
        return this.#disconnect();
      case 'expelled':
        this.#disconnect();
        return [];
      case 'socketUp':
        return this.#socketUp();
      case 'socketDown':
        return this.#socketDown(now);
      case 'online':
        return this.#state === 'waiting' ? this.#open() : [];
      case 'joinOk':
        return this.#joinOk();
      case 'leave':
        this.#forgetRoom();
        if (this.#isLive()) this.#state = 'connected';
        return [];
    }
  }

  /**
   * The user asks for a room; only in state `connected`.
   * @param {boolean} hasToken Whether an earlier visit left a resume token.
   * @returns {Effect[]}
   */
  handleJoin(hasToken) {
    if (this.#state !== 'connected') throw new Error(`join in state ${this.#state}`);
    this.#state = 'joining';
    this.#hasToken = hasToken;
    return [{ effect: 'join', resume: hasToken }];
  }

  /**
   * The server refused `join_room`, or did not answer it.
   * @param {string} reason
   * @param {number} now
   * @returns {Effect[]}
   */
  handleJoinRefused(reason, now) {
    if (this.#state !== 'rejoining' && this.#state !== 'joining') return [];
    if (this.#state === 'rejoining' && PASSING_REASONS.has(reason)) {
      return [{ effect: 'close' }, ...this.#socketDown(now)];
    }
    if (this.#hasToken && reason === TOKEN_REFUSAL) {
      this.#hasToken = false;
      return [{ effect: 'join', resume: false }];
    }
    this.#forgetRoom();
    this.#state = 'connected';
    return [];
  }

  /**
   * The server goes away soon and asks us to come back after `delayMs`.
   * @param {number} delayMs
   * @param {number} now
   */
  handleDrain(delayMs, now) {
    if (!this.#isLive()) return;
    this.#draining = true;
    this.#wakeAt = now + delayMs * (1 + 0.5 * this.#random());
  }

  /**
   * @param {number} now
   * @returns {Effect[]}
   */
  handleTimer(now) {
    if (this.#wakeAt === null || now < this.#wakeAt) return [];
    this.#wakeAt = null;
    if (this.#state === 'waiting') return this.#open();
    if (!this.#draining) return [];
    this.#draining = false;
    return [{ effect: 'close' }, ...this.#open()];
  }

  #isLive() {
    return ['connected', 'joining', 'joined', 'rejoining'].includes(this.#state);
  }

  #forgetRoom() {
    this.#wantsRoom = false;
    this.#hasToken = false;
  }

  /** @returns {Effect[]} */
  #open() {
    this.#state = 'connecting';
    this.#wakeAt = null;
    return [{ effect: 'open', limitMs: this.#openLimitMs() }];
  }

  #openLimitMs() {
    if (!this.#everConnected) return OPEN_LIMIT_MS;
    return REOPEN_LIMITS_MS[Math.max(0, this.#attempt - 1)] ?? OPEN_LIMIT_MS;
  }

  /** @returns {Effect[]} */
  #disconnect() {
    const open = this.#state !== 'disconnected' && this.#state !== 'waiting';
    this.#state = 'disconnected';
    this.#forgetRoom();
    this.#attempt = 0;
    this.#everConnected = false;
    this.#draining = false;
    this.#wakeAt = null;
    return open ? [{ effect: 'close' }] : [];
  }

  /** @returns {Effect[]} */
  #socketUp() {
    if (this.#state !== 'connecting') return [];
    this.#attempt = 0;
    this.#everConnected = true;
    this.#state = this.#wantsRoom ? 'rejoining' : 'connected';
    return this.#wantsRoom ? [{ effect: 'join', resume: this.#hasToken }] : [];
  }

  /**
   * @param {number} now
   * @returns {Effect[]}
   */
  #socketDown(now) {
    if (this.#state === 'disconnected' || this.#state === 'waiting') return [];
    if (this.#state === 'joining') this.#forgetRoom();
    this.#state = 'waiting';
    this.#draining = false;
    this.#wakeAt = now + backoffMs(this.#attempt, this.#random);
    this.#attempt += 1;
    return [];
  }

  /** @returns {Effect[]} */
  #joinOk() {
    if (this.#state !== 'joining' && this.#state !== 'rejoining') return [];
    this.#state = 'joined';
    this.#wantsRoom = true;
    this.#hasToken = true;
    return [];
  }
}
