/**
 * Who is in the room, from the server's lists and events. The wire's names end here: outside,
 * everything is camelCase and has its unit in its name.
 */

/**
 * @typedef {object} ListenerMix What I alone hear of somebody.
 * @property {number} gainDb −60 (silence) to +12.
 * @property {number} pan −1 left to +1 right.
 * @property {boolean} muted
 * @property {boolean} solo Of all others I hear only those with solo.
 */

/** @typedef {'good' | 'fair' | 'poor'} Quality */

/** @typedef {{ label: string, confidence: number }} Genre */

/**
 * @typedef {object} ProfileChange A strip took another mixing profile, from what is heard or by hand.
 * @property {string} from
 * @property {string} to
 * @property {readonly string[]} settings Which of its values changed with that.
 */

/**
 * @typedef {object} Participant
 * @property {string} participantId
 * @property {string} name
 * @property {string} role `publisher`, `subscriber` or `both`.
 * @property {readonly string[]} rights
 * @property {string} kind How they are connected, for example `webrtc`.
 * @property {boolean} muted
 * @property {boolean} deafened
 * @property {boolean} priority Heard before others, whenever there is something to hear.
 * @property {boolean} pinned Heard before all others, by hand.
 * @property {boolean} speaking
 * @property {number} csrc Its number in `getContributingSources()`.
 * @property {number} joinedAt Unix seconds.
 * @property {readonly { kind: string }[]} tracks
 * @property {Record<string, unknown> | null} settings Their strip, when they publish.
 * @property {Genre | null} genre What the server takes the sound for, where it can tell;
 *   `confidence` 0 to 1.
 * @property {ProfileChange | null} profileChange The latest that was seen from here.
 * @property {import('./desk.js').SimulatedNetwork | null} network What their sound is made to go
 *   through; null where that is the room's.
 * @property {Quality | null} quality How well their connection does.
 * @property {boolean} isMe
 * @property {number} levelDbov 0 loudest, −127 silence.
 * @property {ListenerMix} mix
 */

/**
 * @typedef {Pick<Participant, 'levelDbov' | 'speaking'>} Voice
 */

/** @type {Readonly<ListenerMix>} */
export const UNITY = Object.freeze({ gainDb: 0, pan: 0, muted: false, solo: false });

const SILENCE_DBOV = -127;

/**
 * @param {Record<string, any>} raw The wire's shape.
 * @returns {Genre | null}
 */
export const genreOf = ({ genre, confidence }) =>
  genre ? { label: String(genre), confidence: Number(confidence ?? 0) } : null;

/**
 * @param {Participant | undefined} known
 * @param {Record<string, unknown> | undefined} settings What they are now.
 * @returns {ProfileChange | null}
 */
function profileChangeOf(known, settings) {
  const before = known?.settings;
  if (!before || !settings || before.profile === settings.profile) return null;
  const names = Object.keys(settings).filter((name) => settings[name] !== before[name]);
  return { from: String(before.profile), to: String(settings.profile), settings: names };
}

export class Roster {
  /** @type {Map<string, Participant>} */
  #people = new Map();
  /** @type {string | null} */
  #me = null;
  /** Kept for people who are away for a moment. @type {Map<string, ListenerMix>} */
  #mixes = new Map();
  /** Levels may arrive before the list that names their people. @type {Map<string, Voice>} */
  #voices = new Map();

