/**
 * A stay in a room: who is there, and what the user wants to hold there (mutes, settings, own mix),
 * however often the seat has to be taken again.
 */

import { AudioStreamingError } from './errors.js';
import { Emitter } from './emitter.js';
import { LatestSender } from './latest.js';
import { Roster, genreOf } from './roster.js';

/**
 * @typedef {import('./roster.js').ListenerMix} ListenerMix
 * @typedef {import('./roster.js').Participant} Participant
 * @typedef {import('./types.js').JoinResult} JoinResult
 */

/**
 * @typedef {object} SwitchEvents
 * @property {{ muted: boolean, deafened: boolean }} switched Mute and deafen are now so.
 * @property {{ tracks: { mid: string, participantId: string | null }[] }} assigned Who is on which
 *   track, in rooms that forward.
 */

/** @typedef {import('./types.js').PeopleEvents & SwitchEvents} RoomEvents */

/** @extends {Emitter<RoomEvents>} */
export class Room extends Emitter {
  /** @param {Pick<import('./session.js').Session, 'state' | 'request'>} session */
  constructor(session) {
    super();
    this.#session = session;
  }

  #session;
  #roster = new Roster();
  /** @type {LatestSender<ListenerMix>} */
  #mixSender = new LatestSender(async (participantId, mix) => {
    await this.#tell('set_listener_mix', mixToWire(participantId, mix));
  });
  /** @type {Map<string, Record<string, unknown>>} Changes of strips that are not sent yet. */
  #stripChanges = new Map();
  /** @type {LatestSender<null>} */
  #stripSender = new LatestSender((participantId) => this.#sendStrip(participantId));
  #muted = false;
  #deafened = false;
  #telling = 0;
  #visible = true;
  #forwards = false;
  /** @type {Record<string, unknown>} What the user set, to set it again on a new seat. */
  #ownSettings = {};
  /** @type {JoinResult | null} */
  #seat = null;

  /** The seat as it was given, or null. */
  get seat() {
    return this.#seat;
  }

  get participants() {
    return this.#roster.all;
  }

  get me() {
    return this.#roster.me;
  }

  get muted() {
    return this.#muted;
  }

  get deafened() {
    return this.#deafened;
  }

  /** @param {string} participantId */
  participant(participantId) {
    return this.#roster.get(participantId);
  }

  /**
   * A seat was given: take over what the server says, then tell it what the user wants. Sound may
   * flow when this is done.
   * @param {{ ack: Record<string, any>, returned: boolean, resumed: boolean }} joining
   */
  async enter({ ack, returned, resumed }) {
    const changes = this.#roster.reset(ack.participants ?? [], ack.participant_id);
    this.#roster.recall(ack.listener_mix ?? {});
    const before = this.#seat;
    this.#seat = {
      roomId: ack.room_id,
      participantId: ack.participant_id,
      resumeToken: ack.resume_token,
      hostKey: ack.host_key ?? this.#seat?.hostKey ?? null,
      role: ack.role,
      rights: ack.rights ?? [],
      participants: this.#roster.all,
      settings: ack.settings ?? {},
    };
    this.#forwards = ack.room_settings?.mode === 'forward';
    if (before && !isSameRole(before, this.#seat)) this.#roleChanged();
    if (returned) {
      for (const participant of changes.left) this.emit('participantleft', { participant });
      for (const participant of changes.joined) this.emit('participantjoined', { participant });
    }
    const { muted, deafened } = this.#roster.me ?? { muted: false, deafened: false };
    // A seat of an earlier page: its switches stand as they were left.
    if (resumed && !returned) this.#switch(muted, deafened);
    await this.#restore(resumed, { muted, deafened });
  }

  /** The stay is over; mutes stay as they are. */
  leave() {
    this.#roster.clear();
    this.#stripChanges.clear();
    this.#seat = null;
    this.#ownSettings = {};
  }

  /**
   * @param {Record<string, unknown>} partial
   * @returns {Promise<Record<string, unknown>>} All effective settings.
   */
  async updateSettings(partial) {
    const ack = await this.#session.request('audio_stream_metadata', partial);
    this.#ownSettings = { ...this.#ownSettings, ...partial };
    return this.#setSettings(ack.settings ?? {});
  }

  /**
   * @param {string} participantId
   * @param {Record<string, unknown>} partial
   */
  async setStrip(participantId, partial) {
    const confirmed = this.#roster.get(participantId)?.settings;
    const waiting = this.#stripChanges.get(participantId);
    this.#stripChanges.set(participantId, { ...waiting, ...partial });
    // Shown at once; the server's word replaces it.
    if (confirmed) this.#showSettings(participantId, { ...confirmed, ...partial });
    try {
      await this.#stripSender.put(participantId, null);
    } catch (error) {
      if (confirmed) this.#showSettings(participantId, confirmed);
      throw error;
    }
  }

  /** @param {boolean} muted */
  async setMuted(muted) {
    this.#switch(muted, this.#deafened);
    this.#patchMe({ muted });
    await this.#tell('set_muted', muted);
  }

  /** @param {boolean} deafened */
  async setDeafened(deafened) {
    this.#switch(this.#muted, deafened);
    this.#patchMe({ deafened });
    await this.#tell('set_deafened', deafened);
  }

  /** @param {boolean} visible */
  async setVisible(visible) {
    if (visible === this.#visible) return;
    this.#visible = visible;
    await this.#tell('set_visibility', visible);
  }

  /**
   * @param {string} participantId
   * @param {Partial<ListenerMix>} change
   */
  async setMix(participantId, change) {
    const mix = this.#roster.setMix(participantId, change);
    this.#updated(participantId);
    await this.#mixSender.put(participantId, mix);
    return mix;
  }

  /**
   * An event of the server.
   * @param {string} event
   * @param {any} payload
   * @returns {boolean} Whether it was about people.
   */
  handle(event, payload) {
    const handle = this.#handlers[event];
    handle?.(payload);
    return handle !== undefined;
  }

  /** @type {Record<string, (payload: any) => void>} */
  #handlers = {
    participant_joined: (raw) => {
      const participant = this.#roster.put(raw);
      const mix = this.#roster.mixes.get(participant.participantId);
      if (mix) {
        this.#mixSender.put(participant.participantId, mix).catch((error) => this.#unasked(error));
      }
      this.emit('participantjoined', { participant });
    },
    participant_left: ({ participant_id: participantId }) => {
      const participant = this.#roster.remove(participantId);
      if (participant) this.emit('participantleft', { participant });
    },
    participant_updated: (raw) => {
      let participant = this.#roster.put(raw);
      if (participant.isMe) this.#takeRole(participant);
      if (participant.isMe && raw.muted) participant = this.#takeMute(participant);
      if (participant.isMe && participant.settings) this.#setSettings(participant.settings);
      this.emit('participantupdated', { participant });
    },
    levels: ({ levels: changed }) => {
      const levels = [];
      for (const [participantId, level, speaks] of changed ?? []) {
        const voice = { levelDbov: -Number(level), speaking: Boolean(speaks) };
        if (this.#roster.setVoice(participantId, voice)) levels.push({ participantId, ...voice });
      }
      this.emit('levels', { levels });
    },
    genre_detected: (raw) => {
      const participantId = String(raw.participant_id);
      if (this.#roster.patch(participantId, { genre: genreOf(raw) })) this.#updated(participantId);
    },
    qualities: ({ qualities }) => {
      for (const [participantId, quality] of qualities ?? []) {
        if (this.#roster.patch(participantId, { quality })) this.#updated(participantId);
      }
    },
    room_updated: ({ settings }) => {
      this.#forwards = settings?.mode === 'forward';
      if (!this.#forwards) this.emit('assigned', { tracks: [] });
    },
    track_assignments: ({ tracks }) => {
      if (!this.#forwards) return;
      const assigned = (tracks ?? []).map((/** @type {Record<string, any>} */ one) => {
        return { mid: String(one.mid), participantId: one.participant_id ?? null };
      });
      this.emit('assigned', { tracks: assigned });
    },
    active_speakers: ({ participants: participantIds }) =>
      this.emit('activespeakers', { participantIds: participantIds ?? [] }),
  };

  /**
   * Bring the server's idea of us in line with what the user wants, before any sound flows.
   * @param {boolean} resumed The server still knows settings and mixes.
   * @param {{ muted: boolean, deafened: boolean }} server What it thinks.
   */
  async #restore(resumed, server) {
    const steps = [];
    if (this.#muted !== server.muted) steps.push(this.#tell('set_muted', this.#muted));
    if (this.#deafened !== server.deafened) steps.push(this.#tell('set_deafened', this.#deafened));
    if (!this.#visible) steps.push(this.#tell('set_visibility', false));
    this.#patchMe({ muted: this.#muted, deafened: this.#deafened });
    if (!resumed && Object.keys(this.#ownSettings).length > 0) {
      steps.push(this.updateSettings(this.#ownSettings));
    }
    for (const [participantId, mix] of this.#roster.mixes) {
      if (this.#roster.get(participantId)) steps.push(this.#mixSender.put(participantId, mix));
    }
    for (const result of await Promise.allSettled(steps)) {
      if (result.status === 'rejected') this.#unasked(result.reason);
    }
  }

  /**
   * Tell the server if it can hear us; else it is told on coming back.
   * @param {string} event
   * @param {unknown} payload
   */
  async #tell(event, payload) {
    if (this.#session.state !== 'joined') return;
    this.#telling += 1; // until the answer, the server may still say how it was before
    try {
      await this.#session.request(event, payload);
    } catch (error) {
      if (error instanceof AudioStreamingError && error.reason === 'not_connected') return;
      throw error;
    } finally {
      this.#telling -= 1;
    }
  }

  /**
   * @param {boolean} muted
   * @param {boolean} deafened
   */
  #switch(muted, deafened) {
    this.#muted = muted;
    this.#deafened = deafened;
    this.emit('switched', { muted, deafened });
  }

  /** @param {string} participantId */
  async #sendStrip(participantId) {
    const change = this.#stripChanges.get(participantId);
    this.#stripChanges.delete(participantId);
    if (!change) return;
    const settings =
      participantId === this.#seat?.participantId
        ? await this.updateSettings(change)
        : await this.#updateOthers(participantId, change);
    // What has been changed since is on its way.
    this.#showSettings(participantId, { ...settings, ...this.#stripChanges.get(participantId) });
  }

  /**
   * @param {string} participantId
   * @param {Record<string, unknown>} change
   * @returns {Promise<Record<string, unknown>>} All their effective settings.
   */
  async #updateOthers(participantId, change) {
    const payload = { ...change, participant_id: participantId };
    const ack = await this.#session.request('audio_stream_metadata', payload);
    return ack.settings ?? {};
  }

  /**
   * @param {string} participantId
   * @param {Record<string, unknown>} settings
   */
  #showSettings(participantId, settings) {
    if (this.#roster.patch(participantId, { settings })) this.#updated(participantId);
  }

  /**
   * A host muted this microphone. Only that way: letting it go is up to the user alone.
   * @param {Participant} me
   */
  #takeMute(me) {
    if (this.#muted || this.#telling > 0) return me;
    this.#switch(true, this.#deafened);
    return this.#roster.patch(me.participantId, { muted: true }) ?? me;
  }

  /** @param {Participant} me */
  #takeRole({ role, rights }) {
    if (!this.#seat || isSameRole(this.#seat, { role, rights })) return;
    Object.assign(this.#seat, { role, rights });
    this.#roleChanged();
  }

  #roleChanged() {
    const { role, rights } = /** @type {JoinResult} */ (this.#seat);
    this.emit('rolechange', { role, rights });
  }

  /** @param {Record<string, unknown>} settings */
  #setSettings(settings) {
    if (this.#seat) {
      this.#seat.settings = settings;
      this.emit('settings', { settings, participantId: this.#seat.participantId });
    }
    return settings;
  }

  /** @param {Partial<Participant>} change */
  #patchMe(change) {
    const { me } = this.#roster;
    if (!me) return;
    this.#roster.patch(me.participantId, change);
    this.#updated(me.participantId);
  }

  /** @param {string} participantId */
  #updated(participantId) {
    const participant = this.#roster.get(participantId);
    if (participant) this.emit('participantupdated', { participant });
  }

  /** @param {unknown} error Of a step that nobody waits for. */
  #unasked(error) {
    if (!(error instanceof AudioStreamingError)) throw error;
    this.emit('error', { error });
  }
}

/**
 * @param {string} participantId
 * @param {ListenerMix} mix
 */
const mixToWire = (participantId, { gainDb, pan, muted, solo }) => ({
  participant_id: participantId,
  gain_db: gainDb,
  pan,
  muted,
  solo,
});

/**
 * @typedef {Pick<JoinResult, 'role' | 'rights'>} RoleAndRights
 * @param {RoleAndRights} a
 * @param {RoleAndRights} b
 */
const isSameRole = (a, b) => a.role === b.role && a.rights.join() === b.rights.join();
