import { make } from '../dom.js';
import { onResize } from './canvas.js';
import { followHand } from './handle.js';
import { FADER, clamp } from './scale.js';

/** Marks beside the slot; those with words. */
const MARKS = /** @type {const} */ ([
  [12, '+12'],
  [6, '6'],
  [0, '0'],
  [-6, '6'],
  [-12, '12'],
  [-20, '20'],
  [-30, '30'],
  [-45, '45'],
  [-60, '∞'],
]);

/**
 * A fader as on a desk: a cap in a slot with a scale in decibels, and a field for the number. The
 * cap rests at 0 dB for a moment, is drawn finely with Shift, goes back to 0 on a double click, and
 * follows wheel, arrow, Page, Home and End keys. Fires `input` with `detail.db` on the way.
 */
export class AgFader extends HTMLElement {
  #db = FADER.initial;
  #name = '';
  #what = 'Volume';
  #slot = make('div', {
    class: 'fader-slot',
    attributes: {
      role: 'slider',
      tabindex: '0',
      'aria-orientation': 'vertical',
      'aria-valuemin': String(FADER.min),
      'aria-valuemax': String(FADER.max),
    },
  });
  #cap = make('span', { class: 'fader-cap' });
  #field = make('input', {
    class: 'input number',
    attributes: { type: 'text', size: '5', autocomplete: 'off', spellcheck: 'false' },
  });
  #travelPx = 1;
  /** @type {(() => void) | null} */
  #stopResize = null;

  constructor() {
    super();
    followHand(this.#slot, {
      scale: () => FADER,
      value: () => this.#db,
      move: (db) => this.#move(db),
      travelPx: () => this.#travelPx,
      isDisabled: () => this.disabled,
    });
    this.#slot.addEventListener('keydown', (event) => this.#beginTyping(event));
    this.#field.addEventListener('input', (event) => event.stopPropagation());
    this.#field.addEventListener('change', () => this.#typed());
    this.#field.addEventListener('focus', () => this.#field.select());
  }

  connectedCallback() {
    if (!this.#slot.isConnected) {
      const marks = make('span', { class: 'fader-scale', attributes: { 'aria-hidden': 'true' } });
      for (const [db, text] of MARKS) {
        const mark = make('i', { text, class: db === 0 ? 'unity' : '' });
        mark.style.setProperty('--at', String(FADER.positionOf(db)));
        marks.append(mark);
      }
      this.#slot.append(marks, make('span', { class: 'fader-rail' }), this.#cap);
      this.replaceChildren(this.#slot, this.#field);
    }
    this.#stopResize = onResize(this.#slot, (_, height) => {
      this.#travelPx = Math.max(1, height - this.#cap.offsetHeight);
    });
    this.#draw();
  }

  disconnectedCallback() {
    this.#stopResize?.();
  }

  /** Whose it is; read by screen readers. */
  set name(/** @type {string} */ name) {
    this.#name = name;
    this.#label();
  }

  /** What it moves: `Volume`, unless it is said otherwise. */
  set what(/** @type {string} */ what) {
    this.#what = what;
    this.#label();
  }

  get disabled() {
    return this.#field.disabled;
  }

  set disabled(disabled) {
    this.#field.disabled = disabled;
    this.#slot.setAttribute('aria-disabled', String(disabled));
  }

  get db() {
    return this.#db;
  }

  set db(db) {
    if (db === this.#db || 'held' in this.#slot.dataset) return; // the hand knows better
    this.#db = clamp(db, FADER.min, FADER.max);
    this.#draw();
  }

  #label() {
    const label = `${this.#what} of ${this.#name}`;
    this.#slot.setAttribute('aria-label', label);
    this.#field.setAttribute('aria-label', `${label} in decibels`);
  }

  /** A figure typed on the fader goes into the field. @param {KeyboardEvent} event */
  #beginTyping(event) {
    if (this.disabled || event.ctrlKey || event.metaKey || !/^[-+\d−]$/.test(event.key)) return;
    this.#field.focus();
    this.#field.value = '';
  }

  #typed() {
    const db = FADER.parse(this.#field.value);
    if (db === null) this.#draw();
    else this.#move(db);
  }

  /** @param {number} db */
  #move(db) {
    this.#db = clamp(db, FADER.min, FADER.max);
    this.#draw();
    this.dispatchEvent(new CustomEvent('input', { detail: { db: this.#db } }));
  }

  #draw() {
    const text = FADER.format(this.#db);
    this.#cap.style.setProperty('--at', FADER.positionOf(this.#db).toFixed(4));
    this.#slot.setAttribute('aria-valuenow', String(this.#db));
    this.#slot.setAttribute('aria-valuetext', FADER.words(this.#db));
    this.#field.value = text;
  }
}
