/**
 * `AudioStreamingClient`: the public face. It keeps what the user wants (room, broadcasting,
 * listening, mutes, settings, own mix) and has session.js and media.js bring it about, again after
 * every interruption.
 */

import { AudioStreamingError, PASSING_REASONS } from './errors.js';
import { Emitter } from './emitter.js';
import { LatestSender } from './latest.js';
import { Media } from './media.js';
import { Microphone } from './microphone.js';
import { Playback } from './playback.js';
import { Roster } from './roster.js';
import { Session } from './session.js';
import { computeStats, readReport } from './stats.js';
import { watchEnvironment } from './watch.js';

/**
 * @typedef {import('./roster.js').Participant} Participant
 * @typedef {import('./roster.js').ListenerMix} ListenerMix
 * @typedef {import('./microphone.js').MicrophoneWishes} MicrophoneWishes
 * @typedef {import('./stats.js').AudioStats} AudioStats
 * @typedef {import('./platform.js').Platform} Platform
 * @typedef {import('./media_machine.js').MediaState} MediaState
 */

/**
 * @typedef {'disconnected' | 'connecting' | 'connected' | 'joining' | 'joined' | 'reconnecting'}
 *   ClientState
 */

/**
 * @typedef {object} ClientOptions
 * @property {number} [connectTimeoutMs] How long `connect()` tries. Default 10000.
 * @property {number} [mediaTimeoutMs] How long starting may take. Default 15000.
 * @property {string} [path] Path of Socket.IO on the server. Default `/socket.io/`.
 * @property {RTCIceServer[]} [iceServers] In addition to the server's.
 * @property {RTCIceTransportPolicy} [iceTransportPolicy] `relay` sends everything through TURN.
 */

/**
 * @typedef {object} JoinOptions
 * @property {string} [roomId] Empty: a new room.
 * @property {string} [name]
 * @property {'publisher' | 'subscriber' | 'both'} [role] Default `both`.
 * @property {string} [token]
 * @property {string} [resumeToken] Takes the seat of an earlier visit, within 60 s.
 * @property {string} [hostKey]
 */

/**
 * @typedef {object} JoinResult
 * @property {string} roomId
 * @property {string} participantId
 * @property {string} resumeToken
 * @property {string | null} hostKey
 * @property {string} role
 * @property {readonly string[]} rights
 * @property {Participant[]} participants
 * @property {Record<string, unknown>} settings
 */

/**
 * @typedef {object} ClientEvents
 * @property {{ state: ClientState, previous: ClientState, attempt: number }} statechange
 * @property {{ state: MediaState, previous: MediaState }} mediastatechange
 * @property {{ participant: Participant }} participantjoined
 * @property {{ participant: Participant }} participantleft
 * @property {{ participant: Participant }} participantupdated
 * @property {{ levels: { participantId: string, levelDbov: number, speaking: boolean }[] }} levels
 * @property {{ participantIds: string[] }} activespeakers
 * @property {{ track: MediaStreamTrack }} track The mix that this client hears.
 * @property {{ settings: Record<string, unknown>, participantId: string }} settings
 * @property {{ error: AudioStreamingError }} error Something failed that no call is waiting for.
 * @property {{ blocked: boolean }} playbackblocked The browser wants a click: `resumePlayback()`.
 * @property {{ track: MediaStreamTrack }} microphonechange
 * @property {{ error: AudioStreamingError }} microphonelost
 * @property {{ attempt: number }} reconnecting
 * @property {{ resumed: boolean }} reconnected
 * @property {{ reason: string }} roomclosed
 * @property {{ retryAfterMs: number }} draining
 * @property {{ event: string, payload: any }} serverevent Any other event of the server.
 */

