/**
 * A control surface at the desk: which of its controls moves what on the screen, learned by moving
 * one after the other. Knows neither page nor storage.
 *
 * Rules: a fader takes over where it meets the one on the screen (`pick_up.js`). What moves on the
 * screen is told to the device, for motors and lamps, but not while the hand is on its control.
 */

import { PickUp, isSamePlace } from './pick_up.js';
import { MidiReader, encode, modeOf, notchesOf } from './wire.js';

/**
 * @typedef {object} Hands What can be moved. A target is `fader/3`, `pan/3`, `mute/3` or `solo/3`: of
 *   the third strip in the row.
 * @property {(target: string) => number | null} read Position, 0 to 1; null: nobody is there.
 * @property {(target: string, position: number) => void} move
 * @property {(target: string) => void} press
 */

/**
 * @typedef {object} Binding
 * @property {string} device By its name.
 * @property {string} control
 * @property {string} target
 * @property {import('./wire.js').Mode} mode
 * @property {boolean} fine
 */

/**
 * @typedef {object} SurfaceOptions
 * @property {Hands} hands
 * @property {readonly Binding[]} [bindings]
 * @property {() => void} changed Something about devices, bindings or learning is different.
 * @property {() => number} [now] Milliseconds.
 * @property {(callback: () => void, ms: number) => unknown} [setTimer]
 */

/** @typedef {{ device: string, control: string, raws: number[], fine: boolean }} Moved */

/** So long after its last word a control is in the hand, and the screen may be about to follow. */
const HELD_MS = 400;
const NOTCH = 1 / 100;
const MOST_RAWS = 32;
/** Less is no news to a motor of seven bits. */
const NEWS = 1 / 254;

export class Surface {
  /** @param {SurfaceOptions} options */
  constructor({ hands, bindings = [], changed, now = () => performance.now(), setTimer }) {
    this.#hands = hands;
    this.#bindings = [...bindings];
    this.#changed = changed;
    this.#now = now;
    this.#setTimer = setTimer ?? ((callback, ms) => globalThis.setTimeout(callback, ms));
  }

  #hands;
  #changed;
  #now;
  #setTimer;
  /** @type {Binding[]} */
  #bindings;
  /** @type {MIDIAccess | null} */
  #access = null;
  /** @type {Map<string, Control>} By device and control. */
  #controls = new Map();
  #isDue = false;
  /** Waiting for a pair to be moved. */
  isLearning = false;
  /** @type {Moved | null} What was moved on the device while learning. */
  moved = null;

