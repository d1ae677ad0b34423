import { refs, setText } from '../dom.js';
import { eachFrame } from '../frame_loop.js';
import { Store } from '../store.js';
import { inSight, pitchOf, stayingPut } from './bank.js';
import { MOST_WATCHED, MeterBoard } from './meter_board.js';
import { feedRoom } from './room_feed.js';
import { EMPTY_ROOM, mayMixForAll, reduceRoom } from './room_state.js';
import { showSolo, soloed } from './solo_light.js';
import { SpeakingNow } from './speaking_now.js';
import { Strip } from './strip.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('../../client/roster.js').Participant} Participant
 * @typedef {import('../orders.js').OrderName} OrderName
 * @typedef {import('./room_state.js').Layer} Layer
 * @typedef {import('./room_state.js').RoomState} RoomState
 */

const REORDER_EVERY_MS = 1500;
/** Gate lights, and whom the server is asked to measure. */
const LIGHTS_EVERY_MS = 100;
const WATCH_AFTER_MS = 250;
/**
 * So long after, the order of reading follows those who got louder; at once when somebody comes to a
 * strip. Each that changes its place in the page is laid out anew, so few do at a time.
 */
const REREAD_EVERY_MS = 10_000;
const MOVED_AT_ONCE = 4;
/** From so many people on, the loudest come first unless somebody chose another order. */
const MANY = 20;

/**
 * The desk: a row of strips, of which only those in sight are made, and what all of them share.
 * Fires `trouble` with `detail.error`.
 */
export class AgRoom extends HTMLElement {
  /** What is shown. */
  store = new Store(reduceRoom, EMPTY_ROOM, (tell) => requestAnimationFrame(tell));
  #board = new MeterBoard(() => performance.now());
  /** @type {Map<string, Strip>} Those that are made. */
  #strips = new Map();
  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {BaseClient | null} */
  #client = null;
  /** @type {ReturnType<typeof feedRoom> | null} */
  #feed = null;
  #viewPx = 0;
  #orderChosen = false;
  #drawDue = false;
  #sinceLightsMs = 0;
  #sinceOrderMs = 0;
  #rereadMs = 0;
  #watchTimer = 0;
  #watched = '';
  /** @type {(() => void) | null} */
  #stopFrames = null;
  /** @type {SpeakingNow | null} */
  #speaking = null;
  /** @type {readonly string[]} The loudest first. */
  #speakers = [];
  /** @type {Set<string>} Whose levels are others since the last frame. */
  #voices = new Set();
  /** @type {HTMLElement | null} Where the studio was opened from. */
  #opener = null;

