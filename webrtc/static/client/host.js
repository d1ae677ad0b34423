/**
 * What hosts do: the door of the room, and the people in it. Takes the right `moderate`.
 */

import { Emitter } from './emitter.js';

/**
 * @typedef {object} Door
 * @property {boolean} locked Nobody comes in but hosts.
 * @property {boolean} waiting Who comes in waits until a host lets them.
 * @property {number} bans How many are kept out.
 */

/** @typedef {{ guestId: string, name: string }} Guest Somebody who waits at the door. */

/**
 * @typedef {object} HostEvents
 * @property {{ door: Door }} doorchange
 * @property {{ guests: Guest[] }} guestschange Only told to hosts.
 * @property {{ roomId: string, admitted: boolean }} admission A host answered me: when admitted,
 *   `joinRoom()` lets me in now.
 */

/** @type {Readonly<Door>} */
const OPEN = { locked: false, waiting: false, bans: 0 };

/** @extends {Emitter<HostEvents>} */
export class Host extends Emitter {
  /** @param {{ request: (event: string, payload: unknown) => Promise<any> }} session */
  constructor(session) {
    super();
    this.#session = session;
  }

  #session;
  /** @type {Readonly<Door>} */
  door = OPEN;
  /** @type {Guest[]} */
  guests = [];

  /**
   * Lock or unlock the room, let people wait at its door or not, forget who was banned.
   * @param {{ locked?: boolean, waiting?: boolean, liftBans?: boolean }} change
   * @returns {Promise<Door>}
   */
  async setDoor({ liftBans, ...change }) {
    const lift = liftBans === undefined ? {} : { lift_bans: liftBans };
    const ack = await this.#session.request('set_door', { ...change, ...lift });
    return this.#setDoor(ack.door);
  }

  /** @param {string} guestId */
  async admit(guestId) {
    await this.#session.request('admit', { guest_id: guestId, admit: true });
  }

  /** @param {string} guestId */
  async deny(guestId) {
    await this.#session.request('admit', { guest_id: guestId, admit: false });
  }

  /**
   * Mute somebody's microphone; they let it go themselves.
   * @param {string} participantId
   */
  async mute(participantId) {
    await this.#session.request('mute_participant', { participant_id: participantId });
  }

  /**
   * Put somebody out.
   * @param {string} participantId
   * @param {{ ban?: boolean }} [options] `ban`: they do not come in again.
   */
  async remove(participantId, { ban = false } = {}) {
    await this.#session.request('remove_participant', { participant_id: participantId, ban });
  }

  /**
   * A seat was given.
   * @param {Record<string, any>} ack
   */
  enter(ack) {
    this.#setGuests([]);
    this.#setDoor(ack.door ?? OPEN);
  }

  /** The stay is over. */
  leave() {
    this.door = OPEN;
    this.guests = [];
  }

  /**
   * An event of the server.
   * @param {string} event
   * @param {any} payload
   * @returns {boolean} Whether it was about the door.
   */
  handle(event, payload) {
    if (event === 'door_changed') this.#setDoor(payload);
    else if (event === 'guests_waiting') this.#setGuests(payload.guests ?? []);
    else if (event === 'admission') {
      this.emit('admission', { roomId: payload.room_id, admitted: payload.admitted === true });
    } else return false;
    return true;
  }

  /** @param {Door} door */
  #setDoor({ locked, waiting, bans }) {
    this.door = { locked, waiting, bans };
    this.emit('doorchange', { door: this.door });
    return this.door;
  }

  /** @param {{ guest_id: string, name: string }[]} raw */
  #setGuests(raw) {
    this.guests = raw.map(({ guest_id: guestId, name }) => ({ guestId, name }));
    this.emit('guestschange', { guests: this.guests });
  }
}
