import { refs, setText } from '../dom.js';
import { PLAYOUT_CHOICES, playoutWords } from '../words.js';

/**
 * @typedef {import('../../client/playout_paths.js').PlayoutMode} PlayoutMode
 * @typedef {import('../../client/playout_paths.js').PlayoutPath} PlayoutPath
 * @typedef {import('../../client/playout_paths.js').PlayoutReason} PlayoutReason
 */

/**
 * Choice of output and of the way to it, and a test tone. Fires `output` with `detail.deviceId`,
 * `playout` with `detail.mode`, `test` and `toggle`.
 */
export class AgSpeaker extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};

  connectedCallback() {
    this.#refs = refs(this);
    this.#devices.addEventListener('change', () => {
      const detail = { deviceId: this.#devices.value };
      this.dispatchEvent(new CustomEvent('output', { detail }));
    });
    this.#playout.replaceChildren(
      ...PLAYOUT_CHOICES.map(({ mode, name }) => new Option(name, mode)),
    );
    this.#playout.addEventListener('change', () => {
      const detail = { mode: this.#playout.value };
      this.#hint();
      this.dispatchEvent(new CustomEvent('playout', { detail }));
    });
    this.#refs.test?.addEventListener('click', () => this.dispatchEvent(new Event('test')));
    this.#refs.toggle?.addEventListener('click', () => this.dispatchEvent(new Event('toggle')));
  }

  /** Whether to listen from the start. */
  get wanted() {
    return this.#listen.checked;
  }

  set wanted(wanted) {
    this.#listen.checked = wanted;
  }

  /**
   * @param {readonly MediaDeviceInfo[]} outputs Empty where browsers do not tell.
   * @param {string} chosen
   * @param {boolean} canChoose
   */
  list(outputs, chosen, canChoose) {
    const named = outputs.filter(
      (device) => device.deviceId !== '' && device.deviceId !== 'default',
    );
    const options = [
      new Option('System default', ''),
      ...named.map(
        (device, index) => new Option(device.label || `Output ${index + 1}`, device.deviceId),
      ),
    ];
    this.#devices.replaceChildren(...options);
    this.#devices.value = named.some((device) => device.deviceId === chosen) ? chosen : '';
    this.#devices.disabled = !canChoose;
  }

  /** @param {PlayoutMode} mode */
  choosePlayout(mode) {
    this.#playout.value = mode;
    this.#hint();
  }

  /**
   * @param {{ subscribing: boolean, playout: { path: PlayoutPath, reason: PlayoutReason } }} state
   */
  show({ subscribing, playout }) {
    const toggle = /** @type {HTMLElement} */ (this.#refs.toggle);
    setText(toggle, subscribing ? 'Stop listening' : 'Listen to Stream');
    const now = /** @type {HTMLElement} */ (this.#refs.playoutNow);
    now.dataset.path = playout.path;
    setText(now, subscribing ? playoutWords(playout) : 'You hear nobody.');
  }

  #hint() {
    const choice = PLAYOUT_CHOICES.find(({ mode }) => mode === this.#playout.value);
    if (this.#refs.playoutHint) setText(this.#refs.playoutHint, choice?.hint ?? '');
  }

  get #playout() {
    return /** @type {HTMLSelectElement} */ (this.#refs.playout);
  }

  get #devices() {
    return /** @type {HTMLSelectElement} */ (this.#refs.devices);
  }

  get #listen() {
    return /** @type {HTMLInputElement} */ (this.#refs.listen);
  }
}
