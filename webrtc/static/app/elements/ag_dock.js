import { icon, make, refs } from '../dom.js';

/**
 * @typedef {'live' | 'off' | 'idle'} ToggleTone
 * @typedef {object} ToggleLook
 * @property {ToggleTone} tone
 * @property {string} icon
 * @property {string} text
 * @property {string} hint
 * @property {string} [key] Shortcut.
 *
 * @typedef {object} MicrophoneState
 * @property {boolean} publishing
 * @property {boolean} opening The browser asks for the microphone, or the connection is being made.
 * @property {boolean} open Whether there is a microphone; it may have been unplugged.
 * @property {boolean} muted
 */

/** The big switches at the bottom. Fires `microphone`, `speaker` and `leave`. */
export class AgDock extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {Map<HTMLElement, string>} */
  #shown = new Map();

  connectedCallback() {
    this.#refs = refs(this);
    const events = { mic: 'microphone', speaker: 'speaker', leave: 'leave' };
    for (const [name, type] of Object.entries(events)) {
      this.#refs[name]?.addEventListener('click', () => this.dispatchEvent(new Event(type)));
    }
  }

  /**
   * @param {MicrophoneState & { subscribing: boolean, deafened: boolean }} state
   */
  show({ subscribing, deafened, ...microphone }) {
    this.#draw(this.#refs.mic, microphoneLook(microphone));
    this.#draw(this.#refs.speaker, speakerLook(subscribing, deafened));
  }

  /**
   * @param {HTMLElement | undefined} button
   * @param {ToggleLook} look
   */
  #draw(button, look) {
    if (!button || this.#shown.get(button) === look.text) return;
    this.#shown.set(button, look.text);
    button.dataset.tone = look.tone;
    const text = make('span', { class: 'toggle-text' }, [
      make('b', { text: look.text }),
      make('small', { text: look.hint }),
    ]);
    button.replaceChildren(icon(look.icon), text);
    if (look.key)
      button.append(make('kbd', { text: look.key, attributes: { 'aria-hidden': 'true' } }));
  }
}

/** @param {MicrophoneState} state @returns {ToggleLook} */
function microphoneLook({ publishing, opening, open, muted }) {
  if (!publishing && !opening) {
    return {
      tone: 'idle',
      icon: 'mic-off',
      text: 'Start Broadcasting',
      hint: 'nobody hears you',
      key: 'M',
    };
  }
  if (!open && !opening) {
    return {
      tone: 'off',
      icon: 'mic-off',
      text: 'No microphone',
      hint: 'click to try again',
      key: 'M',
    };
  }
  if (muted) {
    return {
      tone: 'off',
      icon: 'mic-off',
      text: 'Microphone off',
      hint: 'hold Space to talk',
      key: 'M',
    };
  }
  if (opening) {
    return { tone: 'idle', icon: 'mic', text: 'Opening microphone', hint: 'allow it if asked' };
  }
  return { tone: 'live', icon: 'mic', text: 'Microphone on', hint: 'click to mute', key: 'M' };
}

/** @param {boolean} subscribing @param {boolean} deafened @returns {ToggleLook} */
function speakerLook(subscribing, deafened) {
  if (!subscribing) {
    return {
      tone: 'idle',
      icon: 'ear-off',
      text: 'Listen to Stream',
      hint: 'you hear nobody',
      key: 'D',
    };
  }
  if (deafened) {
    return { tone: 'off', icon: 'ear-off', text: 'Sound off', hint: 'click to hear', key: 'D' };
  }
  return { tone: 'live', icon: 'ear', text: 'Sound on', hint: 'click to deafen', key: 'D' };
}
