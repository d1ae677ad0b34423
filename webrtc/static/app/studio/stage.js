import { icon, make, setText } from '../dom.js';
import { scaleOf } from './settings.js';
import { STAGES, isOn, resting, switched } from './stages.js';

/**
 * @typedef {import('./settings.js').Values} Values
 * @typedef {import('./stages.js').StageName} StageName
 * @typedef {import('../desk/ag_knob.js').AgKnob} AgKnob
 * @typedef {import('../../client/desk.js').StripMeters} StripMeters
 */

/**
 * What the server sees of a strip at a moment.
 * @typedef {StripMeters & { levelInDb: number }} Reading `levelInDb`: peak at the gate's door.
 */

/**
 * One stage of a strip: a plate with a title, a switch, knobs, and what the stage does to the sound.
 * Shows what it is told and fires `stripchange` with `detail.change`.
 */
export class StageElement extends HTMLElement {
  /** @type {Values} */
  values = {};
  isAllowed = true;
  /** @type {Map<string, AgKnob>} */
  #knobs = new Map();
  /** @type {Map<string, HTMLInputElement>} */
  #switches = new Map();
  /** @type {HTMLButtonElement | null} */
  #power = null;
  /** @type {HTMLButtonElement | null} */
  #reset = null;

  /** What is printed on the plate. */
  get heading() {
    return '';
  }

  /** Whose bypass the switch is; null: it cannot be passed by. @returns {StageName | null} */
  get stage() {
    return null;
  }

  /** Wire names that Reset sets back. @returns {readonly string[]} */
  get settings() {
    return this.stage ? STAGES[this.stage].settings : [];
  }

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const id = `${this.localName}-title`;
    this.setAttribute('role', 'group');
    this.setAttribute('aria-labelledby', id);
    this.classList.add('stage');
    const head = make('div', { class: 'stage-head' });
    const title = make('h3', { class: 'stage-title', text: this.heading, attributes: { id } });
    if (this.stage) head.append((this.#power = this.#makePower()));
    head.append(title, make('div', { class: 'stage-figures' }, this.figures()));
    head.append((this.#reset = this.#makeReset()));
    this.append(head, ...this.body());
    this.show(this.values);
    this.allow(this.isAllowed);
  }

  /** What stands in the head beside the title. @returns {(Node | string)[]} */
  figures() {
    return [];
  }

  /** What stands below the head. @returns {(Node | string)[]} */
  body() {
    return [];
  }

  /** @param {Values} values All settings of the strip. */
  show(values) {
    this.values = values;
    for (const [name, knob] of this.#knobs) if (name in values) knob.value = values[name];
    for (const [name, input] of this.#switches) input.checked = Boolean(values[name]);
    if (!this.stage) return;
    const on = 'preset' in values && isOn(this.stage, values);
    this.classList.toggle('off', !on);
    this.#power?.setAttribute('aria-checked', String(on));
  }

  /** @param {boolean} allowed Whether the user may change anything. */
  allow(allowed) {
    this.isAllowed = allowed;
    for (const knob of this.#knobs.values()) knob.disabled = !allowed;
    for (const input of this.#switches.values()) input.disabled = !allowed;
    if (this.#power) this.#power.disabled = !allowed;
    if (this.#reset) this.#reset.disabled = !allowed;
  }

  /** @param {Reading | null} _reading What the strip does just now; null: nothing sounds. */
  hear(_reading) {}

  /** @param {Values} change */
  change(change) {
    this.dispatchEvent(new CustomEvent('stripchange', { bubbles: true, detail: { change } }));
  }

  /**
   * @param {string} name Wire name.
   * @param {string} caption
   * @param {string} [label] For screen readers; default: heading and caption.
   * @returns {AgKnob}
   */
  knob(name, caption, label = `${this.heading}, ${caption.toLowerCase()}`) {
    const knob = /** @type {AgKnob} */ (document.createElement('ag-knob'));
    knob.scale = scaleOf(name);
    knob.caption = caption;
    knob.label = label;
    knob.addEventListener('input', (event) => {
      event.stopPropagation();
      this.change({ [name]: knob.value });
    });
    this.#knobs.set(name, knob);
    return knob;
  }

  /**
   * @param {[name: string, caption: string][]} wanted
   * @returns {HTMLElement}
   */
  knobs(wanted) {
    return make('div', { class: 'knobs' }, wanted.map(([name, caption]) => this.knob(name, caption)));
  }

  /**
   * @param {string} name Wire name of a setting that is on or off.
   * @param {string} text
   * @param {Record<string, string>} [attributes] Of the label.
   * @returns {HTMLElement}
   */
  toggle(name, text, attributes = {}) {
    const input = make('input', { attributes: { type: 'checkbox', role: 'switch' } });
    input.addEventListener('change', () => this.change({ [name]: input.checked }));
    this.#switches.set(name, input);
    return make('label', { class: 'switch', attributes }, [
      input,
      make('span', { class: 'switch-text', text }),
    ]);
  }

  #makePower() {
    const power = make('button', {
      class: 'stage-power',
      attributes: { type: 'button', role: 'switch', 'aria-label': this.heading },
    });
    power.append(make('span', { class: 'stage-lamp' }));
    power.addEventListener('click', () => {
      if (this.stage) this.change(switched(this.stage, this.values));
    });
    return power;
  }

  #makeReset() {
    const label = `Reset ${this.heading.toLowerCase()}`;
    const reset = make('button', {
      class: 'stage-reset',
      attributes: { type: 'button', 'aria-label': label, title: label },
    });
    reset.append(icon('reset'));
    reset.addEventListener('click', () => this.change(resting(this.settings)));
    return reset;
  }
}

/** Figures that change more often cannot be read. */
const READABLE_MS = 150;
/** So long the highest value stands. */
const HELD_MS = 1500;

/**
 * A figure with a word before it, such as `True peak −3.2 dBTP`.
 * @param {string} label
 * @param {string} unit
 * @param {{ holds?: boolean }} [options] Whether the highest value stands for a moment.
 */
export function readout(label, unit, { holds = false } = {}) {
  let shownAt = -Infinity;
  /** @type {{ value: number, at: number } | null} */
  let held = null;
  const figure = make('b', { class: 'figure', text: '–' });
  const element = make('span', { class: 'readout' }, [
    make('span', { class: 'label', text: label }),
    figure,
    make('span', { class: 'unit', text: unit }),
  ]);
  return {
    element,
    /** @param {number | null} value Null, or next to silence: a dash. */
    show(value) {
      const now = performance.now();
      if (value === null) held = null;
      else if (!held || !holds || value >= held.value || now - held.at > HELD_MS) {
        held = { value, at: now };
      }
      if (value !== null && now - shownAt < READABLE_MS) return;
      shownAt = now;
      write(held?.value ?? null);
    },
  };

  /** @param {number | null} value */
  function write(value) {
    const text = value === null || value <= -100 ? '–' : value.toFixed(1).replace('-', '−');
    setText(figure, text === '−0.0' ? '0.0' : text);
  }
}
