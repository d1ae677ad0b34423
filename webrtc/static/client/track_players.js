/**
 * Plays the tracks of a room that forwards: one for each person who is heard, with my own volume,
 * pan and mute for whoever is on it.
 *
 * Each track has an element, because Chromium hands a remote track on only while an element plays
 * it. While there is a sound graph, the element is silent and the track goes through it:
 *
 *   track ── gain ── pan ── the graph's output
 *
 * Without one the element is heard: it knows no pan, and nothing louder than it came.
 */

import { UNITY } from './roster.js';

/**
 * @typedef {import('./roster.js').ListenerMix} ListenerMix
 *
 * @typedef {object} Player
 * @property {MediaStreamTrack} track
 * @property {HTMLAudioElement | null} element Null while nothing is played.
 * @property {{ source: AudioNode, gain: GainNode, pan: StereoPannerNode } | null} nodes
 */

/** So long a changed volume takes. */
const RAMP_S = 0.02;

export class TrackPlayers {
  /** @param {() => HTMLAudioElement} createElement */
  constructor(createElement) {
    this.#createElement = createElement;
  }

  #createElement;
  /** @type {Map<string, Player>} By the `mid` of the track's transceiver. */
  #players = new Map();
  /** @type {Map<string, string | null>} Who is on a track, by its `mid`. */
  #people = new Map();
  /** @type {Map<string, ListenerMix>} By participant. */
  #mixes = new Map();
  /** @type {AudioNode | null} */
  #output = null;
  #started = false;
  #silent = false;
  #sinkId = '';

  /** @type {readonly { mid: string, track: MediaStreamTrack, participantId: string | null }[]} */
  get all() {
    return [...this.#players].map(([mid, { track }]) => {
      return { mid, track, participantId: this.#people.get(mid) ?? null };
    });
  }

  /**
   * @param {string} mid
   * @param {MediaStreamTrack} track
   */
  put(mid, track) {
    if (this.#players.get(mid)?.track === track) return;
    this.#stop(mid);
    this.#players.set(mid, { track, element: null, nodes: null });
    this.#play(mid);
  }

  /** @param {readonly { mid: string, participantId: string | null }[]} tracks All of them. */
  assign(tracks) {
    this.#people = new Map(tracks.map(({ mid, participantId }) => [mid, participantId]));
    for (const mid of this.#players.keys()) this.#setLevel(mid);
  }

  /**
   * @param {string} participantId
   * @param {ListenerMix} mix
   */
  setMix(participantId, mix) {
    if (this.#mixes.get(participantId) === mix) return;
    this.#mixes.set(participantId, mix);
    for (const mid of this.#players.keys()) this.#setLevel(mid); // a solo is about all of them
  }

  /** The connection is closed: its tracks are gone. */
  clear() {
    for (const mid of this.#players.keys()) this.#stop(mid);
    this.#players.clear();
    this.#people.clear();
  }

  start() {
    this.#started = true;
    for (const mid of this.#players.keys()) this.#play(mid);
  }

  stop() {
    this.#started = false;
    for (const mid of this.#players.keys()) this.#stop(mid);
  }

  /** @param {AudioNode | null} output Where the tracks go; null: the elements are heard. */
  setOutput(output) {
    if (output === this.#output) return;
    this.#output = output;
    for (const mid of this.#players.keys()) {
      this.#disconnect(mid);
      this.#connect(mid);
    }
  }

  /** @param {boolean} silent */
  setSilent(silent) {
    this.#silent = silent;
    for (const mid of this.#players.keys()) this.#setLevel(mid);
  }

  /**
   * @param {string} deviceId For elements that are heard.
   * @throws {DOMException} There is no such output, or it may not be used.
   */
  async setSink(deviceId) {
    this.#sinkId = deviceId;
    await Promise.all([...this.#players.values()].map(({ element }) => element?.setSinkId(deviceId)));
  }

  /** Play what the browser held back; call it from a click. */
  async resume() {
    const playing = [...this.#players.values()].map(({ element }) => element?.play());
    await Promise.allSettled(playing);
  }

  /** @param {string} mid */
  #play(mid) {
    const player = this.#players.get(mid);
    if (!this.#started || !player || player.element) return;
    const element = this.#createElement();
    player.element = element;
    element.autoplay = true;
    element.srcObject = new MediaStream([player.track]);
    if (this.#sinkId !== '') void element.setSinkId(this.#sinkId).catch(() => {});
    this.#connect(mid);
    // A refusal is that of the mix's element as well, which says so.
    element.play().catch(() => {});
  }

  /** @param {string} mid */
  #connect(mid) {
    const player = this.#players.get(mid);
    const output = this.#output;
    if (player?.element && output) {
      const context = /** @type {AudioContext} */ (output.context);
      const source = context.createMediaStreamSource(new MediaStream([player.track]));
      const gain = context.createGain();
      const pan = context.createStereoPanner();
      source.connect(gain).connect(pan).connect(output);
      player.nodes = { source, gain, pan };
    }
    this.#setLevel(mid);
  }

  /** @param {string} mid */
  #disconnect(mid) {
    const player = this.#players.get(mid);
    if (!player?.nodes) return;
    player.nodes.source.disconnect();
    player.nodes.pan.disconnect();
    player.nodes = null;
  }

  /** @param {string} mid */
  #stop(mid) {
    const player = this.#players.get(mid);
    if (!player) return;
    this.#disconnect(mid);
    player.element?.pause();
    if (player.element) player.element.srcObject = null;
    player.element = null;
  }

  /** Whether I want to hear somebody alone who is on a track. */
  get #isSoloing() {
    return [...this.#people.values()].some((one) => one !== null && this.#mixes.get(one)?.solo);
  }

  /** @param {string} mid */
  #setLevel(mid) {
    const player = this.#players.get(mid);
    if (!player?.element) return;
    const { element, nodes } = player;
    const mix = this.#mixes.get(this.#people.get(mid) ?? '') ?? UNITY;
    const unheard = this.#isSoloing ? !mix.solo : mix.muted;
    const level = this.#silent || unheard ? 0 : decibels(mix.gainDb);
    element.muted = level === 0 && !nodes;
    element.volume = nodes ? 0 : Math.min(1, level);
    if (!nodes) return;
    const { currentTime } = nodes.gain.context;
    nodes.gain.gain.setTargetAtTime(level, currentTime, RAMP_S / 3);
    nodes.pan.pan.setTargetAtTime(mix.pan, currentTime, RAMP_S / 3);
  }
}

/** @param {number} gainDb −60 and below is silence. */
const decibels = (gainDb) => (gainDb <= -60 ? 0 : 10 ** (gainDb / 20));
