/**
 * `AudioStreamingClient`: the public face. It keeps what the user wants (room, broadcasting,
 * listening, mutes, settings, own mix) and has session.js and media.js bring it about, again after
 * every interruption.
 */

import { AudioStreamingError, PASSING_REASONS } from './errors.js';
import { Emitter } from './emitter.js';
import { Figures } from './figures.js';
import { Media } from './media.js';
import { Microphone } from './microphone.js';
import { Playback } from './playback.js';
import { Room } from './room.js';
import { Session } from './session.js';
import { readUplink } from './stats.js';
import { Uplink } from './uplink.js';
import { watchEnvironment } from './watch.js';

/**
 * @typedef {import('./roster.js').ListenerMix} ListenerMix
 * @typedef {import('./microphone.js').MicrophoneWishes} MicrophoneWishes
 * @typedef {import('./redundancy.js').RedundancyMode} RedundancyMode
 * @typedef {import('./stats.js').AudioStats} AudioStats
 * @typedef {import('./types.js').ClientState} ClientState
 * @typedef {import('./types.js').JoinResult} JoinResult
 * @typedef {import('./media_machine.js').MediaState} MediaState
 */

const PEOPLE_EVENTS = /** @type {const} */ ([
  'participantjoined',
  'participantleft',
  'participantupdated',
  'levels',
  'activespeakers',
  'settings',
  'error',
]);

