/**
 * What the desk shows: people, in which order, and what the faders move. A state and its pure
 * reducer. Levels are not in here: they change many times a second, see meter_board.js.
 */

import { ORDERS } from '../orders.js';

/**
 * @typedef {import('../../client/roster.js').Participant} Participant
 * @typedef {import('../../client/desk.js').RoomSettings} RoomSettings
 * @typedef {import('../orders.js').OrderName} OrderName
 * @typedef {'room' | 'mine'} Layer Whether faders move what everybody hears, or what I hear.
 */

/**
 * @typedef {object} RoomState
 * @property {ReadonlyMap<string, Participant>} people
 * @property {readonly string[]} rights Mine.
 * @property {RoomSettings | null} settings
 * @property {ReadonlyMap<string, number>} tracks Of a room that forwards: on which of my tracks, from 1.
 * @property {OrderName} order
 * @property {string} query What people are looked for by.
 * @property {Layer} layer
 * @property {readonly string[]} sequence Who is shown, in order.
 * @property {boolean} held Somebody is at work in the list: what is there stays where it is.
 * @property {ReadonlyMap<string, number>} loudness Slow averages, for the order.
 * @property {string | null} opened Whose strip is open in the studio.
 */

/**
 * @typedef {{ type: 'entered', people: readonly Participant[], rights: readonly string[] }
 *   | { type: 'left' }
 *   | { type: 'put', participant: Participant }
 *   | { type: 'gone', participantId: string }
 *   | { type: 'rights', rights: readonly string[] }
 *   | { type: 'settings', settings: RoomSettings }
 *   | { type: 'tracks', tracks: ReadonlyMap<string, number> }
 *   | { type: 'order', order: OrderName }
 *   | { type: 'query', query: string }
 *   | { type: 'layer', layer: Layer }
 *   | { type: 'held', held: boolean }
 *   | { type: 'loudness', loudness: ReadonlyMap<string, number> }
 *   | { type: 'opened', participantId: string | null }} RoomAction
 */

/** @type {RoomState} */
export const EMPTY_ROOM = {
  people: new Map(),
  rights: [],
  settings: null,
  tracks: new Map(),
  order: 'joined',
  query: '',
  layer: 'mine',
  sequence: [],
  held: false,
  loudness: new Map(),
  opened: null,
};

/**
 * @param {RoomState} state
 * @param {RoomAction} action
 * @returns {RoomState}
 */
export function reduceRoom(state, action) {
  switch (action.type) {
    case 'entered': {
      const people = new Map(action.people.map((one) => [one.participantId, one]));
      return arranged({ ...withRights(state, action.rights), people, held: false });
    }
    case 'left':
      return { ...EMPTY_ROOM, order: state.order };
    case 'put':
      return put(state, action.participant);
    case 'gone':
      return gone(state, action.participantId);
    case 'rights':
      return withRights(state, action.rights);
    case 'settings':
      return { ...state, settings: action.settings };
    case 'tracks':
      return { ...state, tracks: action.tracks };
    case 'order':
      return arranged({ ...state, order: action.order, held: false });
    case 'query':
      return arranged({ ...state, query: action.query, held: false });
    case 'layer':
      return { ...state, layer: action.layer };
    case 'held':
      return action.held === state.held ? state : arranged({ ...state, held: action.held });
    case 'loudness':
      return arranged({ ...state, loudness: action.loudness });
    case 'opened':
      return { ...state, opened: action.participantId };
  }
}

/** @param {RoomState} state */
export const mayMixForAll = ({ rights }) => rights.includes('edit_any_strip');

/**
 * Whether a strip's fader and pan move what everybody hears. One's own always do, as nobody hears
 * themselves.
 * @param {RoomState} state
 * @param {Participant} person
 */
export const movesRoom = (state, { isMe, role }) =>
  role !== 'subscriber' && (isMe || (state.layer === 'room' && mayMixForAll(state)));

/**
 * @param {RoomState} state
 * @param {readonly string[]} rights
 * @returns {RoomState}
 */
function withRights(state, rights) {
  const mixes = rights.includes('edit_any_strip');
  if (mixes === mayMixForAll(state)) return { ...state, rights };
  return { ...state, rights, layer: mixes ? 'room' : 'mine' };
}

/**
 * @param {RoomState} state
 * @param {Participant} participant
 * @returns {RoomState}
 */
function put(state, participant) {
  const known = state.people.get(participant.participantId);
  const people = new Map(state.people).set(participant.participantId, participant);
  const next = { ...state, people };
  return known && known.name === participant.name ? next : arranged(next);
}

/**
 * @param {RoomState} state
 * @param {string} participantId
 * @returns {RoomState}
 */
function gone(state, participantId) {
  if (!state.people.has(participantId)) return state;
  const people = new Map(state.people);
  people.delete(participantId);
  const opened = state.opened === participantId ? null : state.opened;
  return arranged({ ...state, people, opened });
}

/**
 * @param {RoomState} state
 * @returns {RoomState}
 */
function arranged(state) {
  const wanted = state.query.trim().toLocaleLowerCase();
  const found = [...state.people.values()].filter(
    ({ name }) => wanted === '' || name.toLocaleLowerCase().includes(wanted),
  );
  const sorted = ORDERS[state.order](found, state.loudness).map((one) => one.participantId);
  const sequence = state.held ? keptOrder(state.sequence, sorted) : sorted;
  return isSame(sequence, state.sequence) ? { ...state, sequence: state.sequence } : { ...state, sequence };
}

/**
 * Who was there stays in place, who is new comes last.
 * @param {readonly string[]} before
 * @param {readonly string[]} present
 */
function keptOrder(before, present) {
  const there = new Set(present);
  const known = new Set(before);
  return [...before.filter((id) => there.has(id)), ...present.filter((id) => !known.has(id))];
}

/** @param {readonly string[]} a @param {readonly string[]} b */
const isSame = (a, b) => a.length === b.length && a.every((id, index) => id === b[index]);