/** @extends {Emitter<ClientEvents>} */
export class BaseClient extends Emitter {
  /**
   * @param {string} serverUrl
   * @param {ClientOptions} options
   * @param {Platform} platform
   */
  constructor(serverUrl, options, platform) {
    super();
    this.#options = options;
    this.#platform = platform;
    this.serverUrl = serverUrl;
    this.microphone = new Microphone(platform);
    this.playback = new Playback(platform.createAudioElement);
    this.#session = new Session(platform.createSocket(serverUrl, options.path), platform);
    this.#media = new Media((...request) => this.#session.request(...request), platform);
    this.#session.on('change', () => this.#stateChanged());
    this.#session.on('down', () => this.#media.input('signalingDown'));
    this.#session.on('joined', (detail) => void this.#joined(detail));
    this.#session.on('roomlost', ({ error }) => this.#roomOver(error.reason));
    this.#session.on('event', ({ event, payload }) => this.#serverEvent(event, payload));
    this.#media.on('change', () => this.#mediaChanged());
    this.#media.on('error', (detail) => this.emit('error', detail));
    this.#media.on('track', ({ track }) => this.#remoteTrack(track));
    this.playback.on('blockedchange', (detail) => this.emit('playbackblocked', detail));
    this.microphone.on('change', ({ track }) => this.#microphoneChanged(track));
    this.microphone.on('lost', (detail) => this.emit('microphonelost', detail));
  }

  #options;
  #platform;
  #session;
  #media;
  #roster = new Roster();
  /** @type {LatestSender<ListenerMix>} */
  #mixSender = new LatestSender(async (participantId, mix) => {
    await this.#tell('set_listener_mix', mixToWire(participantId, mix));
  });
  /** @type {ClientState} */
  #state = 'disconnected';
  /** @type {MediaState} */
  #mediaState = 'idle';
  #publishing = false;
  #subscribing = false;
  #muted = false;
  #deafened = false;
  #visible = true;
  /** @type {number | null} */
  #jitterBufferMs = 0;
  /** @type {Record<string, unknown>} What the user set, to set it again on a new seat. */
  #ownSettings = {};
  /** @type {JoinResult | null} */
  #room = null;
  /** @type {import('./stats.js').Reading | null} */
  #lastReading = null;
  /** @type {(() => void) | null} */
  #stopWatching = null;

  /** @returns {ClientState} */
  get state() {
    return this.#state;
  }

  /** How the sound's own connection is doing. */
  get mediaState() {
    return this.#mediaState;
  }

  /** The room as joined, or null. */
  get room() {
    return this.#room;
  }

  /** Everyone in the room, this client included. */
  get participants() {
    return this.#roster.all;
  }

  /** @param {string} participantId */
  participant(participantId) {
    return this.#roster.get(participantId);
  }

  get me() {
    return this.#roster.me;
  }

  get isPublishing() {
    return this.#publishing;
  }

  /** Whether the browser waits for a click before it plays: see `resumePlayback()`. */
  get isPlaybackBlocked() {
    return this.playback.isBlocked;
  }

  get isSubscribing() {
    return this.#subscribing;
  }

  get isMuted() {
    return this.#muted;
  }

  get isDeafened() {
    return this.#deafened;
  }

  /** The RTCPeerConnection in use; for figures and tests, not to be changed. */
  get peerConnection() {
    return this.#media.connection;
  }

  /** The settings of this client's strip as the server confirmed them. */
  get settings() {
    return this.#room?.settings ?? {};
  }

  /**
   * Connect to the server. From then on the connection is kept until `disconnect()`.
   * @throws {AudioStreamingError} `unreachable`, `aborted`, `webrtc_unsupported`.
   */
  async connect() {
    if (!this.#platform.hasWebRtc) {
      throw new AudioStreamingError('webrtc_unsupported', 'This browser has no WebRTC.');
    }
    this.#stopWatching ??= watchEnvironment(this.#platform, {
      online: () => this.#networkChanged(),
      woke: () => this.#networkChanged(),
    });
    try {
      await this.#session.connect(this.#options.connectTimeoutMs ?? 10000);
    } catch (error) {
      this.#unwatch();
      throw error;
    }
  }

  /**
   * Enter a room; without an id, a new one.
   * @param {string | JoinOptions} [roomIdOrOptions]
   * @returns {Promise<JoinResult>}
   * @throws {AudioStreamingError} The server's reason, `timeout`, `not_connected`, `aborted`.
   */
  async joinRoom(roomIdOrOptions = '') {
    const options = typeof roomIdOrOptions === 'string' ? { roomId: roomIdOrOptions } : roomIdOrOptions;
    const request = {
      room_id: options.roomId ?? '',
      role: options.role ?? 'both',
      protocol: 1,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.token === undefined ? {} : { token: options.token }),
      ...(options.hostKey === undefined ? {} : { host_key: options.hostKey }),
    };
    await this.#session.join(request, options.resumeToken ?? null);
    return /** @type {JoinResult} */ (this.#room);
  }

  /** Leave the room; the connection to the server stays. */
  async leaveRoom() {
    this.#forgetRoom();
    await this.#session.leave();
  }

  /** Leave, close everything and free the microphone. The object can `connect()` again. */
  async disconnect() {
    await this.leaveRoom();
    this.microphone.close();
    this.#session.disconnect();
    this.#unwatch();
  }

  /**
   * Send the microphone (or a track of the caller's) into the room.
   * @param {Partial<MicrophoneWishes> & { track?: MediaStreamTrack }} [options]
   * @throws {AudioStreamingError} Of the microphone (`permission_denied`, …), the server's reason,
   *   `media_unreachable` (attempts go on), `not_joined`.
   */
  async startPublishing({ track, ...wishes } = {}) {
    this.#assertJoined();
    if (track) this.microphone.adopt(track);
    else if (!this.microphone.track || Object.keys(wishes).length > 0) await this.microphone.open(wishes);
    await this.#media.setTrack(this.microphone.track);
    await this.#start(() => (this.#publishing = true), () => (this.#publishing = false));
  }

  /** Stop sending and free the microphone; listening goes on. */
  async stopPublishing() {
    this.#publishing = false;
    await this.#media.setTrack(null);
    this.microphone.close();
    this.#wantMedia();
  }

  /**
   * Hear the room.
   * @param {object} [options]
   * @param {boolean} [options.play] Play it (default), or only hand out the track.
   * @param {HTMLAudioElement} [options.audioElement] The caller's own element.
   * @param {number | null} [options.jitterBufferMs] Least playout delay to ask of the browser;
   *   null leaves it to the browser. Default 0.
   * @throws {AudioStreamingError} The server's reason, `media_unreachable` (attempts go on),
   *   `not_joined`.
   */
  async startSubscribing({ play = true, audioElement, jitterBufferMs = 0 } = {}) {
    this.#assertJoined();
    this.#jitterBufferMs = jitterBufferMs;
    if (play) this.playback.start(audioElement ?? null);
    await this.#start(
      () => (this.#subscribing = true),
      () => {
        this.#subscribing = false;
        this.playback.stop();
      },
    );
  }

  /** Stop hearing the room; broadcasting goes on. */
  async stopSubscribing() {
    this.#subscribing = false;
    this.playback.stop();
    this.#wantMedia();
  }

  /**
   * Change some settings of the own strip.
   * @param {Record<string, unknown>} partial For example `{ genre: 'jazz', reverbMix: 25 }`.
   * @returns {Promise<Record<string, unknown>>} All effective settings.
   * @throws {AudioStreamingError} The server's reason; then nothing changed.
   */
  async updateAudioSettings(partial) {
    const ack = await this.#session.request('audio_stream_metadata', partial);
    this.#ownSettings = { ...this.#ownSettings, ...partial };
    return this.#setSettings(ack.settings ?? {});
  }

  /**
   * Stop or let go the own voice, at once and on the server. Works while the connection is away.
   * @param {boolean} muted
   */
  async setMuted(muted) {
    this.#muted = muted;
    this.microphone.setEnabled(!muted);
    this.#patchMe({ muted });
    await this.#tell('set_muted', muted);
  }

  /**
   * Stop or let go the sound of the room, at once and on the server.
   * @param {boolean} deafened
   */
  async setDeafened(deafened) {
    this.#deafened = deafened;
    this.playback.setSilent(deafened);
    this.#patchMe({ deafened });
    await this.#tell('set_deafened', deafened);
  }

  /**
   * Say whether anybody looks at the levels; while nobody does, the server sends none.
   * @param {boolean} visible
   */
  async setVisible(visible) {
    if (visible === this.#visible) return;
    this.#visible = visible;
    await this.#tell('set_visibility', visible);
  }

  /**
   * Change what I alone hear of somebody; left out values stay.
   * @param {{ participantId: string } & Partial<ListenerMix>} change
   * @returns {Promise<ListenerMix>}
   */
  async setListenerMix({ participantId, ...change }) {
    const mix = this.#roster.setMix(participantId, change);
    this.#updated(participantId);
    await this.#mixSender.put(participantId, mix);
    return mix;
  }

  /**
   * Open the microphone before broadcasting, for a level check.
   * @param {Partial<MicrophoneWishes>} [wishes]
   * @throws {AudioStreamingError} Of the microphone.
   */
  async openMicrophone(wishes) {
    await this.microphone.open(wishes);
  }

  /**
   * Another microphone, or other processing; takes effect at once when one is open.
   * @param {string | null | Partial<MicrophoneWishes>} wishes
   * @throws {AudioStreamingError} Of the microphone; then the old one stays.
   */
  async setInputDevice(wishes) {
    const change = typeof wishes === 'object' && wishes !== null ? wishes : { deviceId: wishes };
    const modeChanges = change.musicMode !== undefined && change.musicMode !== this.microphone.wishes.musicMode;
    if (this.microphone.track) await this.microphone.open(change);
    else this.microphone.prefer(change);
    if (modeChanges) this.#wantMedia();
  }

  /**
   * Another output; empty is the system's default.
   * @param {string} deviceId
   * @throws {AudioStreamingError} `output_unsupported`.
   */
  setOutputDevice(deviceId) {
    return this.playback.setOutput(deviceId);
  }

  /** While reconnecting: try now instead of waiting. */
  retryNow() {
    this.#networkChanged();
  }

  /** After `playbackblocked`: play; call it from a click. */
  resumePlayback() {
    return this.playback.resume();
  }

  /**
   * Figures since the last call.
   * @returns {Promise<AudioStats>}
   * @throws {AudioStreamingError} `not_joined` when there is no media connection.
   */
  async getAudioStats() {
    const connection = this.#media.connection;
    if (!connection) throw new AudioStreamingError('not_joined', 'There is no sound connection.');
    const [report, server] = await Promise.all([connection.getStats(), this.#serverReading()]);
    const reading = readReport(report.values(), this.#platform.now());
    const before = this.#lastReading;
    this.#lastReading = reading;
    const settings = this.microphone.track?.getSettings() ?? {};
    const latency = /** @type {{ latency?: number }} */ (settings).latency;
    return computeStats(before, reading, server, {
      ptimeUpMs: this.#media.ptimeMs,
      captureLatencyMs: latency === undefined ? null : latency * 1000,
      outputLatencyMs: null,
    });
  }

  // ---- room --------------------------------------------------------------------------------

  #assertJoined() {
    if (!this.#room) throw new AudioStreamingError('not_joined', 'Join a room first.');
  }

  /**
   * @param {{ ack: Record<string, any>, returned: boolean, resumed: boolean }} joining
   */
  async #joined({ ack, returned, resumed }) {
    this.#room = {
      roomId: ack.room_id,
      participantId: ack.participant_id,
      resumeToken: ack.resume_token,
      hostKey: ack.host_key ?? this.#room?.hostKey ?? null,
      role: ack.role,
      rights: ack.rights ?? [],
      participants: [],
      settings: ack.settings ?? {},
    };
    const changes = this.#roster.reset(ack.participants ?? [], ack.participant_id);
    this.#roster.recall(ack.listener_mix ?? {});
    this.#room.participants = this.#roster.all;
    this.#media.setConfiguration({
      bundlePolicy: 'max-bundle',
      iceServers: [...(ack.ice_servers ?? []), ...(this.#options.iceServers ?? [])],
      iceTransportPolicy: this.#options.iceTransportPolicy ?? 'all',
    });
    if (returned) {
      for (const participant of changes.left) this.emit('participantleft', { participant });
      for (const participant of changes.joined) this.emit('participantjoined', { participant });
    }
    const { muted, deafened } = this.#roster.me ?? { muted: false, deafened: false };
    if (resumed && !returned) this.#adoptMutes(muted, deafened);
    await this.#restore(resumed, { muted, deafened });
    if (this.#session.state !== 'joined') return;
    if (!resumed) this.#media.input('reset');
    this.#media.input('signalingUp');
    this.#stateChanged();
    if (returned) this.emit('reconnected', { resumed });
  }

  /**
   * Bring the server's idea of us in line with what the user wants, before any sound flows.
   * @param {boolean} resumed The server still knows settings and mixes.
   * @param {{ muted: boolean, deafened: boolean }} server What it thinks.
   */
  async #restore(resumed, server) {
    const steps = [];
    if (this.#muted !== server.muted) steps.push(this.#tell('set_muted', this.#muted));
    if (this.#deafened !== server.deafened) {
      steps.push(this.#tell('set_deafened', this.#deafened));
    }
    if (!this.#visible) steps.push(this.#tell('set_visibility', false));
    this.#patchMe({ muted: this.#muted, deafened: this.#deafened });
    if (!resumed && Object.keys(this.#ownSettings).length > 0) {
      steps.push(this.updateAudioSettings(this.#ownSettings));
    }
    for (const [participantId, mix] of this.#roster.mixes) {
      if (this.#roster.get(participantId)) steps.push(this.#mixSender.put(participantId, mix));
    }
    for (const result of await Promise.allSettled(steps)) {
      if (result.status === 'rejected') this.#unasked(result.reason);
    }
  }

  /**
   * A seat of an earlier page was taken over: its switches stand as they were left.
   * @param {boolean} muted
   * @param {boolean} deafened
   */
  #adoptMutes(muted, deafened) {
    this.#muted = muted;
    this.#deafened = deafened;
    this.microphone.setEnabled(!muted);
    this.playback.setSilent(deafened);
  }

  #forgetRoom() {
    this.#publishing = false;
    this.#subscribing = false;
    this.#media.input('unwant');
    this.#media.input('signalingDown');
    this.playback.stop();
    this.#roster.clear();
    this.#room = null;
    this.#ownSettings = {};
    this.#lastReading = null;
  }

  /** @param {string} reason */
  #roomOver(reason) {
    this.#forgetRoom();
    this.emit('roomclosed', { reason });
  }

  /**
   * Tell the server if it can hear us; else it is told on coming back.
   * @param {string} event
   * @param {unknown} payload
   */
  async #tell(event, payload) {
    if (this.#session.state !== 'joined') return;
    try {
      return await this.#session.request(event, payload);
    } catch (error) {
      if (error instanceof AudioStreamingError && error.reason === 'not_connected') return;
      throw error;
    }
  }

  /**
   * @param {string} event
   * @param {any} payload
   */
  #serverEvent(event, payload) {
    const handle = this.#handlers[event];
    if (handle) handle(payload ?? {});
    else this.emit('serverevent', { event, payload });
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
      const participant = this.#roster.put(raw);
      if (participant.isMe && participant.settings) this.#setSettings(participant.settings);
      this.emit('participantupdated', { participant });
    },
    levels: (payload) => this.#levels(payload),
    active_speakers: ({ participants: participantIds }) =>
      this.emit('activespeakers', { participantIds: participantIds ?? [] }),
    offer: ({ sdp }) => void this.#media.answer(String(sdp)),
    ice_candidate: (candidate) => void this.#media.addRemoteCandidate(candidate),
    media_reset: () => this.#media.input('reset'),
    room_closed: ({ reason }) => {
      this.#session.roomClosed();
      this.#roomOver(String(reason ?? 'room_closed'));
    },
    server_draining: ({ retry_after_s: retryAfterS }) => {
      const retryAfterMs = Number(retryAfterS ?? 1) * 1000;
      this.#session.drain(retryAfterMs);
      this.emit('draining', { retryAfterMs });
    },
  };

  /** @param {any} payload */
  #levels(payload) {
    const levels = [];
    for (const [participantId, level, speaks] of payload.levels ?? []) {
      const voice = { levelDbov: -Number(level), speaking: Boolean(speaks) };
      if (this.#roster.setVoice(participantId, voice)) levels.push({ participantId, ...voice });
    }
    this.emit('levels', { levels });
  }

  /** @param {Record<string, unknown>} settings */
  #setSettings(settings) {
    if (this.#room) {
      this.#room.settings = settings;
      this.emit('settings', { settings, participantId: this.#room.participantId });
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

  // ---- sound -------------------------------------------------------------------------------

  /**
   * @param {() => void} want
   * @param {() => void} undo After a refusal.
   */
  async #start(want, undo) {
    want();
    this.#wantMedia();
    try {
      await this.#media.whenUp(this.#options.mediaTimeoutMs ?? 15000);
    } catch (error) {
      const { reason } = /** @type {AudioStreamingError} */ (error);
      if (reason !== 'media_unreachable' && !PASSING_REASONS.has(reason)) {
        undo();
        this.#wantMedia();
      }
      throw error;
    }
  }

  #wantMedia() {
    this.#media.want({
      publish: this.#publishing,
      subscribe: this.#subscribing,
      mode: this.microphone.wishes.musicMode ? 'music' : 'speech',
      jitterBufferMs: this.#jitterBufferMs,
    });
  }

  /** @param {MediaStreamTrack} track */
  #remoteTrack(track) {
    this.playback.setTrack(track);
    this.emit('track', { track });
  }

  /** @param {MediaStreamTrack} track */
  #microphoneChanged(track) {
    if (this.#publishing) this.#media.setTrack(track).catch((error) => this.#unasked(error));
    // Browsers let a page that uses the microphone play without a click.
    if (this.playback.isBlocked) void this.playback.resume();
    this.emit('microphonechange', { track });
  }

  async #serverReading() {
    try {
      const ack = await this.#session.request('get_stats');
      return /** @type {import('./stats.js').ServerReading} */ (ack.stats ?? null);
    } catch {
      return null; // figures of the browser alone are better than none
    }
  }

  // ---- state -------------------------------------------------------------------------------

  #networkChanged() {
    void this.#session.check();
    this.#media.input('networkChanged');
  }

  #unwatch() {
    this.#stopWatching?.();
    this.#stopWatching = null;
  }

  #stateChanged() {
    const previous = this.#state;
    const { attempt } = this.#session;
    this.#state = publicState(this.#session.state, this.#session.isReturning);
    if (this.#state === previous) return;
    this.emit('statechange', { state: this.#state, previous, attempt });
    if (this.#state === 'reconnecting') this.emit('reconnecting', { attempt });
  }

  #mediaChanged() {
    const previous = this.#mediaState;
    this.#mediaState = this.#media.state;
    if (this.#mediaState === previous) return;
    if (this.#mediaState === 'interrupted') void this.#session.check();
    this.emit('mediastatechange', { state: this.#mediaState, previous });
  }

  /** @param {unknown} error Of a step that nobody waits for. */
  #unasked(error) {
    if (error instanceof AudioStreamingError) this.emit('error', { error });
    else throw error;
  }
}

/**
 * @param {string} participantId
 * @param {ListenerMix} mix
 */
const mixToWire = (participantId, { gainDb, pan, muted }) => ({
  participant_id: participantId,
  gain_db: gainDb,
  pan,
  muted,
});

/**
 * @param {import('./session_machine.js').SessionState} state
 * @param {boolean} returning
 * @returns {ClientState}
 */
function publicState(state, returning) {
  if (returning) return 'reconnecting';
  return state === 'waiting' || state === 'rejoining' ? 'connecting' : state;
}
