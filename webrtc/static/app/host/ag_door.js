import { make, refs, setText } from '../dom.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('../../client/host.js').Guest} Guest
 */

/**
 * The door of the room and the people in it, for hosts: lock, waiting room, who waits, and muting or
 * putting somebody out. Fires `trouble` with `detail.error`, and `done` with `detail.text`.
 */
export class AgDoor extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {BaseClient | null} */
  #client = null;

  connectedCallback() {
    this.#refs = refs(this);
    this.#switch('locked', (on) => (on ? 'The room is locked.' : 'The room is open.'));
    this.#switch('waiting', (on) => (on ? 'Who comes in waits for you.' : 'Nobody has to wait.'));
    this.#act('mute', (id) => this.#client?.host.mute(id), 'was muted');
    this.#act('remove', (id) => this.#client?.host.remove(id), 'was put out');
    this.#act('ban', (id) => this.#client?.host.remove(id, { ban: true }), 'is kept out');
    this.#ref('lift').addEventListener('click', () => {
      void this.#attempt(this.#client?.host.setDoor({ liftBans: true }), 'Bans lifted.');
    });
  }

  /** @param {BaseClient} client */
  attach(client) {
    this.#client = client;
    client.host.on('doorchange', () => this.show());
    client.host.on('guestschange', () => this.show());
    client.on('rolechange', () => this.show());
    for (const type of /** @type {const} */ ([
      'participantjoined',
      'participantleft',
      'participantupdated',
    ])) {
      client.on(type, () => this.show());
    }
  }

  show() {
    this.hidden = !this.#may;
    if (this.hidden || !this.#client) return;
    const { door, guests } = this.#client.host;
    this.#box('locked').checked = door.locked;
    this.#box('waiting').checked = door.waiting;
    this.#ref('lift').hidden = door.bans === 0;
    setText(this.#ref('lift'), door.bans === 1 ? 'Lift 1 ban' : `Lift ${door.bans} bans`);
    this.#ref('guests').replaceChildren(...guests.map((guest) => this.#row(guest)));
    this.#people();
  }

  get #may() {
    return this.#client?.room?.rights.includes('moderate') ?? false;
  }

  #people() {
    const select = /** @type {HTMLSelectElement} */ (this.#ref('person'));
    const others = (this.#client?.participants ?? []).filter(({ isMe }) => !isMe);
    const wanted = others.map(({ participantId, name }) => [participantId, name || 'Guest']);
    const shown = [...select.options].map(({ value, text }) => [value, text]);
    if (JSON.stringify(wanted) !== JSON.stringify(shown)) {
      const chosen = select.value;
      select.replaceChildren(
        ...wanted.map(([value = '', text = '']) => make('option', { text, attributes: { value } })),
      );
      if (wanted.some(([value]) => value === chosen)) select.value = chosen;
    }
    this.#ref('people').hidden = others.length === 0;
  }

  /** @param {Guest} guest */
  #row({ guestId, name }) {
    const shown = name || 'Guest';
    const host = this.#client?.host;
    return make('li', { class: 'scene guest' }, [
      make('span', { class: 'scene-name', text: shown }),
      this.#button('Admit', `Admit ${shown}`, () => host?.admit(guestId), `${shown} may come in.`),
      this.#button('Deny', `Deny ${shown}`, () => host?.deny(guestId), `${shown} was sent away.`),
    ]);
  }

  /**
   * @param {string} text
   * @param {string} label
   * @param {() => Promise<unknown> | undefined} act
   * @param {string} done
   */
  #button(text, label, act, done) {
    const button = make('button', {
      class: 'key',
      text,
      attributes: { type: 'button', 'aria-label': label },
    });
    button.addEventListener('click', () => void this.#attempt(act(), done));
    return button;
  }

  /**
   * @param {'locked' | 'waiting'} name
   * @param {(on: boolean) => string} done
   */
  #switch(name, done) {
    const box = this.#box(name);
    box.addEventListener('change', () => {
      void this.#attempt(this.#client?.host.setDoor({ [name]: box.checked }), done(box.checked));
    });
  }

  /**
   * @param {string} name
   * @param {(participantId: string) => Promise<void> | undefined} act
   * @param {string} done
   */
  #act(name, act, done) {
    this.#ref(name).addEventListener('click', () => {
      const select = /** @type {HTMLSelectElement} */ (this.#ref('person'));
      const shown = select.selectedOptions[0]?.text ?? '';
      if (select.value) void this.#attempt(act(select.value), `${shown} ${done}.`);
    });
  }

  /**
   * @param {Promise<unknown> | undefined} promise
   * @param {string} done
   */
  async #attempt(promise, done) {
    try {
      await promise;
      this.#tell(done);
    } catch (error) {
      this.dispatchEvent(new CustomEvent('trouble', { detail: { error } }));
    }
    this.show();
  }

  /** @param {string} text */
  #tell(text) {
    this.dispatchEvent(new CustomEvent('done', { detail: { text } }));
  }

  /** @param {string} name */
  #box(name) {
    return /** @type {HTMLInputElement} */ (this.#ref(name));
  }

  /** @param {string} name */
  #ref(name) {
    return /** @type {HTMLElement} */ (this.#refs[name]);
  }
}
