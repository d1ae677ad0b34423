import { refs, setText } from '../dom.js';
import { ORDERS } from '../orders.js';
import { Strip } from '../strip.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('../../client/roster.js').Participant} Participant
 * @typedef {import('../orders.js').OrderName} OrderName
 */

const REORDER_EVERY_MS = 1500;

/** The people in the room, one strip each. */
export class AgRoom extends HTMLElement {
  /** @type {Map<string, Strip>} */
  #strips = new Map();
  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {BaseClient | null} */
  #client = null;
  /** @type {Map<string, number>} Slow averages, for the order. */
  #loudness = new Map();
  #reorderedAt = 0;

  connectedCallback() {
    this.#refs = refs(this);
    this.#order.addEventListener('change', () => this.#reorder());
  }

  /** @param {BaseClient} client */
  attach(client) {
    this.#client = client;
    client.on('participantjoined', ({ participant }) => this.#put(participant, true));
    client.on('participantupdated', ({ participant }) => this.#put(participant, false));
    client.on('participantleft', ({ participant }) => this.#remove(participant.participantId));
    client.on('levels', ({ levels }) => this.#levels(levels));
    client.on('reconnected', () => this.showAll());
    client.on('rolechange', () => this.showAll());
    client.on('trackassignments', () => this.#showTracks());
    /** @type {import('./ag_rules.js').AgRules} */ (this.querySelector('ag-rules')).attach(client);
  }

  /** Show everyone anew. */
  showAll() {
    const present = new Set(this.#client?.participants.map((person) => person.participantId));
    for (const participantId of [...this.#strips.keys()]) {
      if (!present.has(participantId)) this.#remove(participantId);
    }
    for (const person of this.#client?.participants ?? []) this.#put(person, false);
    this.#reorder();
  }

  clear() {
    for (const participantId of [...this.#strips.keys()]) this.#remove(participantId);
    this.#loudness.clear();
  }

  get #order() {
    return /** @type {HTMLSelectElement} */ (this.#refs.order);
  }

  get #list() {
    return /** @type {HTMLElement} */ (this.#refs.strips);
  }

  /**
   * @param {Participant} person
   * @param {boolean} place Put it where the order wants it.
   */
  #put(person, place) {
    let strip = this.#strips.get(person.participantId);
    if (!strip) {
      strip = this.#makeStrip(person);
      this.#strips.set(person.participantId, strip);
      this.#list.append(strip.element);
    }
    strip.allow(this.#client?.room?.rights ?? []);
    strip.show(person);
    this.#count();
    if (place) this.#reorder();
  }

  /** @param {Participant} person */
  #makeStrip({ participantId, isMe }) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById('strip'));
    const strip = new Strip(
      template,
      participantId,
      (change) => this.#attempt(this.#client?.setListenerMix({ participantId, ...change })),
      (change) => this.#attempt(this.#client?.desk.setSpeaker({ participantId, ...change })),
      (role) => this.#attempt(this.#client?.desk.setRole(participantId, role)),
    );
    if (isMe) strip.meter.read = () => this.#ownLevel();
    return strip;
  }

  /** Our own microphone, or what the server hears of it where the browser does not measure. */
  #ownLevel() {
    const client = this.#client;
    if (!client || client.isMuted || !client.isPublishing) {
      return { peakDb: -Infinity, rmsDb: -Infinity };
    }
    const { rmsDbfs, peakDbfs } = client.microphone.level();
    if (Number.isFinite(rmsDbfs)) return { peakDb: peakDbfs, rmsDb: rmsDbfs };
    const level = client.me?.levelDbov ?? -Infinity;
    return { peakDb: level, rmsDb: level };
  }

  /** @param {Promise<unknown> | undefined} step */
  #attempt(step) {
    step?.catch((error) => {
      this.dispatchEvent(new CustomEvent('trouble', { detail: { error } }));
    });
  }

  /** Say who is on which track, in rooms that forward. */
  #showTracks() {
    const numbers = new Map(
      this.#client?.tracks.map(({ participantId }, index) => [participantId, index + 1]),
    );
    for (const [participantId, strip] of this.#strips) {
      strip.showTrack(numbers.get(participantId) ?? null);
    }
  }

  /** @param {string} participantId */
  #remove(participantId) {
    this.#strips.get(participantId)?.element.remove();
    this.#strips.delete(participantId);
    this.#loudness.delete(participantId);
    this.#count();
  }

  #count() {
    if (this.#refs.count) setText(this.#refs.count, String(this.#strips.size));
    if (this.#refs.alone) this.#refs.alone.hidden = this.#strips.size !== 1;
  }

  /** @param {{ participantId: string, levelDbov: number }[]} levels */
  #levels(levels) {
    for (const { participantId, levelDbov } of levels) {
      const person = this.#client?.participant(participantId);
      if (!person) continue;
      this.#strips.get(participantId)?.showVoice(person);
      const before = this.#loudness.get(participantId) ?? -127;
      this.#loudness.set(participantId, before + 0.1 * (levelDbov - before));
    }
    if (
      this.#order.value === 'loudest' &&
      performance.now() - this.#reorderedAt > REORDER_EVERY_MS
    ) {
      this.#reorder();
    }
  }

  /** Never while the user is at work in the list: what has the focus stays where it is. */
  #reorder() {
    if (this.#list.contains(document.activeElement)) return;
    this.#reorderedAt = performance.now();
    const sorted = ORDERS[/** @type {OrderName} */ (this.#order.value)](
      this.#client?.participants ?? [],
      this.#loudness,
    );
    const elements = sorted.flatMap(
      ({ participantId }) => this.#strips.get(participantId)?.element ?? [],
    );
    if (elements.some((element, index) => this.#list.children[index] !== element)) {
      this.#list.append(...elements);
    }
  }
}
