/**
 * The sound of a stay in a room: what is sent and heard, on which connection, as the user wants it.
 */

import { DecoderWatch } from './decoder_watch.js';
import { Downlink } from './downlink.js';
import { AudioStreamingError, PASSING_REASONS } from './errors.js';
import { Emitter } from './emitter.js';
import { Figures } from './figures.js';
import { Media } from './media.js';
import { Microphone } from './microphone.js';
import { Playback } from './playback.js';
import { PLAYOUT_MODES } from './playout/path_switch.js';
import { countReceived, readUplink } from './stats.js';
import { Uplink } from './uplink.js';

/**
 * @typedef {import('./media_machine.js').MediaInput} MediaInput
 * @typedef {import('./microphone.js').MicrophoneWishes} MicrophoneWishes
 * @typedef {import('./playout/path_switch.js').PlayoutMode} PlayoutMode
 * @typedef {import('./playout_paths.js').PlayoutEvents} PlayoutEvents
 * @typedef {import('./redundancy.js').RedundancyMode} RedundancyMode
 */

/**
 * @typedef {object} SoundEvents
 * @property {{}} statechange
 * @property {{ error: AudioStreamingError }} error Something failed that no call is waiting for.
 * @property {{ track: MediaStreamTrack }} track
 * @property {{ tracks: import('./types.js').AssignedTrack[] }} trackassignments
 * @property {{ blocked: boolean }} playbackblocked
 * @property {PlayoutEvents['change']} playout-changed
 * @property {{ track: MediaStreamTrack }} microphonechange
 * @property {{ error: AudioStreamingError }} microphonelost
 * @property {{}} servergone The server sends nothing any more, and does not answer.
 */

/** For so long figures wait for the server's share. */
const ANSWER_MS = 2000;

