/**
 * One track's two ways to the ear, and the switch between them: carries out what path_switch.js
 * decides on our own path and on the track's place in the sound graph.
 */

import { Emitter } from './emitter.js';
import { GraphTrack } from './graph_track.js';
import { LowLatencyPath } from './playout/low_latency_path.js';
import { PathSwitch } from './playout/path_switch.js';
import { MachineTimer } from './timer.js';

/**
 * @typedef {import('./playout/path_switch.js').Obstacle} Obstacle
 * @typedef {import('./playout/path_switch.js').PlayoutMode} PlayoutMode
 * @typedef {import('./playout/path_switch.js').PlayoutPath} PlayoutPath
 * @typedef {import('./playout/path_switch.js').PlayoutReason} PlayoutReason
 * @typedef {import('./playout/low_latency_path.js').PathPlatform & import('./timer.js').Clock}
 *   TrackPlatform
 */

const FADE_MS = 25;
/** After a fade, until what was faded out may end. */
const FADED_MS = 100;

/** @extends {Emitter<{ change: { path: PlayoutPath, reason: PlayoutReason } }>} */
export class TrackPlayout extends Emitter {
  /**
   * @param {TrackPlatform} platform
   * @param {import('./sound_graph.js').SoundGraph} graph
   * @param {import('./playout/frame_source.js').FrameSource} source
   * @param {PlayoutMode} [mode]
   */
  constructor(platform, graph, source, mode) {
    super();
    this.#platform = platform;
    this.#graph = graph;
    this.#switch = new PathSwitch(mode);
    this.#toldReason = this.#switch.reason;
    this.#timer = new MachineTimer(
      platform,
      () => this.#switch.pollTimeout(),
      (now) => this.#carryOut(this.#switch.handleTimer(now)),
    );
    this.#own = new LowLatencyPath(platform, source);
    this.#own.on('stats', ({ stats }) => this.#carryOut(this.#switch.report(stats, this.#now)));
    this.#own.on('failed', ({ reason }) => this.#carryOut(this.#switch.fail(reason, this.#now)));
    graph.add(this.#place);
  }

  #platform;
  #graph;
  #switch;
  #timer;
  #own;
  #place = new GraphTrack();
  /** @type {boolean | null} Null: there is no connection. */
  #attached = null;
  /** @type {MediaStreamTrack | null} */
  #track = null;
  /** @type {PlayoutPath} */
  #told = 'browser';
  /** @type {PlayoutReason} */
  #toldReason;

  get path() {
    return this.#switch.path;
  }

  get reason() {
    return this.#switch.reason;
  }

  /** Whether its frames can be taken; null: there is no connection. */
  get attached() {
    return this.#attached;
  }

  /** The remote track, once it is known. */
  get track() {
    return this.#track;
  }

  /** Figures of our own path; null while it is closed. */
  get stats() {
    return this.#own.stats;
  }

  /** From a frame's arrival to the device, as measured on our own path. */
  get toEarMs() {
    return this.path === 'low-latency' ? this.#own.delayToEarMs : null;
  }

  /**
   * A connection was made.
   * @param {RTCRtpReceiver} receiver In the turn of the loop in which it was made.
   * @param {MediaStreamTrack} track What it brings.
   * @param {boolean} takeFrames Whether our own path may be wanted.
   */
  attach(receiver, track, takeFrames) {
    this.#track = track;
    this.#attached = takeFrames && this.#own.attach(receiver);
  }

  /** The connection is closed. */
  detach() {
    this.#own.detach();
    this.#attached = null;
  }

  /** @param {MediaStreamTrack} track As the browser plays it. */
  setTrack(track) {
    this.#track = track;
    this.#place.setTrack(track);
  }

  /** @param {{ gain: number, pan: number }} mix */
  setMix(mix) {
    this.#place.setMix(mix);
  }

  /** @param {PlayoutMode} mode */
  setMode(mode) {
    this.#carryOut(this.#switch.setMode(mode, this.#now));
  }

  /** @param {Obstacle | null} obstacle What keeps it from our own path; null: nothing. */
  setObstacle(obstacle) {
    this.#carryOut(this.#switch.setObstacle(obstacle, this.#now));
  }

  /** The graph is about to close. */
  close() {
    this.#own.close();
  }

  /** The track is gone for good. */
  remove() {
    this.setObstacle('idle');
    this.detach();
    this.#own.close();
    this.#graph.remove(this.#place);
  }

  get #now() {
    return this.#platform.now();
  }

  /** @param {import('./playout/path_switch.js').SwitchEffect[]} effects */
  #carryOut(effects) {
    const { context } = this.#graph;
    const { input } = this.#place;
    for (const effect of effects) {
      if (effect === 'open' && context && input) void this.#own.open(context, input);
      if (effect === 'fade') this.#fade();
      if (effect === 'close') this.#own.close(effects.includes('fade') ? FADED_MS : 0);
    }
    this.#timer.arm();
    this.#tell();
  }

  #fade() {
    const own = this.path === 'low-latency' ? 1 : 0;
    const atTime = this.#place.fadeTap(1 - own, FADE_MS);
    this.#own.fade(own, FADE_MS, atTime);
  }

  #tell() {
    const { path, reason } = this;
    if (path === this.#told && reason === this.#toldReason) return;
    this.#told = path;
    this.#toldReason = reason;
    this.emit('change', { path, reason });
  }
}