  connectedCallback() {
    this.#refs = refs(this);
    this.#bank.addEventListener('scroll', () => this.#later(), { passive: true });
    new ResizeObserver(([entry]) => {
      this.#viewPx = entry?.contentRect.width ?? 0;
      this.#later();
    }).observe(this.#bank);
    this.#order.addEventListener('change', () => {
      this.#orderChosen = true;
      const order = /** @type {OrderName} */ (this.#order.value);
      this.store.dispatch({ type: 'order', order });
    });
    this.#ref('search').addEventListener('input', () => {
      const query = /** @type {HTMLInputElement} */ (this.#ref('search')).value;
      this.store.dispatch({ type: 'query', query });
      this.#bank.scrollLeft = 0;
    });
    for (const input of this.#ref('layers').querySelectorAll('input')) {
      input.addEventListener('change', () =>
        this.store.dispatch({ type: 'layer', layer: /** @type {Layer} */ (input.value) }),
      );
    }
    this.#ref('solo').addEventListener('click', () => {
      for (const { participantId } of soloed(this.store.state.people)) {
        this.actions.mix(participantId, { solo: false });
      }
      this.closest('main')?.focus({ preventScroll: true }); // the lamp goes out of the page
    });
    this.#speaking = new SpeakingNow(this.#ref('speaking'), (id) => this.#goTo(id));
    this.#list.addEventListener('focusin', () => this.store.dispatch({ type: 'held', held: true }));
    this.#list.addEventListener('focusout', ({ relatedTarget }) => {
      const held = relatedTarget instanceof Node && this.#list.contains(relatedTarget);
      this.store.dispatch({ type: 'held', held });
    });
    this.store.subscribe((state, before) => this.#changed(state, before));
  }

  /** @param {BaseClient} client */
  attach(client) {
    this.#client = client;
    this.#feed = feedRoom(client, this.store, this.#board);
    client.on('levels', ({ levels }) => {
      for (const { participantId } of levels) this.#voices.add(participantId);
    });
    client.on('activespeakers', ({ participantIds }) => (this.#speakers = participantIds));
    /** @type {import('../elements/ag_rules.js').AgRules} */ (
      this.querySelector('ag-rules')
    ).attach(client);
    /** @type {import('../host/ag_choosing.js').AgChoosing} */ (
      this.querySelector('ag-choosing')
    ).attach(client);
    /** @type {import('./ag_master.js').AgMaster} */ (
      this.querySelector('ag-master')
    ).attach(client, this.#board);
  }

  /** What a reload brings back. */
  get kept() {
    const { layer, order } = this.store.state;
    return { layer, order: this.#orderChosen ? order : null };
  }

  /** @param {{ layer: string, order: string | null }} kept As the page before this one left it. */
  restore({ layer, order }) {
    if (layer === 'mine' && mayMixForAll(this.store.state)) {
      this.store.dispatch({ type: 'layer', layer });
    }
    if (order === 'joined' || order === 'loudest' || order === 'name') {
      this.#orderChosen = true;
      this.#order.value = order;
      this.store.dispatch({ type: 'order', order });
    }
  }

  /** A stay begins: show everyone. */
  showAll() {
    this.#feed?.enter();
    this.#stopFrames ??= eachFrame((elapsedMs) => this.#frame(elapsedMs));
  }

  /** The stay is over. */
  clear() {
    this.#stopFrames?.();
    this.#stopFrames = null;
    this.#feed?.leave();
    this.#speakers = [];
    this.#voices.clear();
    this.#watched = '';
    window.clearTimeout(this.#watchTimer);
  }

  // ---- drawing -------------------------------------------------------------------------------

  /** @param {RoomState} state @param {RoomState} before */
  #changed(state, before) {
    setText(this.#ref('count'), String(state.people.size));
    this.#ref('alone').hidden = state.people.size !== 1;
    this.#ref('nobody').hidden = state.people.size === 0 || state.sequence.length > 0;
    this.#ref('find').hidden = state.people.size < 8 && state.query === '';
    this.#ref('layers').hidden = !mayMixForAll(state);
    showSolo(this.#ref('solo'), state.people);
    for (const input of this.#ref('layers').querySelectorAll('input')) {
      input.checked = input.value === state.layer;
    }
    this.classList.toggle('chooses', state.rights.includes('choose_speakers'));
    if (!this.#orderChosen && state.people.size >= MANY && state.order === 'joined') {
      this.#order.value = 'loudest';
      this.store.dispatch({ type: 'order', order: 'loudest' });
    }
    if (state.opened !== before.opened) this.#showStudio(state.opened);
    const { order, people, query } = before;
    if (state.order !== order || state.people.size !== people.size || state.query !== query) {
      this.#rereadMs = 0;
    }
    this.#draw();
  }

  /** Once before the next frame, however often it is asked for. */
  #later() {
    if (this.#drawDue) return;
    this.#drawDue = true;
    requestAnimationFrame(() => {
      this.#drawDue = false;
      this.#draw();
    });
  }

  #draw() {
    const { state } = this.store;
    const count = state.sequence.length;
    const pitchPx = pitchOf(count, this.#viewPx);
    const { scrollLeft: scrollPx } = this.#bank;
    const { first, end } = inSight({ count, pitchPx, scrollPx, viewPx: this.#viewPx });
    this.#list.style.width = `${count * pitchPx}px`;
    this.#bank.style.setProperty('--pitch', `${pitchPx}px`);
    const shown = new Set(state.sequence.slice(first, end));
    this.#release(shown);
    state.sequence.forEach((participantId, index) => {
      const person = state.people.get(participantId);
      const strip = this.#strips.get(participantId) ?? null;
      if (!person || !(strip || shown.has(participantId))) return;
      this.#place(strip ?? this.#make(participantId, index), person, index);
    });
    if (state.held || performance.now() > this.#rereadMs) this.#putInOrder(state.sequence);
    this.#watchLater();
  }

  /** Give up strips that are out of sight, but not what somebody is at. @param {Set<string>} shown */
  #release(shown) {
    const { people } = this.store.state;
    for (const [participantId, strip] of this.#strips) {
      const isUsed = strip.element.contains(document.activeElement);
      if (shown.has(participantId) || (isUsed && people.has(participantId))) continue;
      strip.release();
      this.#strips.delete(participantId);
    }
  }

  /** @param {string} participantId @param {number} index Place in sight, and so of reading. */
  #make(participantId, index) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById('strip'));
    const strip = new Strip(template, this.actions);
    this.#strips.set(participantId, strip);
    const { sequence } = this.store.state;
    const next = sequence.slice(index + 1).find((id) => this.#strips.has(id));
    this.#list.insertBefore(strip.element, (next && this.#strips.get(next)?.element) || null);
    strip.followBoard(this.#board);
    return strip;
  }

  /**
   * @param {Strip} strip
   * @param {Participant} person
   * @param {number} index
   */
  #place(strip, person, index) {
    const { element } = strip;
    const { state } = this.store;
    element.style.setProperty('--index', String(index));
    element.setAttribute('aria-posinset', String(index + 1));
    element.setAttribute('aria-setsize', String(state.sequence.length));
    strip.show(person, state);
  }

  /**
   * The order of reading and of the Tab key is the order in sight, some frames later: where a strip is
   * seen does not depend on it. One's own strip is the first in both.
   * @param {readonly string[]} sequence
   */
  #putInOrder(sequence) {
    const wanted = sequence.flatMap((id) => this.#strips.get(id)?.element ?? []);
    const row = /** @type {HTMLLIElement[]} */ ([...this.#list.children]);
    const listed = row.filter((element) => wanted.includes(element));
    if (listed.every((element, index) => element === wanted[index])) {
      this.#rereadMs = performance.now() + REREAD_EVERY_MS;
      return;
    }
    const focused = row.find((element) => element.contains(document.activeElement)) ?? null;
    const kept = stayingPut(row, wanted, focused);
    let left = MOVED_AT_ONCE;
    wanted.reduceRight((/** @type {Element | null} */ next, element) => {
      if (kept.has(element)) return element;
      if (left > 0) this.#list.insertBefore(element, next);
      left -= 1;
      return left < 0 ? next : element;
    }, null);
    this.#later(); // to go on, or to find it done
  }

  /** In a frame that there is anyway. */
  #showVoices() {
    for (const participantId of this.#voices) {
      const strip = this.#strips.get(participantId);
      const person = strip && this.#client?.participant(participantId);
      if (person) strip.showVoice(person);
    }
    this.#voices.clear();
  }

  /** @param {number} elapsedMs */
  #frame(elapsedMs) {
    this.#showVoices();
    this.#sinceLightsMs += elapsedMs;
    this.#sinceOrderMs += elapsedMs;
    if (this.#sinceLightsMs > LIGHTS_EVERY_MS) {
      this.#sinceLightsMs = 0;
      for (const strip of this.#strips.values()) strip.showGate(this.#board);
      this.#showSpeakers();
    }
    if (this.#sinceOrderMs < REORDER_EVERY_MS) return;
    this.#sinceOrderMs = 0;
    const loudness = this.#board.settle();
    const { order, held } = this.store.state;
    if (order === 'loudest' && !held) this.store.dispatch({ type: 'loudness', loudness });
  }

  /** Those who speak where one does not look. */
  #showSpeakers() {
    const { people, sequence } = this.store.state;
    const pitchPx = pitchOf(sequence.length, this.#viewPx);
    const { scrollLeft } = this.#bank;
    const isOut = (/** @type {string} */ participantId) => {
      const middle = (sequence.indexOf(participantId) + 0.5) * pitchPx;
      return middle > 0 && (middle < scrollLeft || middle > scrollLeft + this.#viewPx);
    };
    const out = this.#speakers.filter(isOut).flatMap((id) => people.get(id) ?? []);
    this.#speaking?.show(out, sequence.length * pitchPx > this.#viewPx + 1);
  }

  /** Bring somebody's strip into sight, and the focus to it. @param {string} participantId */
  #goTo(participantId) {
    const { sequence } = this.store.state;
    const pitchPx = pitchOf(sequence.length, this.#viewPx);
    const middle = (sequence.indexOf(participantId) + 0.5) * pitchPx;
    this.#bank.scrollLeft = middle - this.#viewPx / 2;
    this.#draw();
    /** @type {HTMLElement | null | undefined} */ (
      this.#strips.get(participantId)?.element.querySelector('[role=slider]')
    )?.focus({ preventScroll: true });
  }

  // ---- meters --------------------------------------------------------------------------------

  #watchLater() {
    window.clearTimeout(this.#watchTimer);
    this.#watchTimer = window.setTimeout(() => this.#watch(), WATCH_AFTER_MS);
  }

  /** Ask for the meters of the strips in sight that I may edit; all others show what everybody sees. */
  #watch() {
    const { state } = this.store;
    const all = mayMixForAll(state);
    const own = state.rights.includes('edit_own_strip');
    const participantIds = [...this.#strips.keys()]
      .filter((id) => {
        const person = state.people.get(id);
        return person && person.role !== 'subscriber' && (all || (own && person.isMe));
      })
      .slice(0, MOST_WATCHED)
      .sort();
    const wanted = participantIds.join();
    if (wanted === this.#watched || !this.#client?.room) return;
    this.#watched = wanted;
    // Somebody may just have gone; then the next drawing asks again.
    this.#client.desk.watchMeters({ participantIds }, { holder: 'strips' }).catch(() => {
      this.#watched = '';
    });
  }

  // ---- what the hand does --------------------------------------------------------------------

  /** @type {import('./strip.js').StripActions} */
  actions = {
    mix: (participantId, change) =>
      this.#attempt(this.#client?.setListenerMix({ participantId, ...change })),
    strip: (participantId, change) =>
      this.#attempt(this.#client?.setStrip(participantId, change)),
    turn: (participantId, change) =>
      this.#attempt(this.#client?.desk.setSpeaker({ participantId, ...change })),
    role: (participantId, role) => this.#attempt(this.#client?.desk.setRole(participantId, role)),
    open: (participantId, opener) => {
      this.#opener = opener;
      this.store.dispatch({ type: 'opened', participantId });
    },
  };

  /** @param {Promise<unknown> | undefined} step */
  #attempt(step) {
    step?.catch((error) => {
      this.dispatchEvent(new CustomEvent('trouble', { detail: { error } }));
    });
  }

  /**
   * The studio is an element of its own: it gets `client` and `participantId`, and fires `close`.
   * @param {string | null} participantId
   */
  #showStudio(participantId) {
    this.querySelector('ag-studio')?.remove();
    if (participantId === null) {
      if (this.#opener?.isConnected) this.#opener.focus();
      this.#opener = null;
      return;
    }
    const studio = document.createElement('ag-studio');
    Object.assign(studio, { client: this.#client, participantId });
    studio.addEventListener('close', () =>
      this.store.dispatch({ type: 'opened', participantId: null }),
    );
    this.append(studio);
  }

  get #order() {
    return /** @type {HTMLSelectElement} */ (this.#ref('order'));
  }

  get #bank() {
    return this.#ref('bank');
  }

  get #list() {
    return this.#ref('strips');
  }

  /** @param {string} name */
  #ref(name) {
    return /** @type {HTMLElement} */ (this.#refs[name]);
  }
}