/** @extends {Emitter<import('./types.js').ClientEvents>} */
export class BaseClient extends Emitter {
  /**
   * @param {string} serverUrl
   * @param {import('./types.js').ClientOptions} options
   * @param {import('./platform.js').Platform} platform
   */
  constructor(serverUrl, options, platform) {
    super();
    this.#options = options;
    this.#platform = platform;
    this.serverUrl = serverUrl;
    this.microphone = new Microphone(platform);
    this.playback = new Playback(platform.createAudioElement);
    this.#session = new Session(platform.createSocket(serverUrl, options.path), platform);
    this.#room = new Room(this.#session);
    this.#media = new Media((...request) => this.#session.request(...request), platform);
    this.#figures = new Figures(() => this.#session.request('get_stats'), platform.now);
    this.#uplink = new Uplink(
      { read: () => this.#readUplink(), changed: () => this.#wantMedia() },
      platform,
      options.redundancy,
    );
    this.#session.on('change', () => this.#stateChanged());
    this.#session.on('down', () => this.#media.input('signalingDown'));
    this.#session.on('joined', (detail) => void this.#joined(detail));
    this.#session.on('roomlost', ({ error }) => this.#roomOver(error.reason));
    this.#session.on('event', ({ event, payload }) => this.#serverEvent(event, payload));
    for (const type of PEOPLE_EVENTS) this.#room.on(type, (detail) => this.emit(type, detail));
    this.#room.on('switched', ({ muted, deafened }) => {
      this.microphone.setEnabled(!muted);
      this.playback.setSilent(deafened);
    });
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
  #room;
  /** @type {ClientState} */
  #state = 'disconnected';
  /** @type {MediaState} */
  #mediaState = 'idle';
  #publishing = false;
  #subscribing = false;
  /** @type {number | null} */
  #jitterBufferMs = 0;
  #figures;
  #uplink;
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
    return this.#room.seat;
  }

  /** Everyone in the room, this client included. */
  get participants() {
    return this.#room.participants;
  }

  /** @param {string} participantId */
  participant(participantId) {
    return this.#room.participant(participantId);
  }

  get me() {
    return this.#room.me;
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
    return this.#room.muted;
  }

  get isDeafened() {
    return this.#room.deafened;
  }

  /** The RTCPeerConnection in use; for figures and tests, not to be changed. */
  get peerConnection() {
    return this.#media.connection;
  }

  /** The settings of this client's strip as the server confirmed them. */
  get settings() {
    return this.#room.seat?.settings ?? {};
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
    await this.#session.connect(this.#options.connectTimeoutMs ?? 10000);
  }

  /**
   * Enter a room; without an id, a new one.
   * @param {string | import('./types.js').JoinOptions} [roomIdOrOptions]
   * @returns {Promise<JoinResult>}
   * @throws {AudioStreamingError} The server's reason, `timeout`, `not_connected`, `aborted`.
   */
  async joinRoom(roomIdOrOptions = '') {
    const options =
      typeof roomIdOrOptions === 'string' ? { roomId: roomIdOrOptions } : roomIdOrOptions;
    const request = {
      room_id: options.roomId ?? '',
      role: options.role ?? 'both',
      protocol: 1,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.token === undefined ? {} : { token: options.token }),
      ...(options.hostKey === undefined ? {} : { host_key: options.hostKey }),
    };
    await this.#session.join(request, options.resumeToken ?? null);
    return /** @type {JoinResult} */ (this.#room.seat);
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
  }

  /**
   * Send the microphone (or a track of the caller's) into the room.
   * @param {Partial<MicrophoneWishes> & { track?: MediaStreamTrack }} [options]
   * @throws {AudioStreamingError} Of the microphone (`permission_denied`, …), of the server,
   *   `media_unreachable` (attempts go on), `not_joined`.
   */
  async startPublishing({ track, ...wishes } = {}) {
    this.#assertSeat('subscriber');
    if (track) this.microphone.adopt(track);
    else if (!this.microphone.track || Object.keys(wishes).length > 0)
      await this.microphone.open(wishes);
    await this.#media.setTrack(this.microphone.track);
    await this.#start(
      () => (this.#publishing = true),
      () => (this.#publishing = false),
    );
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
    this.#assertSeat('publisher');
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
  updateAudioSettings(partial) {
    return this.#room.updateSettings(partial);
  }

  /**
   * Stop or let go the own voice, at once and on the server. Works while the connection is away.
   * @param {boolean} muted
   */
  setMuted(muted) {
    return this.#room.setMuted(muted);
  }

  /**
   * Stop or let go the sound of the room, at once and on the server.
   * @param {boolean} deafened
   */
  setDeafened(deafened) {
    return this.#room.setDeafened(deafened);
  }

  /**
   * Say whether anybody looks at the levels; while nobody does, the server sends none.
   * @param {boolean} visible
   */
  setVisible(visible) {
    return this.#room.setVisible(visible);
  }

  /**
   * Change what I alone hear of somebody; left out values stay.
   * @param {{ participantId: string } & Partial<ListenerMix>} change
   * @returns {Promise<ListenerMix>}
   */
  setListenerMix({ participantId, ...change }) {
    return this.#room.setMix(participantId, change);
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
    const modeChanges =
      change.musicMode !== undefined && change.musicMode !== this.microphone.wishes.musicMode;
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

  /**
   * Whether to send each packet twice, so that single losses are not heard; takes as much upload
   * again.
   * @param {RedundancyMode} mode
   */
  setRedundancy(mode) {
    this.#uplink.setMode(mode);
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
    const { ptimeMs, redundancy } = this.#media;
    const microphone = this.microphone.track;
    return this.#figures.read(connection, { ptimeMs, redundancy, microphone });
  }

  // ---- room --------------------------------------------------------------------------------

  /** @param {'publisher' | 'subscriber'} unfit The role that cannot do what is asked. */
  #assertSeat(unfit) {
    const { seat } = this.#room;
    if (!seat) throw new AudioStreamingError('not_joined', 'Join a room first.');
    if (seat.role === unfit) {
      throw new AudioStreamingError('forbidden', `Whoever joined as ${unfit} cannot do this.`);
    }
  }

  /** @param {{ ack: Record<string, any>, returned: boolean, resumed: boolean }} joining */
  async #joined({ ack, returned, resumed }) {
    this.#media.setConfiguration({
      bundlePolicy: 'max-bundle',
      iceServers: [...(ack.ice_servers ?? []), ...(this.#options.iceServers ?? [])],
      iceTransportPolicy: this.#options.iceTransportPolicy ?? 'all',
    });
    await this.#room.enter({ ack, returned, resumed });
    if (this.#session.state !== 'joined') return;
    if (!resumed) this.#media.input('reset');
    this.#media.input('signalingUp');
    this.#stateChanged();
    if (returned) this.emit('reconnected', { resumed });
  }

  #forgetRoom() {
    this.#publishing = false;
    this.#subscribing = false;
    this.#uplink.follow(false);
    this.#media.input('unwant');
    this.#media.input('signalingDown');
    this.playback.stop();
    this.#room.leave();
    this.#figures.reset();
  }

  /** @param {string} reason */
  #roomOver(reason) {
    this.#forgetRoom();
    this.emit('roomclosed', { reason });
  }

  /**
   * @param {string} event
   * @param {any} payload
   */
  #serverEvent(event, payload) {
    if (this.#room.handle(event, payload ?? {})) return;
    const handle = this.#handlers[event];
    if (handle) handle(payload ?? {});
    else this.emit('serverevent', { event, payload });
  }

  /** @type {Record<string, (payload: any) => void>} */
  #handlers = {
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
    this.#uplink.follow(this.#publishing && this.#media.canBeRedundant);
    this.#media.want({
      publish: this.#publishing,
      subscribe: this.#subscribing,
      mode: this.microphone.wishes.musicMode ? 'music' : 'speech',
      jitterBufferMs: this.#jitterBufferMs,
      redundancy: this.#uplink.wantsRedundancy,
    });
  }

  async #readUplink() {
    const report = await this.#media.connection?.getStats();
    return report ? readUplink(report.values()) : null;
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
    if (this.#state === 'disconnected') this.#unwatch();
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
 * @param {import('./session_machine.js').SessionState} state
 * @param {boolean} returning
 * @returns {ClientState}
 */
function publicState(state, returning) {
  if (returning) return 'reconnecting';
  return state === 'waiting' || state === 'rejoining' ? 'connecting' : state;
}
