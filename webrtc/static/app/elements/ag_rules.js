import { refs, setText } from '../dom.js';
import { rulesWords } from '../words.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('../../client/desk.js').RoomSettings} RoomSettings
 */

const MOST_SPEAKERS = 15;

/**
 * How the room works: mixed or forwarded, and how many are heard. Everybody sees it, who may changes
 * it. Fires `trouble`.
 */
export class AgRules extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {BaseClient | null} */
  #client = null;

  connectedCallback() {
    this.#refs = refs(this);
    const numbers = Array.from({ length: MOST_SPEAKERS }, (_, index) => String(index + 1));
    this.#speakers.replaceChildren(...numbers.map((number) => new Option(number, number)));
    this.#mode.addEventListener('change', () =>
      this.#change({ mode: /** @type {RoomSettings['mode']} */ (this.#mode.value) }),
    );
    this.#speakers.addEventListener('change', () =>
      this.#change({ maxSpeakers: Number(this.#speakers.value) }),
    );
  }

  /** @param {BaseClient} client */
  attach(client) {
    this.#client = client;
    client.desk.on('roomchange', () => this.#show());
    client.on('rolechange', () => this.#show());
  }

  #show() {
    const settings = this.#client?.desk.settings;
    if (!settings?.mode) return;
    const may = this.#client?.room?.rights.includes('choose_speakers') ?? false;
    if (this.#refs.rulesControls) this.#refs.rulesControls.hidden = !may;
    if (this.#refs.rulesText) setText(this.#refs.rulesText, rulesWords(settings));
    this.#mode.value = settings.mode;
    this.#speakers.value = String(settings.maxSpeakers);
  }

  /** @param {Partial<RoomSettings>} change */
  async #change(change) {
    try {
      await this.#client?.desk.setRoom(change);
    } catch (error) {
      this.dispatchEvent(new CustomEvent('trouble', { bubbles: true, detail: { error } }));
    }
    this.#show();
  }

  get #mode() {
    return /** @type {HTMLSelectElement} */ (this.#refs.mode);
  }

  get #speakers() {
    return /** @type {HTMLSelectElement} */ (this.#refs.speakers);
  }
}
