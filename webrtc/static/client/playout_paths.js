/**
 * Plays the tracks of a connection, the mix or those of several people, each on whichever path
 * path_switch.js decides: all of them into one sound graph, and their frames through one worker.
 */

import { Emitter } from './emitter.js';
import { FrameSource } from './playout/frame_source.js';
import { SoundGraph } from './sound_graph.js';
import { TrackPlayout } from './track_playout.js';

/**
 * @typedef {import('./playout/path_switch.js').PlayoutMode} PlayoutMode
 * @typedef {import('./playout/path_switch.js').PlayoutPath} PlayoutPath
 * @typedef {import('./playout/path_switch.js').PlayoutReason} PlayoutReason
 * @typedef {import('./playout/types.js').PlayoutStats} PlayoutStats
 */

/**
 * A remote track waits in a queue of the browser's for the graph, which no figure of the browser's
 * tells: 7 to 16 ms in Chromium (measured by `browser_loop --only ear`).
 */
const TAP_MS = 12;

/**
 * @typedef {object} PlayoutState
 * @property {PlayoutMode} mode What was asked for.
 * @property {PlayoutPath} path What is heard.
 * @property {PlayoutReason} reason Why.
 * @property {number | null} toEarMs From a frame's arrival to the device, as measured; null: our own
 *   path does not play, or the browser does not tell.
 * @property {number | null} outputMs From the path to the device; null: an element plays.
 * @property {PlayoutStats | null} stats Of our own path, also while it only stands by.
 *
 * @typedef {PlayoutState & { track: MediaStreamTrack | null }} TrackState
 */

/**
 * @typedef {object} PlayoutEvents
 * @property {{ path: PlayoutPath, reason: PlayoutReason }} change Of the first track.
 * @property {{}} carry `carries` is another.
 * @property {{}} gone The connection brings no sound any more: a new one would.
 *
 * @typedef {import('./playout/low_latency_path.js').PathPlatform
 *   & import('./playout/frame_source.js').FrameSourcePlatform
 *   & import('./sound_graph.js').GraphPlatform & import('./timer.js').Clock} PlayoutPlatform
 */

