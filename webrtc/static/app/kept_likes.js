import { readLikes, writeLikes } from './visit.js';

/** @typedef {import('./visit.js').Likes} Likes */

/** What the user likes, kept from one visit to the next. */
export class KeptLikes {
  #likes = readLikes(() => window.localStorage);

  /** @returns {Readonly<Likes>} */
  get all() {
    return this.#likes;
  }

  /** @param {Partial<Likes>} change */
  change(change) {
    this.#likes = { ...this.#likes, ...change };
    writeLikes(() => window.localStorage, this.#likes);
  }
}
