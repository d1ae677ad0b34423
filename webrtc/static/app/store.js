/**
 * What the page knows, in one place: a state that only pure reducers change, and listeners that are
 * told once however many actions came meanwhile.
 *
 * @template State
 * @template Action
 */
export class Store {
  /**
   * @param {(state: State, action: Action) => State} reduce Pure; gives the same object back when
   *   nothing changes.
   * @param {State} state To begin with.
   * @param {(tell: () => void) => unknown} [schedule] When listeners are told.
   */
  constructor(reduce, state, schedule = queueMicrotask) {
    this.#reduce = reduce;
    this.#state = state;
    this.#told = state;
    this.#schedule = schedule;
  }

  #reduce;
  #schedule;
  /** @type {State} */
  #state;
  /** @type {State} What listeners know. */
  #told;
  #due = false;
  /** @type {Set<(state: State, before: State) => void>} */
  #listeners = new Set();

  /** @returns {State} Never changed in place: whoever holds it may compare it. */
  get state() {
    return this.#state;
  }

  /** @param {Action} action */
  dispatch(action) {
    this.#state = this.#reduce(this.#state, action);
    if (this.#due || this.#state === this.#told) return;
    this.#due = true;
    this.#schedule(() => this.#tell());
  }

  /**
   * @param {(state: State, before: State) => void} listener
   * @returns {() => void} Stops listening.
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell() {
    this.#due = false;
    const before = this.#told;
    if (before === this.#state) return;
    this.#told = this.#state;
    for (const listener of this.#listeners) listener(this.#told, before);
  }
}
