import { formatDb, parseDb } from '../format.js';
import { make } from '../dom.js';
import { MAX_DB, MIN_DB, clampDb, dbAt, positionOf } from '../taper.js';

const STEPS = 1000;

/** Keys and the decibels they move by. @type {Record<string, number>} */
const KEYS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 6, PageDown: -6 };

/**
 * A volume fader in decibels with a desk's scale and a field for the number. Fires `input` with
 * `detail.db` while it moves. Double click, or Delete, sets it to unity.
 */
export class AgFader extends HTMLElement {
  #db = 0;
  #slider = make('input', {
    class: 'slider',
    attributes: { type: 'range', min: '0', max: String(STEPS), step: '1' },
  });
  #field = make('input', {
    class: 'input number',
    attributes: { type: 'text', inputmode: 'text', size: '5', autocomplete: 'off' },
  });

  connectedCallback() {
    if (this.#slider.isConnected) return;
    this.replaceChildren(
      make('span', { class: 'label', text: 'Volume' }),
      make('span', { class: 'number-box' }, [
        this.#field,
        make('span', { class: 'unit', text: 'dB', attributes: { 'aria-hidden': 'true' } }),
      ]),
      make('span', { class: 'slot gain-slot' }, [this.#slider]),
    );
    this.#slider.addEventListener('input', (event) => {
      event.stopPropagation();
      this.#change(dbAt(Number(this.#slider.value) / STEPS));
    });
    this.#slider.addEventListener('keydown', (event) => this.#key(event));
    this.#slider.addEventListener('dblclick', () => this.#change(0));
    this.#field.addEventListener('input', (event) => event.stopPropagation());
    this.#field.addEventListener('change', () => this.#typed());
    this.#field.addEventListener('focus', () => this.#field.select());
    this.#draw();
  }

  /** Whose volume it is; read by screen readers. */
  set name(/** @type {string} */ name) {
    this.#slider.setAttribute('aria-label', `Volume of ${name}`);
    this.#field.setAttribute('aria-label', `Volume of ${name} in decibels`);
  }

  get db() {
    return this.#db;
  }

  set db(db) {
    if (db === this.#db) return;
    this.#db = clampDb(db);
    this.#draw();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = KEYS[event.key];
    if (step !== undefined) this.#change(Math.round(this.#db) + step);
    else if (event.key === 'Home') this.#change(MIN_DB);
    else if (event.key === 'End') this.#change(MAX_DB);
    else if (event.key === 'Delete' || event.key === 'Backspace') this.#change(0);
    else return;
    event.preventDefault();
  }

  #typed() {
    const db = parseDb(this.#field.value);
    if (db === null) this.#draw();
    else this.#change(db);
  }

  /** @param {number} db */
  #change(db) {
    this.#db = clampDb(db);
    this.#draw();
    this.dispatchEvent(new CustomEvent('input', { detail: { db: this.#db } }));
  }

  #draw() {
    const position = positionOf(this.#db);
    const text = formatDb(this.#db);
    this.#slider.value = String(Math.round(position * STEPS));
    this.#slider.setAttribute('aria-valuetext', this.#db <= MIN_DB ? 'silent' : `${text} decibels`);
    this.#field.value = text;
  }
}
