import { DEFAULT_PROCESSING } from '../../client/microphone.js';
import { refs, setText } from '../dom.js';
import { formatDb } from '../format.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('../../client/microphone.js').MicrophoneWishes} MicrophoneWishes
 * @typedef {import('../../client/microphone.js').Processing} Processing
 * @typedef {import('../desk/ag_meter.js').AgMeter} AgMeter
 */

const PROCESSING = /** @type {const} */ ([
  'echoCancellation',
  'noiseSuppression',
  'autoGainControl',
]);
const READ_EVERY_MS = 400;

/**
 * Choice of microphone, its level, and what the browser does to the voice. Fires `wish` with
 * `detail` a part of MicrophoneWishes, `open` and `toggle`.
 */
export class AgMicrophone extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {BaseClient | null} */
  #client = null;
  /** @type {Processing} */
  #processing = { ...DEFAULT_PROCESSING };
  #peakDb = -Infinity;
  #readAt = 0;

  connectedCallback() {
    this.#refs = refs(this);
    this.#devices.addEventListener('change', () =>
      this.#wish({ deviceId: this.#devices.value || null }),
    );
    this.#box('musicMode').addEventListener('change', () => {
      this.#wish({ musicMode: this.#box('musicMode').checked });
      this.#showProcessing();
    });
    for (const name of PROCESSING) {
      this.#box(name).addEventListener('change', () => {
        this.#processing = { ...this.#processing, [name]: this.#box(name).checked };
        this.#wish({ processing: this.#processing });
      });
    }
    this.#refs.open?.addEventListener('click', () => this.dispatchEvent(new Event('open')));
    this.#refs.toggle?.addEventListener('click', () => this.dispatchEvent(new Event('toggle')));
  }

  /** @param {BaseClient} client */
  attach(client) {
    this.#client = client;
  }

  /** Whether to broadcast from the start. */
  get wanted() {
    return this.#box('broadcast').checked;
  }

  set wanted(wanted) {
    this.#box('broadcast').checked = wanted;
  }

  /** @param {MicrophoneWishes} wishes */
  fill({ musicMode, processing }) {
    this.#box('musicMode').checked = musicMode;
    this.#processing = { ...processing };
    this.#showProcessing();
  }

  /**
   * @param {readonly MediaDeviceInfo[]} inputs
   * @param {string | null} chosen
   */
  list(inputs, chosen) {
    const named = inputs.filter(
      (device) => device.deviceId !== '' && device.deviceId !== 'default',
    );
    const options = [
      new Option('System default', ''),
      ...named.map(
        (device, index) => new Option(device.label || `Microphone ${index + 1}`, device.deviceId),
      ),
    ];
    this.#devices.replaceChildren(...options);
    this.#devices.value = named.some((device) => device.deviceId === chosen) ? (chosen ?? '') : '';
  }

  /** @param {{ open: boolean, publishing: boolean, muted: boolean }} state */
  show({ open, publishing, muted }) {
    const meter = /** @type {AgMeter} */ (this.#refs.meter);
    const toggle = /** @type {HTMLElement} */ (this.#refs.toggle);
    setText(toggle, publishing ? 'Stop Broadcasting' : 'Start Broadcasting');
    if (this.#refs.open) this.#refs.open.hidden = open;
    if (this.#refs.hint) setText(this.#refs.hint, hintFor(open, publishing, muted));
    meter.read = open ? () => this.#level() : null;
    if (!open && this.#refs.peak) setText(this.#refs.peak, '–');
  }

  get #devices() {
    return /** @type {HTMLSelectElement} */ (this.#refs.devices);
  }

  /** @param {string} name */
  #box(name) {
    return /** @type {HTMLInputElement} */ (this.#refs[name]);
  }

  /** In music mode all of it is off and cannot be switched; the choice is kept for later. */
  #showProcessing() {
    const musicMode = this.#box('musicMode').checked;
    for (const name of PROCESSING) {
      this.#box(name).disabled = musicMode;
      this.#box(name).checked = !musicMode && this.#processing[name];
    }
  }

  /** @param {Partial<MicrophoneWishes>} detail */
  #wish(detail) {
    this.dispatchEvent(new CustomEvent('wish', { detail }));
  }

  #level() {
    const { peakDbfs, rmsDbfs } = this.#client?.microphone.level() ?? {
      peakDbfs: -Infinity,
      rmsDbfs: -Infinity,
    };
    this.#peakDb = Math.max(this.#peakDb, peakDbfs);
    const now = performance.now();
    if (now - this.#readAt > READ_EVERY_MS && this.#refs.peak) {
      setText(this.#refs.peak, `${formatDb(this.#peakDb)} dB`);
      this.#peakDb = -Infinity;
      this.#readAt = now;
    }
    return { peakDb: peakDbfs, rmsDb: rmsDbfs };
  }
}

/**
 * @param {boolean} open
 * @param {boolean} publishing
 * @param {boolean} muted
 */
function hintFor(open, publishing, muted) {
  if (!open && publishing) return 'No microphone is open: nobody hears you.';
  if (!open) return 'Open the microphone to see its level.';
  if (publishing) return muted ? 'Muted: nobody hears you.' : 'Everyone in the room hears this.';
  return 'Only you see this. Peaks near −12 dB are a good level.';
}
