/**
 * What outlives a page: the room in the address, the seat across a reload, and what the user likes.
 * Storage may be forbidden; then nothing is remembered and everything else works.
 */

import { PLAYOUT_MODES } from '../client/playout/path_switch.js';

/**
 * @typedef {object} Visit
 * @property {string} roomId
 * @property {string} name
 * @property {string} [resumeToken] Only when the page that held the seat has gone.
 * @property {string} [hostKey]
 * @property {boolean} publishing
 * @property {boolean} subscribing
 * @property {boolean} muted
 * @property {boolean} deafened
 * @property {{ layer: string, order: string | null }} desk Which layer of faders, which order.
 */

/**
 * @typedef {object} Likes
 * @property {string} name
 * @property {boolean} broadcast
 * @property {boolean} listen
 * @property {string | null} inputId
 * @property {string} outputId
 * @property {import('../client/playout_paths.js').PlayoutMode} playout
 * @property {boolean} musicMode
 * @property {import('../client/microphone.js').Processing} processing
 */

const VISIT_KEY = 'ag06.visit';
const LIKES_KEY = 'ag06.likes';

/** @type {Readonly<Likes>} */
const DEFAULT_LIKES = {
  name: '',
  broadcast: true,
  listen: true,
  inputId: null,
  outputId: '',
  playout: 'auto',
  musicMode: false,
  processing: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
};

/**
 * Room named by an address: `?room=studio` or `#studio`.
 * @param {{ search: string, hash: string }} location
 */
export function roomInAddress({ search, hash }) {
  const query = new URLSearchParams(search).get('room');
  if (query) return query;
  try {
    return decodeURIComponent(hash.replace(/^#(room=)?/, ''));
  } catch {
    return '';
  }
}

/**
 * A link that leads others into the room.
 * @param {string} address The page's own.
 * @param {string} roomId
 */
export function roomLink(address, roomId) {
  const url = new URL(address);
  url.hash = '';
  url.search = '';
  url.searchParams.set('room', roomId);
  return url.href;
}

/**
 * The visit that this tab was on before a reload. It is taken out of the storage, so that a
 * duplicated tab does not take the seat from the tab that still sits on it.
 * @param {() => Storage} storage
 * @returns {Partial<Visit> | null} Only a room's name, if nobody had entered it yet.
 */
export function takeVisit(storage) {
  const visit = read(storage, VISIT_KEY);
  write(storage, VISIT_KEY, null);
  return visit;
}

/**
 * Leave the visit for the page that comes after this one.
 * @param {() => Storage} storage
 * @param {Partial<Visit> | null} visit
 */
export const leaveVisit = (storage, visit) => write(storage, VISIT_KEY, visit);

/**
 * @param {() => Storage} storage
 * @returns {Likes}
 */
export function readLikes(storage) {
  const likes = { ...DEFAULT_LIKES, ...read(storage, LIKES_KEY) };
  // Of another version, perhaps: the client refuses what it does not know.
  if (!PLAYOUT_MODES.includes(likes.playout)) likes.playout = DEFAULT_LIKES.playout;
  return likes;
}

/**
 * @param {() => Storage} storage
 * @param {Likes} likes
 */
export const writeLikes = (storage, likes) => write(storage, LIKES_KEY, likes);

/**
 * @param {() => Storage} storage
 * @param {string} key
 * @returns {Record<string, any> | null}
 */
function read(storage, key) {
  try {
    const value = JSON.parse(storage().getItem(key) ?? 'null');
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/**
 * @param {() => Storage} storage
 * @param {string} key
 * @param {object | null} value
 */
function write(storage, key, value) {
  try {
    if (value === null) storage().removeItem(key);
    else storage().setItem(key, JSON.stringify(value));
  } catch {
    // Forbidden or full: the page forgets, and works.
  }
}