/** @extends {Emitter<PlayoutEvents>} */
export class PlayoutPaths extends Emitter {
  /**
   * @param {PlayoutPlatform} platform
   * @param {PlayoutMode} [mode]
   */
  constructor(platform, mode = 'auto') {
    super();
    this.#platform = platform;
    this.#mode = mode;
    this.#graph = new SoundGraph(platform);
    this.#source = new FrameSource(platform);
    this.#first = this.#newTrack();
    this.#tracks = [this.#first];
    this.#first.on('change', (detail) => this.emit('change', detail));
    this.#graph.on('change', () => this.#graphChanged());
    this.#graph.on('struggle', () => {
      this.#closeGraph();
      this.#openGraph();
    });
    this.#source.on('gone', () => this.emit('gone', {}));
  }

  #platform;
  #mode;
  #graph;
  #source;
  /** The mix, or the first of several; it stays while there is no connection. */
  #first;
  #tracks;
  #started = false;
  /** Whether the caller's own element plays, which is none of our business. */
  #byElement = false;
  /** Whether a microphone would hear what WebAudio plays. */
  #echoes = false;
  #carries = false;

  get mode() {
    return this.#mode;
  }

  get path() {
    return this.#first.path;
  }

  get reason() {
    return this.#first.reason;
  }

  /** Whether the graph plays on either path, so that an element must not. */
  get carries() {
    return this.#carries;
  }

  /** The graph's last node; null while an element plays. */
  get output() {
    return this.#graph.output;
  }

  /** @returns {PlayoutState} Of the first track. */
  get figures() {
    return this.#figuresOf(this.#first);
  }

  /** @returns {TrackState[]} Of every track, in the order in which they were attached. */
  get tracks() {
    return this.#tracks.map((one) => ({ ...this.#figuresOf(one), track: one.track }));
  }

  /**
   * @param {MediaStreamTrack} track
   * @returns {PlayoutPath} On which it is heard.
   */
  pathOf(track) {
    return this.#trackOf(track)?.path ?? 'browser';
  }

  /** Get ready for `attach`, where it may be wanted; takes a moment at most. */
  async prepare() {
    if (this.mode !== 'browser') await this.#source.prepare();
  }

  /**
   * A connection was made, or brings one more track.
   * @param {RTCRtpReceiver} receiver In the turn of the loop in which it was made.
   * @param {MediaStreamTrack} [remote]
   */
  attach(receiver, remote = receiver.track) {
    let track = this.#tracks.find(({ attached }) => attached === null);
    if (!track) {
      track = this.#newTrack();
      this.#tracks.push(track);
    }
    track.attach(receiver, remote, this.mode !== 'browser');
    this.#look();
  }

  /** @param {MediaStreamTrack} track One of several that is gone, though the connection goes on. */
  remove(track) {
    const gone = this.#trackOf(track);
    if (!gone || gone === this.#first) return;
    this.#tracks.splice(this.#tracks.indexOf(gone), 1);
    gone.remove();
  }

  /**
   * What comes is not decoded.
   * @returns {boolean} Whether a new connection would help.
   */
  distrust() {
    return this.#source.distrust();
  }

  /** The connection is closed. */
  detach() {
    for (const track of this.#tracks.splice(1)) track.remove();
    this.#first.detach();
    this.#look();
  }

  /** @param {boolean} byElement Whether the caller's own element is to play. */
  start(byElement) {
    this.#started = true;
    this.#byElement = byElement;
    this.#openGraph();
    this.#look();
  }

  stop() {
    this.#started = false;
    this.#look();
    this.#closeGraph();
  }

  /** Stop, and free all that was made ready. */
  release() {
    this.stop();
    this.#source.close();
  }

  /** @param {MediaStreamTrack} track What the browser makes of a receiver that was attached. */
  setTrack(track) {
    (this.#trackOf(track) ?? this.#first).setTrack(track);
  }

  /**
   * How one track is heard, on either path; without a graph it cannot be changed.
   * @param {MediaStreamTrack} track
   * @param {{ gain: number, pan: number }} mix `gain` 0 (silence) … 4; `pan` −1 left … 1 right.
   */
  setTrackMix(track, mix) {
    this.#trackOf(track)?.setMix(mix);
  }

  /**
   * Whether the open microphone's echo cancellation leaves out what WebAudio plays. In mode auto, an
   * element plays then, on the browser's own path.
   * @param {boolean} echoes
   */
  setEchoes(echoes) {
    this.#echoes = echoes;
    this.#look();
    if (this.#mustNotEcho) this.#closeGraph();
    else this.#openGraph();
  }

  /** @param {boolean} silent */
  setSilent(silent) {
    this.#graph.setSilent(silent);
  }

  /**
   * @param {string} deviceId
   * @throws {DOMException} There is no such output, or it may not be used.
   */
  setOutput(deviceId) {
    return this.#graph.setOutput(deviceId);
  }

  /** Play what the browser held back; call it from a click. */
  resume() {
    return this.#graph.resume();
  }

  /**
   * @param {PlayoutMode} mode
   * @returns {boolean} Whether this takes a new connection: one that was made in mode `browser`
   *   does not give its frames away.
   */
  setMode(mode) {
    this.#mode = mode;
    for (const track of this.#tracks) track.setMode(mode);
    if (mode === 'browser') return false;
    this.setEchoes(this.#echoes);
    return this.#source.isSupported && this.#tracks.some(({ attached }) => attached === false);
  }

  get #mustNotEcho() {
    return this.#echoes && this.mode === 'auto';
  }

  #newTrack() {
    return new TrackPlayout(this.#platform, this.#graph, this.#source, this.#mode);
  }

  /** @param {MediaStreamTrack} track */
  #trackOf(track) {
    return this.#tracks.find((one) => one.track === track);
  }

  /**
   * @param {TrackPlayout} track
   * @returns {PlayoutState}
   */
  #figuresOf({ path, reason, toEarMs, stats }) {
    const tapMs = path === 'browser' ? TAP_MS : 0;
    const outputMs = this.#carries ? this.#graph.latencyMs + tapMs : null;
    return { mode: this.mode, path, reason, toEarMs, outputMs, stats };
  }

  #openGraph() {
    const wanted = this.#started && !this.#byElement && this.mode !== 'browser';
    if (wanted && !this.#mustNotEcho && this.#source.isSupported) this.#graph.open();
  }

  #closeGraph() {
    for (const track of this.#tracks) track.close();
    this.#graph.close();
    this.#graphChanged();
  }

  /**
   * @param {TrackPlayout} track
   * @returns {import('./playout/path_switch.js').Obstacle | null}
   */
  #obstacleOf({ attached }) {
    if (!this.#started || attached === null) return 'idle';
    if (this.#byElement) return 'element';
    if (!this.#source.isSupported || !attached) return 'unsupported';
    if (this.#mustNotEcho) return 'echo';
    if (this.#graph.isRunning) return null;
    return this.#graph.isBlocked ? 'blocked' : 'idle';
  }

  #look() {
    for (const track of this.#tracks) track.setObstacle(this.#obstacleOf(track));
  }

  #graphChanged() {
    this.#look();
    const carries = this.#graph.isRunning;
    if (carries === this.#carries) return;
    this.#carries = carries;
    this.emit('carry', {});
  }
}
