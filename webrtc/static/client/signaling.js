/**
 * One Socket.IO connection to the front process: opens, closes, asks and listens. Reconnecting is
 * decided elsewhere (session_machine.js); this shell never opens a socket by itself.
 */

import { AudioStreamingError, acknowledged } from './errors.js';

/**
 * The part of a socket.io-client `Socket` that is used here.
 * @typedef {object} SocketLike
 * @property {boolean} connected
 * @property {() => unknown} connect
 * @property {{ timeout: (ms: number) => unknown }} io Sets how long `connect` may take.
 * @property {() => unknown} disconnect
 * @property {(event: string, handler: (...args: any[]) => void) => unknown} on
 * @property {() => unknown} removeAllListeners
 * @property {(ms: number) => { emit: (event: string, ...args: any[]) => unknown }} timeout
 */

/**
 * @typedef {object} SignalingHandlers
 * @property {() => void} up The socket is open.
 * @property {(why: string) => void} down The socket could not be opened, or is lost.
 * @property {() => void} expelled The server hung up on purpose.
 * @property {(event: string, payload: any) => void} event Something from the server.
 */

const SERVER_EVENTS = [
  'participant_joined',
  'participant_left',
  'participant_updated',
  'levels',
  'meters',
  'active_speakers',
  'qualities',
  'room_updated',
  'track_assignments',
  'scenes_changed',
  'genre_detected',
  'offer',
  'ice_candidate',
  'media_reset',
  'door_changed',
  'guests_waiting',
  'admission',
  'room_closed',
  'server_draining',
  'server_state',
];

export class Signaling {
  /**
   * @param {SocketLike} socket Not yet connected, with its own reconnection off.
   * @param {SignalingHandlers} handlers
   */
  constructor(socket, handlers) {
    this.#socket = socket;
    socket.on('connect', () => handlers.up());
    socket.on('connect_error', (error) => handlers.down(String(error?.message ?? error)));
    socket.on('disconnect', (why) => {
      this.#failAll();
      if (why === 'io server disconnect') handlers.expelled();
      else if (why !== 'io client disconnect') handlers.down(String(why));
    });
    for (const event of SERVER_EVENTS) {
      socket.on(event, (payload) => handlers.event(event, payload));
    }
  }

  #socket;
  /** @type {Set<(error: AudioStreamingError) => void>} */
  #waiting = new Set();

  /** @param {number} limitMs For so long the server may take to answer. */
  open(limitMs) {
    this.#socket.io.timeout(limitMs);
    this.#socket.connect();
  }

  close() {
    this.#socket.disconnect();
    this.#failAll();
  }

  /** Close for good and drop every listener. */
  dispose() {
    this.close();
    this.#socket.removeAllListeners();
  }

  /**
   * Send one event and wait for its acknowledgement.
   * @param {string} event
   * @param {unknown} [payload] Left out: the event goes without payload.
   * @param {number} [timeoutMs]
   * @returns {Promise<Record<string, any>>}
   * @throws {AudioStreamingError} `not_connected`, `timeout`, or the server's reason.
   */
  request(event, payload, timeoutMs = 8000) {
    if (!this.#socket.connected) {
      return Promise.reject(
        new AudioStreamingError('not_connected', 'The server is not connected.'),
      );
    }
    return new Promise((resolve, reject) => {
      /** @param {AudioStreamingError} error */
      const fail = (error) => {
        this.#waiting.delete(fail);
        reject(error);
      };
      this.#waiting.add(fail);
      /**
       * @param {Error | null} error
       * @param {unknown} ack
       */
      const settle = (error, ack) => {
        if (!this.#waiting.delete(fail)) return;
        if (error) {
          reject(new AudioStreamingError('timeout', `The server did not answer ${event}.`, error));
          return;
        }
        try {
          resolve(acknowledged(ack));
        } catch (refusal) {
          reject(refusal);
        }
      };
      const emitter = this.#socket.timeout(timeoutMs);
      if (payload === undefined) emitter.emit(event, settle);
      else emitter.emit(event, payload, settle);
    });
  }

  #failAll() {
    for (const fail of [...this.#waiting]) {
      fail(new AudioStreamingError('not_connected', 'The connection to the server was lost.'));
    }
  }
}
