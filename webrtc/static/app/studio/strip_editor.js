/**
 * One strip while somebody works on it: what the server says of it, what the hand has changed since,
 * and how to take changes back. Knows neither page nor connection.
 *
 * Rules: what is shown is what the server confirmed, with what is under way laid over it. One request
 * is under way at a time, and the next starts no sooner than 40 ms after it; what changes meanwhile
 * goes together in one. A refusal takes back what it was about. Changes of the same settings that
 * follow each other within a second are one step of undo.
 */

import { BYPASSES } from './stages.js';
import { PLACE, PRESETS } from './settings.js';

/** @typedef {import('./settings.js').Values} Values */

/**
 * @typedef {object} EditorOptions
 * @property {(change: Values) => Promise<Values>} send Resolves with all settings.
 * @property {(values: Values) => void} show Called whenever something looks different.
 * @property {(error: unknown) => void} refused
 * @property {() => number} [now] Milliseconds.
 * @property {(callback: () => void, ms: number) => unknown} [setTimer]
 */

/** @typedef {{ before: Values, names: readonly string[], at: number }} Step */

const SPACE_MS = 40;
const ONE_GESTURE_MS = 1000;
const MOST_STEPS = 50;

/** What follows from others, or is no part of the sound. */
const NOT_SOUND = new Set([
  ...['preset', 'genre', 'profile', 'denoise', 'autoLevel', 'autoLevelTarget'],
  ...PLACE,
]);

export class StripEditor {
  /** @param {EditorOptions} options */
  constructor({ send, show, refused, now = () => performance.now(), setTimer }) {
    this.#send = send;
    this.#show = show;
    this.#refused = refused;
    this.#now = now;
    this.#setTimer = setTimer ?? ((callback, ms) => globalThis.setTimeout(callback, ms));
  }

  #send;
  #show;
  #refused;
  #now;
  #setTimer;
  /** @type {Values} */
  #confirmed = {};
  /** @type {Values | null} */
  #sent = null;
  /** @type {Values} */
  #waiting = {};
  #spaced = true;
  /** @type {Step[]} */
  #done = [];
  /** @type {Step[]} */
  #undone = [];

  /** All settings as they are shown. @returns {Values} */
  get values() {
    return { ...this.#confirmed, ...this.#sent, ...this.#waiting };
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /**
   * The server says how the strip is, because somebody changed it or because we came.
   * @param {Values} settings
   */
  confirm(settings) {
    this.#confirmed = settings;
    this.#show(this.values);
  }

  /**
   * Change some settings; a preset goes before all others.
   * @param {Values} change
   */
  change(change) {
    // What a preset or a genre's profile changes is known to the server alone.
    const sets = 'preset' in change || 'genre' in change;
    const names = sets ? soundOf(this.values) : Object.keys(change);
    this.#remember(names);
    this.#undone = [];
    this.#put(change);
  }

  undo() {
    this.#stepBack(this.#done, this.#undone);
  }

  redo() {
    this.#stepBack(this.#undone, this.#done);
  }

  /** What makes the sound, to be given to another strip. @returns {Values} */
  copy() {
    const { values } = this;
    return pick(values, soundOf(values));
  }

  /** @param {readonly string[]} names */
  #remember(names) {
    const last = this.#done.at(-1);
    const at = this.#now();
    if (last && at - last.at < ONE_GESTURE_MS && isSame(last.names, names)) last.at = at;
    else this.#done.push({ before: this.values, names, at });
    if (this.#done.length > MOST_STEPS) this.#done.shift();
  }

  /** @param {Step[]} from @param {Step[]} to */
  #stepBack(from, to) {
    const step = from.pop();
    if (!step) return;
    to.push({ before: this.values, names: step.names, at: -Infinity });
    this.#put(wayBack(step, this.values));
  }

  /** @param {Values} change */
  #put(change) {
    if ('preset' in change) {
      // It sets all that waits anew, but for the place.
      this.#waiting = pick(this.#waiting, Object.keys(this.#waiting).filter(isNoSound));
    }
    this.#waiting = { ...this.#waiting, ...change };
    this.#show(this.values);
    void this.#flush();
  }

  async #flush() {
    if (this.#sent || !this.#spaced || Object.keys(this.#waiting).length === 0) return;
    const sent = this.#waiting;
    this.#sent = sent;
    this.#waiting = {};
    this.#spaced = false;
    this.#setTimer(() => {
      this.#spaced = true;
      void this.#flush();
    }, SPACE_MS);
    try {
      this.#confirmed = await this.#send(sent);
    } catch (error) {
      this.#refused(error);
    }
    this.#sent = null;
    this.#show(this.values);
    void this.#flush();
  }
}

/**
 * What brings the settings of a step back. The preset's name comes back with them where all the rest
 * still is as it was then.
 * @param {Step} step
 * @param {Values} values As they are now.
 * @returns {Values}
 */
function wayBack({ before, names }, values) {
  const change = pick(before, names.filter((name) => name !== 'preset'));
  const rest = soundOf(values).filter((name) => !names.includes(name));
  const isWhole = rest.every((name) => values[name] === before[name]);
  if (!isWhole || !(before.preset in PRESETS)) return change;
  if (values.preset === before.preset) return change;
  return { ...pick(before, BYPASSES), ...change, preset: before.preset };
}

/** Names of what a preset sets, and the bypasses. @param {Values} values */
const soundOf = (values) => Object.keys(values).filter((name) => !NOT_SOUND.has(name));

/** @param {string} name */
const isNoSound = (name) => NOT_SOUND.has(name) && name !== 'preset';

/** @param {Values} values @param {readonly string[]} names @returns {Values} */
const pick = (values, names) =>
  Object.fromEntries(names.flatMap((name) => (name in values ? [[name, values[name]]] : [])));

/** @param {readonly string[]} a @param {readonly string[]} b */
const isSame = (a, b) => a.length === b.length && a.every((name, index) => name === b[index]);
