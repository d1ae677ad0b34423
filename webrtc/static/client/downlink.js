/**
 * Watches whether anything comes from the server at all, while there is a connection, and tells when
 * it should be given up: carries out what downlink_machine.js decides.
 */

import { DownlinkMachine } from './downlink_machine.js';
import { AudioStreamingError } from './errors.js';

const LOOK_EVERY_MS = 500;

export class Downlink {
  /**
   * @param {object} handlers
   * @param {() => Promise<number | null>} handlers.read A count of all that has come.
   * @param {() => Promise<unknown>} handlers.ask Settles when the server answers.
   * @param {() => void} handlers.giveUp It sends nothing and does not answer.
   * @param {import('./timer.js').Clock} clock
   */
  constructor(handlers, clock) {
    this.#handlers = handlers;
    this.#clock = clock;
  }

  #handlers;
  #clock;
  #machine = new DownlinkMachine();
  #connected = false;
  /** @type {unknown} */
  #timer = null;

  /** @param {boolean} connected Whether there is a connection that the browser takes for well. */
  follow(connected) {
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.#machine.reset();
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
    if (connected) this.#plan();
  }

  #plan() {
    this.#timer = this.#clock.setTimer(() => void this.#look(), LOOK_EVERY_MS);
  }

  async #look() {
    const timer = this.#timer;
    const received = await this.#handlers.read().catch(() => null);
    if (timer !== this.#timer) return; // another connection, or none
    this.#plan();
    if (received === null) return;
    for (const effect of this.#machine.look(received, this.#clock.now())) {
      if (effect === 'ask') void this.#ask();
      else this.#handlers.giveUp();
    }
  }

  async #ask() {
    try {
      await this.#handlers.ask();
    } catch (error) {
      // A refusal is an answer, too; and while the socket is away there is nobody to give up.
      if (error instanceof AudioStreamingError && error.reason === 'timeout') return;
    }
    this.#machine.answered(this.#clock.now());
  }
}
