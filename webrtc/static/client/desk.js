/**
 * The desk of a room, for those with the right to run it: the room's sound, scenes, and meters.
 */

import { Emitter } from './emitter.js';

/**
 * @typedef {object} RoomSettings What applies to the whole room.
 * @property {'mix' | 'forward'} mode `mix`: one track with everybody; `forward`: one track for each who
 *   is heard, as they sent it.
 * @property {number} maxSpeakers Most others that anybody hears at the same time, 1 to 15.
 * @property {boolean} automix
 * @property {number} duckingDb 0 is off.
 * @property {number | null} targetLufs
 * @property {number} speakerOpenDb Who is so much above the own background noise speaks.
 * @property {number} speakerHysteresisDb Only who is louder by more than this displaces a speaker.
 * @property {number} speakerHoldMs So long nobody is displaced after having been chosen.
 * @property {number} speakerAttackMs Shorter sounds are coughs.
 * @property {number} speakerYieldMs Who has paused for longer makes way for anybody who speaks.
 * @property {number} speakerTimeoutMs Who has not been audible for longer gives the place up.
 * @property {number} speakerVoiceWeightDb What sound counts less that is no voice.
 * @property {boolean} archive Whether the latest of what is said is kept for a while.
 */

/** @typedef {{ name: string, savedAt: number, strips: number }} SceneInfo */

/**
 * @typedef {object} RecordingInfo
 * @property {string} recordingId
 * @property {'recording' | 'paused'} state
 * @property {string[]} tracks
 * @property {number} startedAt Seconds since the epoch.
 */

/**
 * @typedef {object} BroadcastInfo
 * @property {string} url Path of an HLS playlist at this server: whoever knows it hears the room.
 * @property {number} startedAt Seconds since the epoch.
 */

/**
 * @typedef {object} SimulatedNetwork A bad network on purpose.
 * @property {string} conditions A quality (`50%`), a name (`mobile`), or figures (`loss=5,jitter=20`).
 * @property {number} seed
 */

/**
 * @typedef {object} StripMeters Levels in dBFS, −120 is silence; gains in dB.
 * @property {string} participantId
 * @property {number} inPeakDb
 * @property {number} inRmsDb
 * @property {number} outPeakDb
 * @property {number} outRmsDb
 * @property {number} gateDb
 * @property {number} compDb
 * @property {number} limiterDb
 * @property {number} autoLevelDb
 * @property {number} balanceDb
 * @property {number} shortTermLufs
 * @property {boolean} voice
 */

/**
 * @typedef {object} StripSpectrum What is drawn of one strip alone.
 * @property {string} participantId
 * @property {number[]} bandsDb 120 bands of a twelfth of an octave around 20 · 2^(n/12) Hz, dBFS.
 * @property {number} correlation Of left and right, −1 to 1.
 * @property {number} truePeakDb dBTP.
 */

/**
 * @typedef {object} DeskEvents
 * @property {{ meters: StripMeters[], spectrum: StripSpectrum | null, limiterDb: number }} meters
 *   `limiterDb` is the gain of that mix's limiter which works hardest.
 * @property {{ settings: RoomSettings }} roomchange
 * @property {{ scenes: SceneInfo[] }} sceneschange
 * @property {{ recording: RecordingInfo | null }} recordingchange
 * @property {{ broadcast: BroadcastInfo | null }} broadcastchange
 * @property {{ network: SimulatedNetwork | null }} networkchange What everybody's sound goes through.
 */

/**
 * @typedef {object} Wanted Meters that somebody looks at.
 * @property {string[]} [participantIds] At most 32 in all.
 * @property {string | null} [spectrum] Whose.
 */

/** @extends {Emitter<DeskEvents>} */
export class Desk extends Emitter {
  /** @param {{ request: (event: string, payload: unknown) => Promise<any> }} session */
  constructor(session) {
    super();
    this.#session = session;
  }

  #session;
  /** What each part of the page wants to see. @type {Map<string, Required<Wanted>>} */
  #wanted = new Map();
  /** @type {RoomSettings | null} The room's settings, null outside a room. */
  settings = null;
  /** @type {SceneInfo[]} */
  scenes = [];
  /** @type {RecordingInfo | null} What is recorded of the room, null while nothing is. */
  recording = null;
  /** @type {BroadcastInfo | null} Where the room is broadcast to, null while it is not. */
  broadcast = null;
  /** @type {SimulatedNetwork | null} What everybody's sound goes through who has no own. */
  network = null;
  /** Whether the operator lets `setNetwork` change that. */
  simulates = false;

