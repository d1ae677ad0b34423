import { make, refs, setText } from '../dom.js';
import { nameOfControl, nameOfTarget } from './surface_words.js';

/**
 * @typedef {import('../desk/ag_room.js').AgRoom} AgRoom
 * @typedef {import('./surface.js').Surface} Surface
 */

const KEY = 'ag06.surface';

/**
 * Connect a control surface by Web MIDI and teach it: move a fader there, then one on the screen.
 * Asks the browser on a click alone; who allowed it before is connected without being asked. The
 * rest is fetched when it is wanted. Not there where the browser has no Web MIDI.
 */
export class AgSurface extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {AgRoom | null} */
  #room = null;
  /** @type {Surface | null} */
  #surface = null;

  connectedCallback() {
    this.#refs = refs(this);
    this.hidden = typeof navigator.requestMIDIAccess !== 'function';
    this.#ref('connect').addEventListener('click', () => void this.#connect());
    this.#ref('learn').addEventListener('click', () => {
      this.#surface?.learn(!this.#surface.isLearning);
    });
  }

  /** @param {AgRoom} room */
  async attach(room) {
    this.#room = room;
    if (this.hidden || recall().length === 0) return;
    const name = /** @type {PermissionName} */ ('midi');
    const asked = await navigator.permissions?.query({ name }).catch(() => null);
    if (asked?.state === 'granted') await this.#connect();
  }

  async #connect() {
    const room = this.#room;
    if (!room || this.#surface) return;
    let access;
    try {
      access = await navigator.requestMIDIAccess();
    } catch {
      this.#say('The browser does not let this page see MIDI devices. Allow it in the address bar, then try again.');
      return;
    }
    const { startSurface } = await import('./start_surface.js');
    const surface = startSurface(room, recall(), () => this.#show());
    this.#surface = surface;
    surface.connect(access);
    this.#show();
  }

  #show() {
    const surface = this.#surface;
    if (!surface) return;
    keep(surface.bindings);
    const { devices, isLearning, moved } = surface;
    this.#ref('connect').hidden = true;
    this.#ref('learn').hidden = false;
    this.#ref('learn').setAttribute('aria-pressed', String(isLearning));
    if (devices.length === 0) this.#say('No control surface is plugged in.');
    else if (!isLearning) this.#say(`Connected: ${devices.join(', ')}.`);
    else if (moved === null) this.#say('Move a fader on your control surface.');
    else this.#say(`${nameOfControl(moved.control)} of ${moved.device}: now move one on the screen.`);
    this.#ref('bindings').replaceChildren(
      ...surface.bindings.map(({ control, target }) => this.#row(control, target)),
    );
  }

  /** @param {string} control @param {string} target */
  #row(control, target) {
    const name = nameOfTarget(target);
    const forget = make('button', {
      class: 'key',
      text: 'Forget',
      attributes: { type: 'button', 'aria-label': `Forget ${name}` },
    });
    forget.addEventListener('click', () => {
      this.#surface?.forget(target);
      this.#ref('learn').focus();
    });
    return make('li', { class: 'surface-binding' }, [
      make('span', { class: 'scene-name', text: name }),
      make('span', { class: 'scene-size', text: nameOfControl(control) }),
      forget,
    ]);
  }

  /** @param {string} text */
  #say(text) {
    setText(this.#ref('said'), text);
  }

  /** @param {string} name */
  #ref(name) {
    return /** @type {HTMLElement} */ (this.#refs[name]);
  }
}

/** @returns {import('./surface.js').Binding[]} */
function recall() {
  try {
    const kept = JSON.parse(window.localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

/** @param {readonly import('./surface.js').Binding[]} bindings */
function keep(bindings) {
  try {
    window.localStorage.setItem(KEY, JSON.stringify(bindings));
  } catch {
    // Forbidden: it is taught anew next time.
  }
}
