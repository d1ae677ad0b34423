/**
 * Says things to screen readers, gathered for a moment so that ten people who come at once are one
 * sentence.
 */

const GATHER_MS = 700;

export class Announcer {
  /** @param {HTMLElement} region An `aria-live` element. */
  constructor(region) {
    this.#region = region;
  }

  #region;
  /** @type {string[]} */
  #sentences = [];
  /** @type {string[]} */
  #joined = [];
  /** @type {string[]} */
  #left = [];
  #timer = 0;

  /** @param {string} sentence */
  say(sentence) {
    this.#sentences.push(sentence);
    this.#schedule();
  }

  /** @param {string} name */
  joined(name) {
    this.#joined.push(name);
    this.#schedule();
  }

  /** @param {string} name */
  left(name) {
    this.#left.push(name);
    this.#schedule();
  }

  #schedule() {
    if (this.#timer === 0) this.#timer = window.setTimeout(() => this.#speak(), GATHER_MS);
  }

  #speak() {
    this.#timer = 0;
    const sentences = [
      ...this.#sentences,
      ...people(this.#joined, 'joined'),
      ...people(this.#left, 'left'),
    ];
    this.#sentences = [];
    this.#joined = [];
    this.#left = [];
    this.#region.textContent = sentences.join(' ');
  }
}

/**
 * @param {readonly string[]} names
 * @param {string} did
 * @returns {string[]}
 */
export function people(names, did) {
  if (names.length === 0) return [];
  if (names.length > 3) return [`${names.length} people ${did}.`];
  return [`${names.join(', ')} ${did}.`];
}
