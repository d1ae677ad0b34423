/** The last seconds of some figures, oldest first; what is older is forgotten. */
export class Timeline {
  /**
   * @param {number} length How many moments are kept.
   * @param {readonly string[]} names Of the figures of each moment.
   * @param {number} rest What stood there before anything was told.
   */
  constructor(length, names, rest) {
    this.length = length;
    this.#rest = rest;
    for (const name of names) this.#figures.set(name, new Float32Array(length).fill(rest));
  }

  #rest;
  /** @type {Map<string, Float32Array>} Rings, all written at the same place. */
  #figures = new Map();
  #next = 0;

  /** @param {Readonly<Record<string, number>>} moment */
  push(moment) {
    for (const [name, ring] of this.#figures) ring[this.#next] = moment[name] ?? this.#rest;
    this.#next = (this.#next + 1) % this.length;
  }

  /**
   * @param {string} name
   * @param {number} at 0: the oldest.
   */
  value(name, at) {
    return this.#figures.get(name)?.[(this.#next + at) % this.length] ?? this.#rest;
  }

  clear() {
    for (const ring of this.#figures.values()) ring.fill(this.#rest);
  }
}
