/**
 * Plays the tracks of a room that forwards: one for each person who is heard, with my own volume,
 * pan and mute for whoever is on it.
 *
 * Each track has an element, because Chromium hands a remote track on only while an element plays
 * it. While there is a sound graph (playout_paths.js), the element is silent and the track goes
 * through it, on whichever path. Without one the element is heard: it knows no pan, and nothing louder
 * than it came.
 */

import { UNITY } from './roster.js';

/**
 * @typedef {import('./roster.js').ListenerMix} ListenerMix
 *
 * @typedef {object} Player
 * @property {MediaStreamTrack} track
 * @property {HTMLAudioElement | null} element Null while nothing is played.
 *
 * @typedef {Pick<import('./playout_paths.js').PlayoutPaths,
 *   'attach' | 'remove' | 'setTrack' | 'setTrackMix' | 'pathOf'>} Graph
 */

export class TrackPlayers {
  /**
   * @param {() => HTMLAudioElement} createElement
   * @param {Graph} graph
   */
  constructor(createElement, graph) {
    this.#createElement = createElement;
    this.#graph = graph;
  }

  #createElement;
  #graph;
  /** @type {Map<string, Player>} By the `mid` of the track's transceiver. */
  #players = new Map();
  /** @type {Map<string, string | null>} Who is on a track, by its `mid`. */
  #people = new Map();
  /** @type {Map<string, ListenerMix>} By participant. */
  #mixes = new Map();
  /** Whether the graph plays them, so that the elements must not. */
  #carried = false;
  #started = false;
  #silent = false;
  #sinkId = '';

  /**
   * `path`: which way it takes to the ear.
   * @type {readonly { mid: string, track: MediaStreamTrack, participantId: string | null,
   *   path: import('./playout_paths.js').PlayoutPath }[]}
   */
  get all() {
    return [...this.#players].map(([mid, { track }]) => {
      const participantId = this.#people.get(mid) ?? null;
      return { mid, track, participantId, path: this.#graph.pathOf(track) };
    });
  }

  /**
   * @param {string} mid
   * @param {MediaStreamTrack} track
   * @param {RTCRtpReceiver} receiver In the turn of the loop in which it was made.
   */
  put(mid, track, receiver) {
    const former = this.#players.get(mid)?.track;
    if (former === track) return;
    this.#stop(mid);
    if (former) this.#graph.remove(former);
    this.#players.set(mid, { track, element: null });
    this.#graph.attach(receiver, track);
    this.#graph.setTrack(track);
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

  /** @param {boolean} carried Whether the graph plays them; else the elements are heard. */
  setCarried(carried) {
    this.#carried = carried;
    for (const mid of this.#players.keys()) this.#setLevel(mid);
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
    this.#setLevel(mid);
    // A refusal is that of the mix's element as well, which says so.
    element.play().catch(() => {});
  }

  /** @param {string} mid */
  #stop(mid) {
    const player = this.#players.get(mid);
    if (!player) return;
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
    const { element, track } = player;
    const carried = this.#carried;
    const mix = this.#mixes.get(this.#people.get(mid) ?? '') ?? UNITY;
    const unheard = this.#isSoloing ? !mix.solo : mix.muted;
    const level = this.#silent || unheard ? 0 : decibels(mix.gainDb);
    element.muted = level === 0 && !carried;
    element.volume = carried ? 0 : Math.min(1, level);
    this.#graph.setTrackMix(track, { gain: level, pan: mix.pan });
  }
}

/** @param {number} gainDb −60 and below is silence. */
const decibels = (gainDb) => (gainDb <= -60 ? 0 : 10 ** (gainDb / 20));
