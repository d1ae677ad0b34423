import { make, setText } from '../dom.js';
import { followHand } from './handle.js';
import { PAN, clamp } from './scale.js';

/** @typedef {import('./scale.js').Scale} Scale */

const SVG = 'http://www.w3.org/2000/svg';
/** The way goes from 7:30 to 4:30. */
const SWEEP_DEGREES = 270;
const RADIUS = 15;
/** From end to end, by hand. */
const TRAVEL_PX = 160;

/**
 * A knob: an arc from where the scale begins (or from its detent) to the value, and a field for the
 * number. Drag up and down, finely with Shift; a double click resets. `scale` is one of
 * desk/scale.js, `label` names it for screen readers, `caption` is what is printed above. Fires
 * `input` with `detail.value` on the way.
 */
export class AgKnob extends HTMLElement {
  /** @type {Scale} */
  #scale = PAN;
  #value = 0;
  #dial = make('div', { class: 'knob-dial', attributes: { role: 'slider', tabindex: '0' } });
  #arc = shape('path', 'knob-arc');
  #hand = shape('line', 'knob-hand');
  #caption = make('span', { class: 'label', attributes: { 'aria-hidden': 'true' } });
  #field = make('input', {
    class: 'input number',
    attributes: { type: 'text', size: '6', autocomplete: 'off', spellcheck: 'false' },
  });

  constructor() {
    super();
    followHand(this.#dial, {
      scale: () => this.#scale,
      value: () => this.#value,
      move: (value) => this.#move(value),
      travelPx: () => TRAVEL_PX,
      isDisabled: () => this.disabled,
    });
    this.#dial.addEventListener('keydown', (event) => this.#beginTyping(event));
    this.#field.addEventListener('input', (event) => event.stopPropagation());
    this.#field.addEventListener('change', () => this.#typed());
    this.#field.addEventListener('focus', () => this.#field.select());
  }

  connectedCallback() {
    if (!this.#dial.isConnected) {
      const picture = shape('svg', '');
      picture.setAttribute('viewBox', '-20 -20 40 40');
      picture.setAttribute('aria-hidden', 'true');
      const way = shape('path', 'knob-way');
      way.setAttribute('d', arc(0, 1));
      const cap = shape('circle', 'knob-cap');
      cap.setAttribute('r', '11');
      this.#hand.setAttribute('y1', '-10');
      this.#hand.setAttribute('y2', '-4');
      picture.append(way, this.#arc, cap, this.#hand);
      this.#dial.append(picture);
      this.replaceChildren(this.#caption, this.#dial, this.#field);
    }
    this.#draw();
  }

  set scale(/** @type {Scale} */ scale) {
    this.#scale = scale;
    this.#value = clamp(this.#value, scale.min, scale.max);
    this.#dial.setAttribute('aria-valuemin', String(scale.min));
    this.#dial.setAttribute('aria-valuemax', String(scale.max));
    this.#draw();
  }

  /** What is printed above it; empty: nothing. */
  set caption(/** @type {string} */ caption) {
    setText(this.#caption, caption);
    this.#caption.hidden = caption === '';
  }

  /** Its name for screen readers. */
  set label(/** @type {string} */ label) {
    this.#dial.setAttribute('aria-label', label);
    this.#field.setAttribute('aria-label', `${label}, value`);
  }

  get disabled() {
    return this.#field.disabled;
  }

  set disabled(disabled) {
    this.#field.disabled = disabled;
    this.#dial.setAttribute('aria-disabled', String(disabled));
  }

  get value() {
    return this.#value;
  }

  set value(value) {
    if (value === this.#value || 'held' in this.#dial.dataset) return; // the hand knows better
    this.#value = clamp(value, this.#scale.min, this.#scale.max);
    this.#draw();
  }

  /** A figure typed on the knob goes into the field. @param {KeyboardEvent} event */
  #beginTyping(event) {
    if (this.disabled || event.ctrlKey || event.metaKey || !/^[-+\d−]$/.test(event.key)) return;
    this.#field.focus();
    this.#field.value = '';
  }

  #typed() {
    const value = this.#scale.parse(this.#field.value);
    if (value === null) this.#draw();
    else this.#move(value);
  }

  /** @param {number} value */
  #move(value) {
    this.#value = clamp(value, this.#scale.min, this.#scale.max);
    this.#draw();
    this.dispatchEvent(new CustomEvent('input', { detail: { value: this.#value } }));
  }

  #draw() {
    const scale = this.#scale;
    const position = scale.positionOf(this.#value);
    const from = scale.positionOf(scale.detent ?? scale.min);
    this.#arc.setAttribute('d', arc(Math.min(from, position), Math.max(from, position)));
    this.#hand.setAttribute('transform', `rotate(${angle(position).toFixed(1)})`);
    this.#dial.setAttribute('aria-valuenow', String(this.#value));
    this.#dial.setAttribute('aria-valuetext', scale.words(this.#value));
    this.#field.value = scale.format(this.#value);
  }
}

/**
 * @param {string} name
 * @param {string} className
 */
function shape(name, className) {
  const element = document.createElementNS(SVG, name);
  if (className) element.setAttribute('class', className);
  return element;
}

/** @param {number} position @returns {number} Degrees from the top. */
const angle = (position) => (position - 0.5) * SWEEP_DEGREES;

/**
 * @param {number} from Position, 0 to 1.
 * @param {number} to
 */
function arc(from, to) {
  const [start, end] = [from, to].map((position) => {
    const turn = (angle(position) * Math.PI) / 180;
    return `${(RADIUS * Math.sin(turn)).toFixed(2)} ${(-RADIUS * Math.cos(turn)).toFixed(2)}`;
  });
  const large = (to - from) * SWEEP_DEGREES > 180 ? 1 : 0;
  return `M${start}A${RADIUS} ${RADIUS} 0 ${large} 1 ${end}`;
}
