import { FLOOR_DB, REST, advance, lengthOf } from '../ballistics.js';
import { eachFrame } from '../frame_loop.js';
import { make } from '../dom.js';

/**
 * A level meter. Give it `read` (a source to ask before every frame) or set `target`; it asks for
 * frames only while it moves. Purely visual: what matters is also said in words beside it.
 */
export class AgMeter extends HTMLElement {
  #state = REST;
  #drawn = { levelDb: NaN, peakDb: NaN };
  #target = FLOOR_DB;
  /** @type {(() => number) | null} */
  #read = null;
  /** @type {(() => void) | null} */
  #stop = null;
  #cover = make('span', { class: 'meter-cover' });
  #peak = make('span', { class: 'meter-peak' });

  connectedCallback() {
    this.setAttribute('aria-hidden', 'true');
    if (!this.#cover.isConnected) this.replaceChildren(this.#cover, this.#peak);
    this.#draw();
    if (this.#read) this.#run();
  }

  disconnectedCallback() {
    this.#halt();
  }

  /** Decibels below full scale; the meter moves there by itself. */
  set target(/** @type {number} */ db) {
    this.#target = db;
    this.#run();
  }

  /** Asked for the level before every frame, until null is given. */
  set read(/** @type {(() => number) | null} */ read) {
    this.#read = read;
    if (read) this.#run();
    else this.target = FLOOR_DB;
  }

  #run() {
    if (this.isConnected) this.#stop ??= eachFrame((elapsedMs) => this.#step(elapsedMs));
  }

  #halt() {
    this.#stop?.();
    this.#stop = null;
  }

  /** @param {number} elapsedMs */
  #step(elapsedMs) {
    const target = this.#read ? this.#read() : this.#target;
    const before = this.#state;
    this.#state = advance(before, target, elapsedMs);
    this.#draw();
    const { levelDb, peakDb } = this.#state;
    const atRest = levelDb === before.levelDb && levelDb === peakDb;
    if (!this.#read && atRest) this.#halt();
  }

  #draw() {
    const levelDb = step(this.#state.levelDb);
    const peakDb = step(this.#state.peakDb);
    if (levelDb === this.#drawn.levelDb && peakDb === this.#drawn.peakDb) return;
    this.#drawn = { levelDb, peakDb };
    this.#cover.style.transform = `scaleX(${(1 - lengthOf(levelDb)).toFixed(4)})`;
    this.#peak.style.transform = `translateX(${(lengthOf(peakDb) * 100 - 100).toFixed(2)}%)`;
    this.#peak.style.visibility = peakDb <= FLOOR_DB ? 'hidden' : 'visible';
  }
}

/** Nothing finer than half a decibel is drawn. @param {number} db */
const step = (db) => Math.round(db * 2) / 2;
