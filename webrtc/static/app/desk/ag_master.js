import { refs, setText } from '../dom.js';
import { eachFrame } from '../frame_loop.js';
import { formatDb, formatLufs } from '../format.js';
import { LoudnessHistory } from './loudness_history.js';
import { LoudnessTap } from './loudness_tap.js';
import { linearScale } from './scale.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('../../client/desk.js').RoomSettings} RoomSettings
 * @typedef {import('./ag_knob.js').AgKnob} AgKnob
 * @typedef {import('./ag_meter.js').AgMeter} AgMeter
 * @typedef {import('./meter_board.js').MeterBoard} MeterBoard
 */

const DUCKING = {
  ...linearScale({ min: 0, max: 40, step: 1, page: 6, unit: 'dB', unitWord: 'decibels' }),
  format: (/** @type {number} */ db) => (db === 0 ? 'off' : `${db.toFixed(0)} dB`),
  words: (/** @type {number} */ db) => (db === 0 ? 'off' : `${db.toFixed(0)} decibels`),
  parse: (/** @type {string} */ text) =>
    /^off$/i.test(text.trim()) ? 0 : linearScale({ min: 0, max: 40, unit: 'dB' }).parse(text),
};
const TARGET = linearScale({ min: -36, max: -10, initial: -18, step: 1, page: 3, unit: 'LUFS' });
const DEFAULT_TARGET_LUFS = -18;
const FIGURES_EVERY_MS = 200;

/**
 * The master strip: how loud is what I hear, and what moves by itself in the room. Everybody sees
 * it, who runs the desk changes it. Fires `trouble`.
 */
export class AgMaster extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {BaseClient | null} */
  #client = null;
  /** @type {MeterBoard | null} */
  #board = null;
  /** @type {LoudnessTap | null} */
  #tap = null;
  /** @type {LoudnessHistory | null} */
  #history = null;
  /** @type {(() => void) | null} */
  #stopFrames = null;
  #sinceMs = 0;

  connectedCallback() {
    this.#refs = refs(this);
    this.#history = new LoudnessHistory(/** @type {HTMLCanvasElement} */ (this.#ref('history')));
    this.#ducking.scale = DUCKING;
    this.#ducking.caption = 'Ducking';
    this.#ducking.label = 'Ducking of music under speech';
    this.#target.scale = TARGET;
    this.#target.caption = 'Target';
    this.#target.label = 'Target loudness of the room’s mix';
    this.#ducking.addEventListener('input', () => this.#change({ duckingDb: this.#ducking.value }));
    this.#target.addEventListener('input', () => this.#change({ targetLufs: this.#target.value }));
    this.#ref('automix').addEventListener('click', () =>
      this.#change({ automix: !this.#settings?.automix }),
    );
    this.#ref('follow').addEventListener('click', () => {
      const off = this.#settings?.targetLufs === null;
      this.#change({ targetLufs: off ? DEFAULT_TARGET_LUFS : null });
    });
    this.#ref('reset').addEventListener('click', () => this.#tap?.loudness.reset());
  }

  /**
   * @param {BaseClient} client
   * @param {MeterBoard} board
   */
  attach(client, board) {
    this.#client = client;
    this.#board = board;
    const tap = new LoudnessTap(client.playback);
    this.#tap = tap;
    /** @type {AgMeter} */ (this.#ref('meter')).read = () => tap.readings;
    client.desk.on('roomchange', () => this.#stay());
    client.on('rolechange', () => this.#show());
    client.on('statechange', () => this.#stay());
    this.#stay();
  }

  get #settings() {
    return this.#client?.desk.settings ?? null;
  }

  /** Measure as long as there is a room. */
  #stay() {
    if (this.#client?.room) {
      this.#stopFrames ??= eachFrame((elapsedMs) => this.#frame(elapsedMs));
      this.#show();
      return;
    }
    this.#stopFrames?.();
    this.#stopFrames = null;
    this.#tap?.stop();
    this.#tap?.loudness.reset();
    this.#history?.clear();
  }

  /** @param {number} elapsedMs */
  #frame(elapsedMs) {
    this.#sinceMs += elapsedMs;
    if (this.#sinceMs < FIGURES_EVERY_MS || !this.#tap) return;
    this.#sinceMs = 0;
    void this.#tap.follow();
    const { loudness, isMeasuring } = this.#tap;
    const figure = (/** @type {number} */ lufs) => (isMeasuring ? formatLufs(lufs) : '–');
    setText(this.#ref('momentary'), figure(loudness.momentary));
    setText(this.#ref('shortTerm'), figure(loudness.shortTerm));
    setText(this.#ref('integrated'), figure(loudness.integrated));
    const limiterDb = this.#board?.limiterDb ?? null;
    setText(this.#ref('limiter'), limiterDb === null ? '–' : formatDb(limiterDb));
    this.#ref('limiter').classList.toggle('works', (limiterDb ?? 0) < -0.05);
    this.#history?.put(isMeasuring ? loudness.momentary : -Infinity, this.#settings?.targetLufs ?? null);
  }

  #show() {
    const settings = this.#settings;
    if (!settings?.mode) return;
    const may = this.#client?.room?.rights.includes('run_desk') ?? false;
    const follows = settings.targetLufs !== null;
    this.#press('automix', settings.automix, may);
    this.#press('follow', follows, may);
    this.#ducking.value = settings.duckingDb;
    this.#ducking.disabled = !may;
    this.#target.value = settings.targetLufs ?? DEFAULT_TARGET_LUFS;
    this.#target.disabled = !may || !follows;
  }

  /** @param {string} ref @param {boolean} pressed @param {boolean} may */
  #press(ref, pressed, may) {
    const button = /** @type {HTMLButtonElement} */ (this.#ref(ref));
    button.setAttribute('aria-pressed', String(pressed));
    button.disabled = !may;
  }

  /** @type {Partial<RoomSettings>} What is to be sent next. */
  #next = {};
  #sending = false;

  /** One request under way; what comes meanwhile goes with the next. @param {Partial<RoomSettings>} change */
  async #change(change) {
    this.#next = { ...this.#next, ...change };
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (Object.keys(this.#next).length > 0) {
        const next = this.#next;
        this.#next = {};
        await this.#client?.desk.setRoom(next);
      }
    } catch (error) {
      this.#next = {};
      this.dispatchEvent(new CustomEvent('trouble', { bubbles: true, detail: { error } }));
    } finally {
      this.#sending = false;
    }
    this.#show();
  }

  get #ducking() {
    return /** @type {AgKnob} */ (this.#ref('ducking'));
  }

  get #target() {
    return /** @type {AgKnob} */ (this.#ref('target'));
  }

  /** @param {string} name */
  #ref(name) {
    return /** @type {HTMLElement} */ (this.#refs[name]);
  }
}
