/**
 * Watches how much of the own voice gets lost on its way, while there is one, and tells when it
 * should be sent redundantly, or no longer: feeds redundancy.js.
 */

import { RedundancyPolicy } from './redundancy.js';

const READ_EVERY_MS = 2000;

/**
 * @typedef {import('./redundancy.js').RedundancyMode} RedundancyMode
 * @typedef {import('./redundancy.js').UplinkReading} UplinkReading
 */

export class Uplink {
  /**
   * @param {object} handlers
   * @param {() => Promise<UplinkReading | null>} handlers.read Null: nothing is known yet.
   * @param {() => void} handlers.changed `wantsRedundancy` is another.
   * @param {Pick<import('./timer.js').Clock, 'setTimer' | 'clearTimer'>} clock
   * @param {RedundancyMode} [mode]
   */
  constructor(handlers, clock, mode) {
    this.#handlers = handlers;
    this.#clock = clock;
    this.#policy = new RedundancyPolicy(mode);
  }

  #handlers;
  #clock;
  #policy;
  #publishing = false;
  /** @type {unknown} */
  #timer = null;

  get wantsRedundancy() {
    return this.#publishing && this.#policy.isOn;
  }

  /** @param {RedundancyMode} mode */
  setMode(mode) {
    const before = this.wantsRedundancy;
    this.#policy.setMode(mode);
    this.#plan();
    if (this.wantsRedundancy !== before) this.#handlers.changed();
  }

  /**
   * @param {boolean} publishing Whether there is a voice to watch, and the browser could send it
   *   redundantly.
   */
  follow(publishing) {
    if (publishing === this.#publishing) return;
    this.#publishing = publishing;
    this.#policy.reset();
    this.#plan();
  }

  #plan() {
    const watches = this.#publishing && this.#policy.mode === 'auto';
    if (watches) {
      this.#timer ??= this.#clock.setTimer(() => void this.#look(), READ_EVERY_MS);
    } else if (this.#timer !== null) {
      this.#clock.clearTimer(this.#timer);
      this.#timer = null;
    }
  }

  async #look() {
    const timer = this.#timer;
    const reading = await this.#handlers.read().catch(() => null);
    if (timer !== this.#timer) return; // nobody publishes any more
    this.#timer = null;
    const before = this.wantsRedundancy;
    if (reading) this.#policy.report(reading);
    this.#plan();
    if (this.wantsRedundancy !== before) this.#handlers.changed();
  }
}