/** @extends {Emitter<SoundEvents>} */
export class Sound extends Emitter {
  /**
   * @param {(event: string, payload?: unknown, timeoutMs?: number) => Promise<Record<string, any>>}
   *   request Asks the server.
   * @param {import('./platform.js').Platform} platform
   * @param {Pick<import('./types.js').ClientOptions, 'mediaTimeoutMs' | 'playout' | 'redundancy'>}
   *   options
   * @throws {AudioStreamingError} `invalid_option`.
   */
  constructor(request, platform, { mediaTimeoutMs = 15000, playout = 'auto', redundancy }) {
    super();
    assertPlayout(playout);
    this.#timeoutMs = mediaTimeoutMs;
    this.#now = platform.now;
    this.microphone = new Microphone(platform);
    this.playback = new Playback(platform, playout);
    this.#media = new Media(request, platform);
    this.#figures = new Figures(() => request('get_stats', undefined, ANSWER_MS), platform.now);
    this.#uplink = new Uplink(
      { read: () => this.#readUplink(), changed: () => this.#wantMedia() },
      platform,
      redundancy,
    );
    this.#downlink = new Downlink(
      {
        read: () => this.#readDownlink(),
        ask: () => request('get_stats'),
        giveUp: () => this.emit('servergone', {}),
      },
      platform,
    );
    this.#followMedia();
    this.playback.on('blockedchange', (detail) => this.emit('playbackblocked', detail));
    this.playback.on('playoutchange', (detail) => this.emit('playout-changed', detail));
    this.playback.on('gone', () => this.#media.input('reset'));
    this.microphone.on('change', ({ track }) => this.#microphoneChanged(track));
    this.microphone.on('lost', (detail) => this.emit('microphonelost', detail));
  }

  #timeoutMs;
  #now;
  #media;
  #figures;
  #uplink;
  #downlink;
  #decoders = new DecoderWatch();
  #publishing = false;
  #subscribing = false;
  /** @type {number | null} */
  #jitterBufferMs = 0;

  get state() {
    return this.#media.state;
  }

  get connection() {
    return this.#media.connection;
  }

  get isPublishing() {
    return this.#publishing;
  }

  get isSubscribing() {
    return this.#subscribing;
  }

  /** @param {RTCConfiguration} configuration For connections made from now on. */
  setConfiguration(configuration) {
    this.#media.setConfiguration(configuration);
  }

  /** @param {MediaInput} input */
  input(input) {
    this.#media.input(input);
  }

  /** @param {string} sdp The server's offer. */
  answer(sdp) {
    return this.#media.answer(sdp);
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  addRemoteCandidate(candidate) {
    return this.#media.addRemoteCandidate(candidate);
  }

  /** @param {Partial<MicrophoneWishes> & { track?: MediaStreamTrack }} options */
  async publish({ track, ...wishes }) {
    if (track) this.microphone.adopt(track);
    else if (!this.microphone.track || Object.keys(wishes).length > 0)
      await this.microphone.open(wishes);
    await this.#media.setTrack(this.microphone.track);
    await this.#start(
      () => (this.#publishing = true),
      () => (this.#publishing = false),
    );
  }

  async stopPublishing() {
    this.#publishing = false;
    await this.#media.setTrack(null);
    this.microphone.close();
    this.playback.setEchoes(false);
    this.#wantMedia();
  }

  /**
   * @param {{ play: boolean, audioElement: HTMLAudioElement | null,
   *   jitterBufferMs: number | null }} options
   */
  async subscribe({ play, audioElement, jitterBufferMs }) {
    this.#jitterBufferMs = jitterBufferMs;
    if (play) this.playback.start(audioElement);
    await this.#start(
      () => (this.#subscribing = true),
      () => {
        this.#subscribing = false;
        this.playback.stop();
      },
    );
  }

  stopSubscribing() {
    this.#subscribing = false;
    this.playback.stop();
    this.#wantMedia();
  }

  /**
   * Other people are on the tracks besides the mix.
   * @param {readonly { mid: string, participantId: string | null }[]} tracks All of them.
   */
  assign(tracks) {
    this.playback.tracks.assign(tracks);
    this.#tellTracks();
  }

  #tellTracks() {
    this.emit('trackassignments', { tracks: [...this.playback.tracks.all] });
  }

  /** @param {Partial<MicrophoneWishes>} change */
  async setInput(change) {
    const modeChanges =
      change.musicMode !== undefined && change.musicMode !== this.microphone.wishes.musicMode;
    if (this.microphone.track) await this.microphone.open(change);
    else this.microphone.prefer(change);
    if (modeChanges) this.#wantMedia();
  }

  /** @param {RedundancyMode} mode */
  setRedundancy(mode) {
    this.#uplink.setMode(mode);
  }

  /**
   * @param {PlayoutMode} mode
   * @throws {AudioStreamingError} `invalid_option`.
   */
  async setPlayout(mode) {
    assertPlayout(mode);
    const renew = this.playback.setMode(mode);
    await this.playback.prepare();
    if (renew && this.playback.playout.mode === mode) this.#media.input('reset');
  }

  /** Send and hear nothing any more; the microphone stays open. */
  stop() {
    this.#publishing = false;
    this.#subscribing = false;
    this.#uplink.follow(false);
    this.#media.input('unwant');
    this.#media.input('signalingDown');
    this.playback.stop();
    this.#figures.reset();
  }

  /** Stop, and free microphone and players. */
  release() {
    this.stop();
    this.microphone.close();
    this.playback.release();
  }

  /**
   * Figures since the last call.
   * @throws {AudioStreamingError} `not_joined` when there is no connection.
   */
  async stats() {
    const { connection, ptimeMs, redundancy } = this.#media;
    if (!connection) throw new AudioStreamingError('not_joined', 'There is no sound connection.');
    const microphone = this.microphone.track;
    const { playout } = this.playback;
    return this.#figures.read(connection, { ptimeMs, redundancy, microphone, playout });
  }

  #followMedia() {
    const { playback } = this;
    this.#media.on('change', () => {
      this.#downlink.follow(this.#media.state === 'connected');
      if (this.#media.state !== 'connected') this.#decoders.reset();
      this.emit('statechange', {});
    });
    this.#media.on('error', (detail) => this.emit('error', detail));
    this.#media.on('receiver', ({ receiver }) => playback.attach(receiver));
    this.#media.on('closed', () => {
      playback.detach();
      playback.tracks.clear();
      this.#tellTracks();
    });
    this.#media.on('further', ({ mid, track, receiver }) => {
      playback.tracks.put(mid, track, receiver);
      this.#tellTracks();
    });
    this.#media.on('track', ({ track }) => {
      playback.setTrack(track);
      this.emit('track', { track });
    });
  }

  /**
   * @param {() => void} want
   * @param {() => void} undo After a refusal.
   */
  async #start(want, undo) {
    want();
    await this.playback.prepare();
    this.#wantMedia();
    try {
      await this.#media.whenUp(this.#timeoutMs);
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

  async #readDownlink() {
    const { connection } = this.#media;
    const report = await connection?.getStats();
    if (!report || connection !== this.#media.connection) return null;
    const entries = [...report.values()];
    if (this.#decoders.isStarved(entries, this.#now())) {
      this.#decoders.reset();
      if (this.playback.distrust()) this.#media.input('reset');
    }
    return countReceived(entries);
  }

  /** @param {MediaStreamTrack} track */
  #microphoneChanged(track) {
    this.playback.setEchoes(this.microphone.hearsWebAudio);
    if (this.#publishing) this.#media.setTrack(track).catch((error) => this.#unasked(error));
    // Browsers let a page that uses the microphone play without a click.
    if (this.playback.isBlocked) void this.playback.resume();
    this.emit('microphonechange', { track });
  }

  /** @param {unknown} error Of a step that nobody waits for. */
  #unasked(error) {
    if (error instanceof AudioStreamingError) this.emit('error', { error });
    else throw error;
  }
}

/**
 * @param {unknown} mode
 * @throws {AudioStreamingError} `invalid_option`.
 */
function assertPlayout(mode) {
  if (PLAYOUT_MODES.some((known) => known === mode)) return;
  throw new AudioStreamingError(
    'invalid_option',
    `playout is one of ${PLAYOUT_MODES.join(', ')}, not ${String(mode)}.`,
  );
}
