import { refs, setText } from '../dom.js';
import { rulesWords } from '../words.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('../../client/desk.js').RoomSettings} RoomSettings
 */

const MOST_SPEAKERS = 15;

/**
 * How the room works: mixed or forwarded, how many are heard, and whether what is said is kept.
 * Everybody sees it, who may changes it. Fires `trouble`.
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
    this.#refs.archive?.addEventListener('click', () =>
      this.#change({ archive: !this.#client?.desk.settings?.archive }),
    );
    this.#sessions.addEventListener('pointerdown', () => this.#address());
    this.#sessions.addEventListener('focus', () => this.#address());
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
    const rights = this.#client?.room?.rights ?? [];
    const { rulesControls, archiveControls, archive } = this.#refs;
    if (rulesControls) rulesControls.hidden = !rights.includes('choose_speakers');
    if (archiveControls) archiveControls.hidden = !rights.includes('hear_sessions');
    if (archive) {
      archive.hidden = !rights.includes('run_archive');
      archive.setAttribute('aria-pressed', String(settings.archive === true));
    }
    if (this.#refs.rulesText) setText(this.#refs.rulesText, rulesWords(settings));
    this.#mode.value = settings.mode;
    this.#speakers.value = String(settings.maxSpeakers);
  }

  /** Let the link show who asks; in the fragment, which no server is sent. */
  #address() {
    const room = this.#client?.room;
    if (!room) return;
    const shown = { token: room.hostKey ?? room.resumeToken, room: room.roomId };
    this.#sessions.href = `sessions.html#${new URLSearchParams(shown)}`;
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

  get #sessions() {
    return /** @type {HTMLAnchorElement} */ (this.#refs.sessions);
  }

  get #mode() {
    return /** @type {HTMLSelectElement} */ (this.#refs.mode);
  }

  get #speakers() {
    return /** @type {HTMLSelectElement} */ (this.#refs.speakers);
  }
}
