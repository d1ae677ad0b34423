/**
 * `AudioStreamingClient`: the public face. What the user wants is kept by room.js (mutes, settings,
 * own mix) and sound.js (broadcasting, listening); session.js keeps the seat. Each brings its part
 * about, again after every interruption.
 */

import { Desk } from './desk.js';
import { AudioStreamingError } from './errors.js';
import { Emitter } from './emitter.js';
import { Host } from './host.js';
import { joinRequest } from './join_request.js';
import { Room } from './room.js';
import { Session } from './session.js';
import { Sound } from './sound.js';
import { watchEnvironment } from './watch.js';

/**
 * @typedef {import('./roster.js').ListenerMix} ListenerMix
 * @typedef {import('./microphone.js').MicrophoneWishes} MicrophoneWishes
 * @typedef {import('./playout/path_switch.js').PlayoutMode} PlayoutMode
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
  'rolechange',
  'error',
]);

const SOUND_EVENTS = /** @type {const} */ ([
  'error',
  'track',
  'trackassignments',
  'playbackblocked',
  'playout-changed',
  'microphonechange',
  'microphonelost',
]);

/** @extends {Emitter<import('./types.js').ClientEvents>} */
export class BaseClient extends Emitter {
  /**
   * @param {string | string[]} serverUrl One address, or all by which the server's replicas can
   *   be reached.
   * @param {import('./types.js').ClientOptions} options
   * @param {import('./platform.js').Platform} platform
   */
  constructor(serverUrl, options, platform) {
    super();
    this.#options = options;
    this.#platform = platform;
    this.serverUrl = serverUrl;
    const { path, token } = options;
    this.#session = new Session(platform.createSocket(serverUrl, path, token), platform);
    this.#room = new Room(this.#session);
    this.desk = new Desk(this.#session);
    this.host = new Host(this.#session);
    this.#sound = new Sound((...request) => this.#session.request(...request), platform, options);
    this.microphone = this.#sound.microphone;
    this.playback = this.#sound.playback;
    this.#session.on('change', () => this.#stateChanged());
    this.#session.on('down', () => this.#sound.input('signalingDown'));
    this.#session.on('joined', (detail) => void this.#joined(detail));
    this.#session.on('roomlost', ({ error }) => this.#roomOver(error.reason));
    this.#session.on('event', ({ event, payload }) => this.#serverEvent(event, payload));
    for (const type of PEOPLE_EVENTS) this.#room.on(type, (detail) => this.emit(type, detail));
    this.#room.on('switched', ({ muted, deafened }) => {
      this.microphone.setEnabled(!muted);
      this.playback.setSilent(deafened);
    });
    this.#room.on('rolechange', ({ role }) => {
      // Nobody would hear it, and a microphone that is open should have a reason.
      if (role === 'subscriber' && this.isPublishing) void this.#sound.stopPublishing();
    });
    this.#room.on('assigned', ({ tracks }) => this.#sound.assign(tracks));
    this.#room.on('participantupdated', ({ participant }) => this.#mixTrack(participant));
    this.#room.on('participantjoined', ({ participant }) => this.#mixTrack(participant));
    for (const type of SOUND_EVENTS) this.#sound.on(type, (detail) => this.emit(type, detail));
    this.#sound.on('statechange', () => this.#mediaChanged());
    this.#sound.on('servergone', () => this.#session.giveUp());
  }

  #options;
  #platform;
  #session;
  #sound;
  #room;
  /** @type {ClientState} */
  #state = 'disconnected';
  /** @type {MediaState} */
  #mediaState = 'idle';
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
    return this.#sound.isPublishing;
  }

  /** Whether the browser waits for a click before it plays: see `resumePlayback()`. */
  get isPlaybackBlocked() {
    return this.playback.isBlocked;
  }

  get isSubscribing() {
    return this.#sound.isSubscribing;
  }

  /** The tracks of a room that forwards, and who is on each. */
  get tracks() {
    return this.playback.tracks.all;
  }

  get isMuted() {
    return this.#room.muted;
  }

  get isDeafened() {
    return this.#room.deafened;
  }

  /** The RTCPeerConnection in use; for figures and tests, not to be changed. */
  get peerConnection() {
    return this.#sound.connection;
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
    const request = joinRequest(options, this.#options.token);
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
    this.#sound.release();
    this.#session.disconnect();
  }

  /**
   * Send the microphone (or a track of the caller's) into the room.
   * @param {Partial<MicrophoneWishes> & { track?: MediaStreamTrack }} [options]
   * @throws {AudioStreamingError} Of the microphone (`permission_denied`, …), of the server,
   *   `media_unreachable` (attempts go on), `not_joined`.
   */
  async startPublishing(options = {}) {
    this.#assertSeat('subscriber');
    await this.#sound.publish(options);
  }

  /** Stop sending and free the microphone; listening goes on. */
  async stopPublishing() {
    await this.#sound.stopPublishing();
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
    await this.#sound.subscribe({ play, audioElement: audioElement ?? null, jitterBufferMs });
  }

  /** Stop hearing the room; broadcasting goes on. */
  async stopSubscribing() {
    this.#sound.stopSubscribing();
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
   * Change some settings of anybody's strip; of others', this takes the right `edit_any_strip`. Of
   * many changes in a row only the last ones are sent.
   * @param {string} participantId
   * @param {Record<string, unknown>} partial For example `{ fader: -6 }`.
   * @returns {Promise<void>} Settles when this, or what came in its place, is there.
   * @throws {AudioStreamingError} The server's reason; then nothing changed.
   */
  setStrip(participantId, partial) {
    return this.#room.setStrip(participantId, partial);
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
    await this.#sound.setInput(change);
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
    this.#sound.setRedundancy(mode);
  }

  /**
   * Which way the mix takes to the ear, from now on. A change is a crossfade; only the way back from
   * a connection made in mode `browser` takes a new connection.
   * @param {PlayoutMode} mode
   * @throws {AudioStreamingError} `invalid_option`.
   */
  setPlayout(mode) {
    return this.#sound.setPlayout(mode);
  }

  /** Which way the mix takes at the moment, and why: `{ mode, path, reason }`. */
  get playout() {
    const { mode, path, reason } = this.playback.playout;
    return { mode, path, reason };
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
  getAudioStats() {
    return this.#sound.stats();
  }

  // ---- room --------------------------------------------------------------------------------

  /** @param {'publisher' | 'subscriber'} unfit The role that cannot do what is asked. */
  #assertSeat(unfit) {
    const { seat } = this.#room;
    if (!seat) throw new AudioStreamingError('not_joined', 'Join a room first.');
    if (seat.role === unfit) {
      throw new AudioStreamingError('forbidden', `Whoever is ${unfit} here cannot do this.`);
    }
  }

  /** @param {{ ack: Record<string, any>, returned: boolean, resumed: boolean }} joining */
  async #joined({ ack, returned, resumed }) {
    this.#sound.setConfiguration({
      bundlePolicy: 'max-bundle',
      iceServers: [...(ack.ice_servers ?? []), ...(this.#options.iceServers ?? [])],
      iceTransportPolicy: this.#options.iceTransportPolicy ?? 'all',
    });
    const entering = this.#room.enter({ ack, returned, resumed });
    this.host.enter(ack);
    this.desk.enter(ack); // at once: whoever asked for the seat may look at it
    await entering;
    for (const participant of this.#room.participants) this.#mixTrack(participant);
    if (this.#session.state !== 'joined') return;
    if (!resumed) this.#sound.input('reset');
    this.#sound.input('signalingUp');
    this.#stateChanged();
    if (returned) this.emit('reconnected', { resumed });
  }

  /** @param {import('./roster.js').Participant} participant */
  #mixTrack({ participantId, mix }) {
    this.playback.tracks.setMix(participantId, mix);
  }

  #forgetRoom() {
    this.#sound.stop();
    this.#room.leave();
    this.desk.leave();
    this.host.leave();
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
    const known = this.#room.handle(event, payload ?? {});
    if (this.desk.handle(event, payload ?? {}) || known) return;
    if (this.host.handle(event, payload ?? {})) return;
    const handle = this.#handlers[event];
    if (handle) handle(payload ?? {});
    else this.emit('serverevent', { event, payload });
  }

  /** @type {Record<string, (payload: any) => void>} */
  #handlers = {
    offer: ({ sdp }) => void this.#sound.answer(String(sdp)),
    ice_candidate: (candidate) => void this.#sound.addRemoteCandidate(candidate),
    media_reset: () => this.#sound.input('reset'),
    room_closed: ({ reason }) => {
      this.#session.roomClosed();
      this.#roomOver(String(reason ?? 'room_closed'));
    },
    server_draining: ({ retry_after_s: retryAfterS }) => {
      const retryAfterMs = Number(retryAfterS ?? 1) * 1000;
      this.#session.drain(retryAfterMs);
      this.emit('draining', { retryAfterMs });
    },
    server_state: ({ degraded }) => {
      this.emit('degraded', { what: Array.isArray(degraded) ? degraded.map(String) : [] });
    },
  };

  // ---- state -------------------------------------------------------------------------------

  #networkChanged() {
    void this.#session.check();
    this.#sound.input('networkChanged');
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
    this.#mediaState = this.#sound.state;
    if (this.#mediaState === previous) return;
    if (this.#mediaState === 'interrupted') void this.#session.check();
    this.emit('mediastatechange', { state: this.#mediaState, previous });
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