  /** Everyone, in the order of joining. */
  get all() {
    return [...this.#people.values()];
  }

  get me() {
    return this.#me === null ? null : (this.#people.get(this.#me) ?? null);
  }

  /** @param {string} participantId */
  get(participantId) {
    return this.#people.get(participantId) ?? null;
  }

  /** My mix of everybody that I changed, whether they are here or not. */
  get mixes() {
    return this.#mixes;
  }

  /**
   * Take over a list from the server.
   * @param {readonly Record<string, any>[]} list
   * @param {string} me
   * @returns {{ joined: Participant[], left: Participant[] }} Against the list before.
   */
  reset(list, me) {
    const before = this.#people;
    this.#me = me;
    this.#people = new Map();
    for (const raw of list) this.put(raw);
    return {
      joined: this.all.filter((person) => !before.has(person.participantId)),
      left: [...before.values()].filter((person) => !this.#people.has(person.participantId)),
    };
  }

  clear() {
    this.#people.clear();
    this.#mixes.clear();
    this.#voices.clear();
    this.#me = null;
  }

  /**
   * Add or replace one participant.
   * @param {Record<string, any>} raw The wire's shape.
   * @returns {Participant}
   */
  put(raw) {
    const participantId = String(raw.participant_id);
    const known = this.#people.get(participantId);
    // Who was made a listener says nothing any more, and no level will tell.
    if (raw.role === 'subscriber') this.#voices.delete(participantId);
    const voice = this.#voices.get(participantId);
    const isMe = participantId === this.#me;
    /** @type {Participant} */
    const participant = {
      participantId,
      name: String(raw.name ?? ''),
      role: String(raw.role ?? 'both'),
      rights: raw.rights ?? [],
      kind: String(raw.kind ?? 'audio'),
      // Of ourselves we know better than an event that was under way.
      muted: isMe && known ? known.muted : Boolean(raw.muted),
      deafened: isMe && known ? known.deafened : Boolean(raw.deafened),
      priority: Boolean(raw.priority),
      pinned: Boolean(raw.pinned),
      speaking: voice?.speaking ?? Boolean(raw.speaking),
      csrc: Number(raw.csrc ?? 0),
      joinedAt: Number(raw.joined_at ?? 0),
      tracks: raw.tracks ?? [],
      settings: raw.settings ?? null,
      genre: genreOf(raw),
      profileChange: profileChangeOf(known, raw.settings) ?? known?.profileChange ?? null,
      network: raw.network ?? null,
      quality: known?.quality ?? null,
      isMe,
      levelDbov: voice?.levelDbov ?? SILENCE_DBOV,
      mix: this.#mixes.get(participantId) ?? UNITY,
    };
    this.#people.set(participantId, participant);
    return participant;
  }

  /**
   * @param {string} participantId
   * @returns {Participant | null} Who left; null when nobody of that id was here.
   */
  remove(participantId) {
    const participant = this.#people.get(participantId) ?? null;
    this.#people.delete(participantId);
    this.#voices.delete(participantId);
    return participant;
  }

  /**
   * Change what we know of somebody without word from the server (or before it).
   * @param {string} participantId
   * @param {Partial<Participant>} change
   * @returns {Participant | null}
   */
  patch(participantId, change) {
    const participant = this.#people.get(participantId);
    if (!participant) return null;
    const next = { ...participant, ...change };
    this.#people.set(participantId, next);
    return next;
  }

  /**
   * @param {string} participantId
   * @param {Voice} voice
   * @returns {boolean} Whether somebody of that id is here.
   */
  setVoice(participantId, voice) {
    this.#voices.set(participantId, voice);
    return this.patch(participantId, voice) !== null;
  }

  /**
   * Take over what the server remembers of my mix; what was changed here stands.
   * @param {Record<string, any>} mixes The wire's shape, by participant id.
   */
  recall(mixes) {
    for (const [participantId, mix] of Object.entries(mixes)) {
      const { gain_db: gainDb, pan, muted, solo = false } = mix;
      if (!this.#mixes.has(participantId)) this.setMix(participantId, { gainDb, pan, muted, solo });
    }
  }

  /**
   * @param {string} participantId
   * @param {Partial<ListenerMix>} change
   * @returns {ListenerMix} The effective mix.
   */
  setMix(participantId, change) {
    const mix = { ...UNITY, ...this.#mixes.get(participantId), ...change };
    this.#mixes.set(participantId, mix);
    this.patch(participantId, { mix });
    return mix;
  }
}
