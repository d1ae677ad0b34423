import { refs, setText } from '../dom.js';

/** Choice of output and a test tone. Fires `output` with `detail.deviceId`, `test` and `toggle`. */
export class AgSpeaker extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};

  connectedCallback() {
    this.#refs = refs(this);
    this.#devices.addEventListener('change', () => {
      const detail = { deviceId: this.#devices.value };
      this.dispatchEvent(new CustomEvent('output', { detail }));
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

  /** @param {{ subscribing: boolean }} state */
  show({ subscribing }) {
    const toggle = /** @type {HTMLElement} */ (this.#refs.toggle);
    setText(toggle, subscribing ? 'Stop listening' : 'Listen to Stream');
  }

  get #devices() {
    return /** @type {HTMLSelectElement} */ (this.#refs.devices);
  }

  get #listen() {
    return /** @type {HTMLInputElement} */ (this.#refs.listen);
  }
}