  get bindings() {
    return /** @type {readonly Binding[]} */ (this.#bindings);
  }

  /** Names of what is plugged in. */
  get devices() {
    const names = [...(this.#access?.inputs.values() ?? [])]
      .filter(({ state }) => state === 'connected')
      .map(nameOf);
    return [...new Set(names)];
  }

  /** @param {MIDIAccess} access */
  connect(access) {
    this.#access = access;
    access.onstatechange = () => {
      this.#listen();
      this.#changed();
    };
    this.#listen();
    this.show();
  }

  /** @param {boolean} isLearning */
  learn(isLearning) {
    this.isLearning = isLearning;
    this.moved = null;
    this.#changed();
  }

  /** Something was moved on the screen: while learning, what was moved on the device is bound to it. */
  offer(/** @type {string} */ target) {
    if (!this.isLearning || !this.moved) return;
    const { device, control, raws, fine } = this.moved;
    this.#bindings = this.#bindings.filter(
      (one) => one.target !== target && !(one.device === device && one.control === control),
    );
    const mode = control.startsWith('cc/') && !fine ? modeOf(raws) : 'absolute';
    this.#bindings.push({ device, control, target, mode, fine });
    this.#controls.delete(keyOf(device, control));
    this.moved = null;
    this.#changed();
    this.show();
  }

  /** @param {string} target */
  forget(target) {
    this.#bindings = this.#bindings.filter((one) => one.target !== target);
    this.#changed();
  }

  /** Bring motors and lamps to where the screen is. */
  show() {
    let waits = false;
    for (const { device, control: name, target, mode, fine } of this.#bindings) {
      const position = this.#hands.read(target);
      if (position === null || mode !== 'absolute') continue;
      const control = this.#controlOf(device, name);
      if (this.#now() - control.movedAt < HELD_MS) {
        waits = true;
        continue;
      }
      if (!isSamePlace(position, control.place)) control.pickUp.letGo();
      control.place = position;
      if (Math.abs(position - control.told) < NEWS) continue;
      control.told = position;
      this.#tell(device, encode(name, position, fine));
    }
    if (waits) this.#showLater();
  }

  #listen() {
    for (const input of this.#access?.inputs.values() ?? []) {
      if (input.onmidimessage) continue;
      const reader = new MidiReader();
      input.onmidimessage = ({ data }) => {
        const gesture = data && reader.read(data);
        if (gesture) this.#handle(nameOf(input), gesture);
      };
    }
  }

  /** @param {string} device @param {import('./wire.js').Gesture} gesture */
  #handle(device, gesture) {
    if (this.isLearning) this.#note(device, gesture);
    const binding = this.#bindings.find(
      (one) => one.device === device && one.control === gesture.control,
    );
    if (!binding) return;
    const control = this.#controlOf(device, gesture.control);
    const wasDown = control.isDown;
    control.isDown = gesture.position >= 0.5;
    if (isKey(binding.target)) {
      if (control.isDown && !wasDown) this.#hands.press(binding.target);
      return;
    }
    const current = this.#placeOf(control, binding.target);
    if (current === null) return;
    const wanted =
      binding.mode === 'absolute'
        ? gesture.position
        : current + NOTCH * notchesOf(gesture.raw ?? 64, binding.mode);
    if (binding.mode === 'absolute' && !control.pickUp.take(wanted, current)) return;
    control.place = Math.min(1, Math.max(0, wanted));
    control.told = control.place; // there the device is itself
    control.movedAt = this.#now();
    this.#hands.move(binding.target, control.place);
  }

  /** Where the screen's is: the hand knows better than a screen that is about to follow. */
  #placeOf(/** @type {Control} */ control, /** @type {string} */ target) {
    if (this.#now() - control.movedAt < HELD_MS) return control.place;
    const position = this.#hands.read(target);
    if (position !== null && !isSamePlace(position, control.place)) control.pickUp.letGo();
    return position;
  }

  /** @param {string} device @param {import('./wire.js').Gesture} gesture */
  #note(device, { control, raw, fine }) {
    const isSame = this.moved?.device === device && this.moved.control === control;
    const before = isSame ? this.moved : null;
    const raws = [...(before?.raws ?? []), ...(raw === null ? [] : [raw])].slice(-MOST_RAWS);
    this.moved = { device, control, raws, fine: fine || before?.fine === true };
    if (!isSame) this.#changed();
  }

  #showLater() {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#setTimer(() => {
      this.#isDue = false;
      this.show();
    }, HELD_MS);
  }

  /** @param {string} device @param {number[][]} messages */
  #tell(device, messages) {
    for (const output of this.#access?.outputs.values() ?? []) {
      if (nameOf(output) !== device || output.state !== 'connected') continue;
      for (const message of messages) output.send(message);
    }
  }

  /** @param {string} device @param {string} name */
  #controlOf(device, name) {
    const key = keyOf(device, name);
    const control = this.#controls.get(key) ?? new Control();
    this.#controls.set(key, control);
    return control;
  }
}

/** What is known of one control of a device. */
class Control {
  pickUp = new PickUp();
  isDown = false;
  /** Where it and the screen were last in the same place. */
  place = NaN;
  told = NaN;
  movedAt = -Infinity;
}

/** @param {string} device @param {string} control */
const keyOf = (device, control) => `${device}/${control}`;

/** @param {{ name: string | null }} port */
const nameOf = ({ name }) => name ?? 'Control surface';

/** @param {string} target */
const isKey = (target) => target.startsWith('mute/') || target.startsWith('solo/');
