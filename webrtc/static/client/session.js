/**
 * A stay on the server: the socket, the room, and coming back to both. Carries out what
 * session_machine.js decides.
 */

import { AudioStreamingError } from './errors.js';
import { Emitter } from './emitter.js';
import { SessionMachine } from './session_machine.js';
import { Signaling } from './signaling.js';
import { MachineTimer } from './timer.js';

/**
 * @typedef {import('./session_machine.js').SessionState} SessionState
 * @typedef {import('./session_machine.js').Effect} Effect
 * @typedef {import('./timer.js').Clock} Clock
 */

/**
 * @typedef {object} SessionEvents
 * @property {{}} change The state, or the number of attempts, changed.
 * @property {{ ack: Record<string, any>, returned: boolean, resumed: boolean }} joined
 *   `returned`: not asked for by the caller; `resumed`: as the same participant as before.
 * @property {{}} down The socket is lost; coming back is under way.
 * @property {{ error: AudioStreamingError }} roomlost The room cannot be had back.
 * @property {{ event: string, payload: any }} event From the server.
 */

/** @extends {Emitter<SessionEvents>} */
export class Session extends Emitter {
  /**
   * @param {import('./signaling.js').SocketLike} socket
   * @param {Clock & { random: () => number }} environment
   */
  constructor(socket, environment) {
    super();
    this.#environment = environment;
    this.#machine = new SessionMachine(environment);
    this.#signaling = new Signaling(socket, {
      up: () => this.#input('socketUp'),
      down: () => this.#socketDown(),
      expelled: () => this.#expelled(),
      event: (event, payload) => this.emit('event', { event, payload }),
    });
    this.#timer = new MachineTimer(
      environment,
      () => this.#machine.pollTimeout(),
      (now) => this.#carryOut(this.#machine.handleTimer(now)),
    );
  }

  #environment;
  #machine;
  #signaling;
  #timer;
  /** @type {Record<string, any>} What to join with, the wire's names. */
  #request = {};
  /** @type {string | null} */
  #resumeToken = null;
  /** @type {PromiseWithResolvers<void> | null} */
  #connecting = null;
  /** @type {PromiseWithResolvers<Record<string, any>> | null} */
  #joining = null;

  get state() {
    return this.#machine.state;
  }

  get isReturning() {
    return this.#machine.isReturning;
  }

  get attempt() {
    return this.#machine.attempt;
  }

  /** @returns {string | null} The key to this seat, for a reload of the page. */
  get resumeToken() {
    return this.#resumeToken;
  }

  /**
   * Open the socket; tries again until the time is up.
   * @param {number} timeoutMs
   * @throws {AudioStreamingError} `unreachable`, `aborted`.
   */
  async connect(timeoutMs) {
    if (this.#machine.state !== 'disconnected') return this.#connecting?.promise;
    const connecting = withResolvers();
    this.#connecting = connecting;
    const limit = this.#environment.setTimer(() => {
      this.#stop(new AudioStreamingError('unreachable', 'The server cannot be reached.'));
    }, timeoutMs);
    this.#input('connect');
    try {
      await connecting.promise;
    } finally {
      this.#environment.clearTimer(limit);
    }
  }

  /**
   * @param {Record<string, any>} request `join_room` without `resume_token`.
   * @param {string | null} resumeToken Of an earlier stay.
   * @returns {Promise<Record<string, any>>} The acknowledgement.
   * @throws {AudioStreamingError} The server's reason, `timeout`, `not_connected`, `aborted`.
   */
  join(request, resumeToken) {
    if (this.#machine.state !== 'connected') {
      const reason = this.#machine.state === 'joined' ? 'already_joined' : 'not_connected';
      return Promise.reject(new AudioStreamingError(reason, `Cannot join while ${this.state}.`));
    }
    this.#request = request;
    this.#resumeToken = resumeToken;
    const joining = withResolvers();
    this.#joining = joining;
    this.#carryOut(this.#machine.handleJoin(resumeToken !== null));
    return joining.promise;
  }

  /** Tell the server and forget the room; works while the connection is away, too. */
  async leave() {
    const joined = this.#machine.state === 'joined';
    this.#forget();
    this.#input('leave');
    if (joined) await this.#signaling.request('leave_room', undefined, 3000).catch(() => {});
  }

  disconnect() {
    this.#stop(new AudioStreamingError('aborted', 'The client was disconnected.'));
  }

  /** Disconnect and drop every listener of the socket. */
  dispose() {
    this.disconnect();
    this.#signaling.dispose();
  }

  /**
   * @param {string} event
   * @param {unknown} [payload]
   * @param {number} [timeoutMs]
   */
  request(event, payload, timeoutMs) {
    if (this.#machine.state !== 'joined') {
      const reason = this.#machine.state === 'connected' ? 'not_joined' : 'not_connected';
      return Promise.reject(new AudioStreamingError(reason, `${event} needs a joined room.`));
    }
    return this.#signaling.request(event, payload, timeoutMs);
  }

  /**
   * Come back after `delayMs` and a bit, as the server asked.
   * @param {number} delayMs
   */
  drain(delayMs) {
    this.#machine.handleDrain(delayMs, this.#environment.now());
    this.#timer.arm();
  }

  /** The room is over, by the server's word. */
  roomClosed() {
    this.#forget();
    this.#input('leave');
  }

  /** The network came (back), or the laptop woke: do not trust the socket, ask it. */
  async check() {
    this.#input('online');
    if (this.#machine.state !== 'joined') return;
    try {
      await this.#signaling.request('get_stats', undefined, 3000);
    } catch (error) {
      if (error instanceof AudioStreamingError && error.reason === 'timeout') this.#drop();
    }
  }

  /** The server is gone without a word: come back, to another one if the address leads there. */
  giveUp() {
    if (this.#machine.state === 'joined') this.#drop();
  }

  /** @param {import('./session_machine.js').PlainInput} input */
  #input(input) {
    const before = this.#machine.state;
    this.#carryOut(this.#machine.handle(input, this.#environment.now()));
    if (input === 'socketUp' && before === 'connecting') {
      this.#connecting?.resolve();
      this.#connecting = null;
    }
  }

  /** @param {Effect[]} effects */
  #carryOut(effects) {
    for (const effect of effects) {
      if (effect.effect === 'open') this.#signaling.open(effect.limitMs);
      if (effect.effect === 'close') this.#close();
      if (effect.effect === 'join') void this.#join(effect.resume);
    }
    this.#timer.arm();
    this.emit('change', {});
  }

  #close() {
    const joining = this.#joining;
    this.#joining = null;
    this.#signaling.close();
    this.emit('down', {});
    joining?.reject(new AudioStreamingError('not_connected', 'The connection was closed.'));
  }

  #socketDown() {
    const joining = this.#joining;
    this.#joining = null;
    this.#input('socketDown');
    this.emit('down', {});
    joining?.reject(new AudioStreamingError('not_connected', 'The connection was lost.'));
  }

  /** Another page took this seat, or the server had enough of us: not to be fought over. */
  #expelled() {
    const joined = this.#machine.state === 'joined' || this.#machine.state === 'rejoining';
    const error = new AudioStreamingError(
      'replaced',
      'The server ended the connection: the seat was taken over elsewhere.',
    );
    const joining = this.#joining;
    this.#forget();
    this.#input('expelled');
    this.emit('down', {});
    joining?.reject(error);
    if (joined) this.emit('roomlost', { error });
  }

  #drop() {
    this.#signaling.close();
    this.#socketDown();
  }

  /** @param {boolean} resume */
  async #join(resume) {
    const returned = this.#joining === null;
    const token = resume ? { resume_token: this.#resumeToken } : {};
    try {
      const ack = await this.#signaling.request('join_room', { ...this.#request, ...token });
      this.#joined(ack, returned);
    } catch (error) {
      this.#refused(/** @type {AudioStreamingError} */ (error));
    }
  }

  /**
   * @param {Record<string, any>} ack
   * @param {boolean} returned
   */
  #joined(ack, returned) {
    this.#resumeToken = ack.resume_token;
    this.#request = {
      ...this.#request,
      room_id: ack.room_id,
      ...(ack.host_key ? { host_key: ack.host_key } : {}),
    };
    this.#input('joinOk');
    const joining = this.#joining;
    this.#joining = null;
    this.emit('joined', { ack, returned, resumed: ack.resumed === true });
    joining?.resolve(ack);
  }

  /** @param {AudioStreamingError} error */
  #refused(error) {
    if (error.reason === 'not_connected') return; // `down` takes it from here
    const effects = this.#machine.handleJoinRefused(error.reason, this.#environment.now());
    const joining = this.#joining;
    const over = this.#machine.state === 'connected';
    if (over) this.#forget();
    this.#carryOut(effects);
    if (over && !joining) this.emit('roomlost', { error });
    if (over) joining?.reject(error);
  }

  /** @param {AudioStreamingError} error For those who wait. */
  #stop(error) {
    const waiting = [this.#connecting, this.#joining];
    this.#connecting = null;
    this.#forget();
    this.#input('disconnect');
    this.#timer.stop();
    for (const promise of waiting) promise?.reject(error);
  }

  #forget() {
    this.#joining = null;
    this.#resumeToken = null;
    this.#request = {};
  }
}

/**
 * `Promise.withResolvers`, which not all supported browsers have.
 * @template [T=any]
 * @returns {PromiseWithResolvers<T>}
 */
function withResolvers() {
  /** @type {(value: any) => void} */
  let resolve = () => {};
  /** @type {(reason: unknown) => void} */
  let reject = () => {};
  const promise = new Promise((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