  /**
   * Show meters of these strips from now on, and this one's spectrum; of no others any more. They
   * come as `meters`, and go on after a reconnection. Several parts of a page may look at meters:
   * each is a `holder`, all get what any of them wants, and the last one to ask for a spectrum gets
   * it.
   * @param {Wanted} [wanted]
   * @param {{ holder?: string }} [who]
   */
  async watchMeters({ participantIds = [], spectrum = null } = {}, { holder = 'page' } = {}) {
    const before = this.#wanted;
    const wanted = new Map(before);
    wanted.delete(holder);
    if (participantIds.length > 0 || spectrum !== null) {
      wanted.set(holder, { participantIds, spectrum });
    }
    this.#wanted = wanted;
    try {
      await this.#session.request('watch_meters', toWatch(wanted));
    } catch (error) {
      if (this.#wanted === wanted) this.#wanted = before;
      throw error;
    }
  }

  /**
   * Change the room's settings; what is left out stays.
   * @param {Partial<RoomSettings>} change
   * @returns {Promise<RoomSettings>}
   */
  async setRoom(change) {
    const wanted = Object.entries(change).map(([name, value]) => [toSnakeCase(name), value]);
    const ack = await this.#session.request('set_room', Object.fromEntries(wanted));
    return this.#setSettings(ack.settings);
  }

  /**
   * Let somebody come first when more speak than are heard, or not.
   * @param {{ participantId: string, priority?: boolean, pinned?: boolean }} change
   */
  async setSpeaker({ participantId, ...change }) {
    await this.#session.request('set_speaker', { participant_id: participantId, ...change });
  }

  /**
   * Say what somebody is in the room; takes the right `set_roles`. A host stays host.
   * @param {string} participantId
   * @param {'listener' | 'speaker' | 'engineer'} role
   * @returns {Promise<{ rights: readonly string[] }>} What they may do now.
   */
  async setRole(participantId, role) {
    const ack = await this.#session.request('set_role', { participant_id: participantId, role });
    return { rights: ack.rights };
  }

  /**
   * Make the network of somebody worse on purpose, or that of the room; takes the right `run_desk`.
   * @param {{ network: string, participantId?: string | null, seed?: number }} wanted `network` as
   *   `conditions`, or `off`.
   */
  async setNetwork({ network, participantId = null, seed = 0 }) {
    await this.#session.request('set_network', { participant_id: participantId, network, seed });
  }

  /**
   * Store the room as it is under a name.
   * @param {string} name
   */
  async storeScene(name) {
    const ack = await this.#session.request('store_scene', { name });
    return this.#setScenes(ack.scenes);
  }

  /**
   * Bring the room back to a scene.
   * @param {string} name
   * @param {{ fadeMs?: number }} [options]
   * @returns {Promise<{ participantIds: string[] }>} Whose strips change.
   */
  async recallScene(name, { fadeMs = 500 } = {}) {
    const ack = await this.#session.request('recall_scene', { name, fade_ms: fadeMs });
    this.#setSettings(ack.settings);
    return { participantIds: ack.participants };
  }

  /** @param {string} name */
  async deleteScene(name) {
    const ack = await this.#session.request('delete_scene', { name });
    return this.#setScenes(ack.scenes);
  }

  /**
   * A seat was given.
   * @param {Record<string, any>} ack
   */
  enter(ack) {
    this.#setSettings(ack.room_settings ?? {});
    this.#setScenes(ack.scenes ?? []);
    this.#setRecording(ack.recording ?? null);
    this.#setBroadcast(ack.broadcast ?? null);
    this.simulates = ack.simulates === true;
    this.#setNetwork(ack.network ?? null);
    if (this.#wanted.size === 0) return;
    // Some of them may be gone: then the page hears of it, and asks again if it wants to.
    this.#session.request('watch_meters', toWatch(this.#wanted)).catch(() => {
      this.#wanted = new Map();
    });
  }

  /** The stay is over. */
  leave() {
    this.#wanted = new Map();
    this.settings = null;
    this.scenes = [];
    this.#setRecording(null);
    this.#setBroadcast(null);
    this.simulates = false;
    this.#setNetwork(null);
  }

  /**
   * An event of the server.
   * @param {string} event
   * @param {any} payload
   * @returns {boolean} Whether it was about the desk.
   */
  handle(event, payload) {
    if (event === 'meters') {
      const { meters, spectrum, limiter_db: limiterDb = 0 } = payload;
      this.emit('meters', {
        meters: meters.map(toCamelCase),
        spectrum: spectrum && toCamelCase(spectrum),
        limiterDb,
      });
    } else if (event === 'room_updated') {
      this.#setSettings(payload.settings);
      this.#setRecording(payload.recording ?? null);
      this.#setBroadcast(payload.broadcast ?? null);
      this.#setNetwork(payload.network ?? null);
    } else if (event === 'scenes_changed') this.#setScenes(payload.scenes);
    else return false;
    return true;
  }

  /** @param {Record<string, unknown> | null} raw */
  #setRecording(raw) {
    this.recording = raw && toCamelCase(raw);
    this.emit('recordingchange', { recording: this.recording });
  }

  /** @param {Record<string, unknown> | null} raw */
  #setBroadcast(raw) {
    this.broadcast = raw && toCamelCase(raw);
    this.emit('broadcastchange', { broadcast: this.broadcast });
  }

  /** @param {SimulatedNetwork | null} network */
  #setNetwork(network) {
    this.network = network;
    this.emit('networkchange', { network });
  }

  /** @param {Record<string, unknown>} raw */
  #setSettings(raw) {
    const settings = /** @type {RoomSettings} */ (toCamelCase(raw));
    this.settings = settings;
    this.emit('roomchange', { settings });
    return settings;
  }

  /** @param {Record<string, unknown>[]} raw */
  #setScenes(raw) {
    this.scenes = raw.map(toCamelCase);
    this.emit('sceneschange', { scenes: this.scenes });
    return this.scenes;
  }
}

/**
 * @param {ReadonlyMap<string, Required<Wanted>>} wanted By holder, the latest last.
 */
function toWatch(wanted) {
  const all = [...wanted.values()];
  return {
    participants: [...new Set(all.flatMap(({ participantIds }) => participantIds))],
    spectrum: all.findLast(({ spectrum }) => spectrum !== null)?.spectrum ?? null,
  };
}

/** @param {string} name */
const toSnakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * @param {Record<string, unknown>} raw
 * @returns {any}
 */
const toCamelCase = (raw) =>
  Object.fromEntries(
    Object.entries(raw).map(([name, value]) => [
      name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()),
      value,
    ]),
  );
