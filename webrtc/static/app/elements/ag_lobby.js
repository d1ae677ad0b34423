import { refs, setText } from '../dom.js';
import { toRoomId } from '../room_id.js';

/**
 * The form in front of the rooms. Fires `join` with `detail: { roomId, name }`, and with
 * `publishing: false, subscribing: true` of whoever only listens; and `connect`.
 */
export class AgLobby extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};

  connectedCallback() {
    this.#refs = refs(this);
    const form = this.#form;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const { room, name } = this.#fields;
      const roomId = toRoomId(room.value);
      room.value = roomId;
      const only = event.submitter === this.#refs.only;
      const how = only ? { publishing: false, subscribing: true } : {};
      const detail = { roomId, name: name.value.trim(), ...how };
      this.dispatchEvent(new CustomEvent('join', { detail }));
    });
    this.#fields.room.addEventListener('input', () => this.#explain());
    this.addEventListener('choose', (event) => {
      const { room, name } = this.#fields;
      room.value = /** @type {CustomEvent<{ roomId: string }>} */ (event).detail.roomId;
      this.#explain();
      if (name.value.trim() === '') name.focus();
      else form.requestSubmit();
    });
    this.#refs.connect?.addEventListener('click', () => this.dispatchEvent(new Event('connect')));
  }

  /** @param {{ roomId: string, name: string, server: string }} values */
  fill({ roomId, name, server }) {
    const fields = this.#fields;
    fields.room.value = roomId;
    fields.name.value = name;
    if (this.#refs.server) setText(this.#refs.server, server);
    this.#explain();
  }

  /**
   * @param {import('../../client/types.js').ClientState} state
   * @param {boolean} busy A join is under way.
   */
  show(state, busy) {
    const join = /** @type {HTMLButtonElement} */ (this.#refs.join);
    const connect = /** @type {HTMLButtonElement} */ (this.#refs.connect);
    const serverState = /** @type {HTMLElement} */ (this.#refs.serverState);
    join.setAttribute('aria-busy', String(busy));
    setText(join, busy ? 'Joining…' : 'Join Room');
    const connected =
      state !== 'disconnected' && state !== 'connecting' && state !== 'reconnecting';
    setText(
      serverState,
      connected ? 'connected' : state === 'disconnected' ? 'not connected' : 'connecting…',
    );
    serverState.dataset.tone = connected ? 'good' : 'idle';
    connect.hidden = state !== 'disconnected';
  }

  get roomId() {
    return this.#fields.room.value.trim();
  }

  get name() {
    return this.#fields.name.value.trim();
  }

  focusRoom() {
    this.#fields.room.focus({ preventScroll: true });
  }

  get #form() {
    return /** @type {HTMLFormElement} */ (this.#refs.form);
  }

  get #fields() {
    return /** @type {{ room: HTMLInputElement, name: HTMLInputElement }} */ (
      /** @type {unknown} */ (this.#form.elements)
    );
  }

  #explain() {
    const help = this.#refs.roomHelp;
    if (!help) return;
    const typed = this.#fields.room.value.trim();
    const roomId = toRoomId(typed);
    if (typed === '') setText(help, 'Leave it empty to open a new room.');
    else if (roomId !== typed)
      setText(help, `The room will be called ${roomId || 'by a random name'}.`);
    else setText(help, 'Everyone in this room hears each other.');
  }
}
