/**
 * Sends the latest of many values: one request under way per key, what comes meanwhile replaces
 * what waits. A fader drawn from end to end costs a few requests and always ends where it stopped.
 *
 * @template V
 */
export class LatestSender {
  /**
   * @param {(key: string, value: V) => Promise<void>} send
   */
  constructor(send) {
    this.#send = send;
  }

  #send;
  /** @type {Map<string, { value: V, done: Promise<void> } | null>} Null: sent, none waits. */
  #waiting = new Map();
  /** @type {Map<string, Promise<void>>} */
  #running = new Map();

  /**
   * @param {string} key
   * @param {V} value
   * @returns {Promise<void>} Settles when this value, or a later one instead of it, was sent.
   */
  put(key, value) {
    const running = this.#running.get(key);
    if (running === undefined) return this.#run(key, value);
    const waiting = this.#waiting.get(key);
    if (waiting) {
      waiting.value = value;
      return waiting.done;
    }
    const entry = { value, done: Promise.resolve() };
    entry.done = running
      .catch(() => {})
      .then(() => {
        this.#waiting.delete(key);
        return this.#run(key, entry.value);
      });
    this.#waiting.set(key, entry);
    return entry.done;
  }

  /**
   * @param {string} key
   * @param {V} value
   */
  #run(key, value) {
    const sent = this.#send(key, value).finally(() => {
      if (this.#running.get(key) === sent) this.#running.delete(key);
    });
    this.#running.set(key, sent);
    return sent;
  }
}
