import { refs, setText } from '../dom.js';
import { sentence } from '../format.js';
import { SessionsApi } from './api.js';
import { SessionCard } from './session_card.js';

/**
 * @typedef {import('./api.js').Session} Session
 * @typedef {import('./session_card.js').Verb} Verb
 */

/** The page of sessions: a list that follows the server, and what can be done with each. */
export class AgSessions extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {SessionsApi | null} */
  #api = null;
  /** @type {Map<string, SessionCard>} */
  #cards = new Map();
  /** @type {string | null} */
  #cursor = null;
  #mayDelete = false;
  #archiveIsOn = false;

  connectedCallback() {
    this.#refs = refs(this);
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#open();
    });
    this.#refs.more?.addEventListener('click', () => void this.#try(() => this.#load(false)));
    this.#refs.archive?.addEventListener('click', () => void this.#setArchive(!this.#archiveIsOn));
  }

  /** @param {{ token: string, room: string }} values */
  fill({ token, room }) {
    this.#field('token').value = token;
    this.#field('room').value = room;
    if (token) void this.#open();
  }

  /** @param {Session} session */
  sessionUpdated(session) {
    const known = this.#cards.get(session.session_id);
    if (known) known.update(session);
    else this.#add(session, true);
    setText(/** @type {Element} */ (this.#refs.spoken), `${session.name}: ${session.state}`);
    this.#showNone();
  }

  /** @param {string} id */
  sessionRemoved(id) {
    this.#cards.get(id)?.element.remove();
    this.#cards.delete(id);
    this.#showNone();
  }

  /** Look again, after a connection was lost. */
  refresh() {
    if (!this.#api) return;
    void this.#try(() => this.#load(true));
    void this.#askForArchive();
  }

  async #open() {
    const token = this.#field('token').value.trim();
    if (!token) return;
    this.#api = new SessionsApi(token, (path, init) => fetch(path, init));
    await this.#try(async () => {
      await this.#load(true);
      const room = this.#field('room').value.trim();
      /** @type {HTMLElement} */ (this.#refs.listed).hidden = false;
      /** @type {HTMLDetailsElement} */ (this.#refs.access).open = false;
      const detail = { token, room };
      this.dispatchEvent(new CustomEvent('opened', { detail }));
      await this.#askForArchive();
    });
  }

  /** @param {boolean} afresh */
  async #load(afresh) {
    if (!this.#api) return;
    const page = await this.#api.list(afresh ? null : this.#cursor);
    this.#mayDelete = page.may_delete;
    if (afresh) {
      const there = new Set(page.sessions.map((session) => session.session_id));
      for (const id of this.#cards.keys()) if (!there.has(id)) this.sessionRemoved(id);
    }
    for (const session of page.sessions) {
      this.#cards.get(session.session_id)?.update(session);
      this.#add(session, false);
    }
    this.#cursor = page.cursor;
    /** @type {HTMLElement} */ (this.#refs.more).hidden = page.cursor === null;
    this.#showNone();
  }

  /**
   * @param {Session} session
   * @param {boolean} first
   */
  #add(session, first) {
    if (this.#cards.has(session.session_id)) return;
    const card = new SessionCard(session, {
      mayDelete: this.#mayDelete && session.room_id !== null,
      onVerb: (verb, which) => void this.#try(() => this.#do(verb, which)),
    });
    this.#cards.set(session.session_id, card);
    const list = /** @type {HTMLElement} */ (this.#refs.list);
    if (first) list.prepend(card.element);
    else list.append(card.element);
  }

  /**
   * @param {Verb} verb
   * @param {SessionCard} card
   */
  async #do(verb, card) {
    const api = this.#api;
    if (!api) return;
    const id = card.session.session_id;
    switch (verb) {
      case 'info':
        card.showDetails(await api.info(id, card.choice));
        break;
      case 'play': {
        if (card.session.playing) await api.stop(id);
        const started = await api.play(id, { choice: card.choice });
        card.update({ ...card.session, playing: true });
        if (started.url) await card.showPlayer(started.url, started.position_s).play();
        break;
      }
      case 'room':
        if (card.session.playing) await api.stop(id);
        card.hidePlayer();
        await api.play(id, { choice: card.choice, room_id: card.session.room_id ?? '' });
        card.update({ ...card.session, playing: true });
        break;
      case 'stop':
        card.hidePlayer();
        await api.stop(id);
        card.update({ ...card.session, playing: false });
        break;
      case 'delete':
        if (window.confirm('Delete this session and its sound for good?')) {
          await api.remove(id);
          this.sessionRemoved(id);
        }
        break;
      default:
        save(await api.download(id, verb, card.choice), `session-${id}.${verb}`);
    }
  }

  /** @param {boolean} on */
  async #setArchive(on) {
    const room = this.#field('room').value.trim();
    await this.#try(async () => {
      await this.#api?.setArchive(room, on);
      this.#showArchive(on);
      const said = on ? `The archive of ${room} is on.` : `The archive of ${room} is off.`;
      setText(/** @type {Element} */ (this.#refs.spoken), said);
    });
  }

  /** Offer to switch the archive of the room, if there is such a room now. */
  async #askForArchive() {
    const room = this.#field('room').value.trim();
    const known = room === '' ? null : await this.#api?.room(room).catch(() => null);
    this.#showArchive(known ? known.settings.archive : null);
  }

  /** @param {boolean | null} on Null: there is nothing to switch. */
  #showArchive(on) {
    const button = /** @type {HTMLElement} */ (this.#refs.archive);
    button.hidden = on === null;
    this.#archiveIsOn = on === true;
    setText(button, on ? 'Switch archive off' : 'Switch archive on');
  }

  /** @param {() => Promise<void>} work */
  async #try(work) {
    const trouble = /** @type {HTMLElement} */ (this.#refs.trouble);
    try {
      await work();
      trouble.hidden = true;
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return; // it was stopped
      trouble.hidden = false;
      setText(trouble, sentence(error instanceof Error ? error.message : String(error)));
    }
  }

  #showNone() {
    /** @type {HTMLElement} */ (this.#refs.none).hidden = this.#cards.size > 0;
  }

  get #form() {
    return /** @type {HTMLFormElement} */ (this.#refs.form);
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(name));
  }
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
