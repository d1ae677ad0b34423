import { make } from '../dom.js';

/** @typedef {{ room_id: string, participants: number }} RoomSummary */

const READ_EVERY_MS = 5000;
const MOST = 8;

/**
 * The rooms that are open on this server, those with most people first. Fires `choose` with
 * `detail.roomId`. Where the server tells nobody, there is nothing to see.
 */
export class AgRooms extends HTMLElement {
  #timer = 0;
  #shown = '';

  connectedCallback() {
    void this.#read();
    this.#timer = window.setInterval(() => void this.#read(), READ_EVERY_MS);
  }

  disconnectedCallback() {
    window.clearInterval(this.#timer);
  }

  async #read() {
    if (document.visibilityState !== 'visible' || (this.#shown !== '' && !this.checkVisibility())) {
      return;
    }
    try {
      const response = await fetch('/api/rooms');
      const { rooms = [] } = response.ok ? await response.json() : {};
      this.#show(rooms);
    } catch {
      this.#show([]);
    }
  }

  /** @param {RoomSummary[]} all */
  #show(all) {
    const rooms = all
      .filter(({ participants }) => participants > 0)
      .sort((a, b) => b.participants - a.participants || a.room_id.localeCompare(b.room_id))
      .slice(0, MOST);
    const shown = JSON.stringify(rooms);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.hidden = rooms.length === 0;
    const list = make('ul', { class: 'room-list', attributes: { 'aria-label': 'Open rooms' } });
    list.append(...rooms.map((room) => make('li', {}, [this.#button(room)])));
    this.replaceChildren(make('h2', { class: 'section-title', text: 'Open rooms' }), list);
  }

  /** @param {RoomSummary} room */
  #button({ room_id: roomId, participants }) {
    const people = participants === 1 ? '1 person' : `${participants} people`;
    const button = make('button', { class: 'room-choice', attributes: { type: 'button' } }, [
      make('b', { text: roomId }),
      make('span', { text: people }),
    ]);
    button.addEventListener('click', () => {
      this.dispatchEvent(new CustomEvent('choose', { bubbles: true, detail: { roomId } }));
    });
    return button;
  }
}
