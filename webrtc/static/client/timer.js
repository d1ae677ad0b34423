/**
 * Runs the timers of the state machines: one `setTimeout` for the earliest of them.
 */

/**
 * @typedef {object} Clock
 * @property {() => number} now Milliseconds, monotonic.
 * @property {(callback: () => void, delayMs: number) => unknown} setTimer
 * @property {(handle: any) => void} clearTimer
 */

export class MachineTimer {
  /**
   * @param {Clock} clock
   * @param {() => (number | null)} pollTimeout When the machine wants to be woken.
   * @param {(now: number) => void} wake
   */
  constructor(clock, pollTimeout, wake) {
    this.#clock = clock;
    this.#pollTimeout = pollTimeout;
    this.#wake = wake;
  }

  #clock;
  #pollTimeout;
  #wake;
  /** @type {unknown} */
  #handle = null;

  /** Call after every input to the machine. */
  arm() {
    this.stop();
    const at = this.#pollTimeout();
    if (at === null) return;
    this.#handle = this.#clock.setTimer(
      () => {
        this.#handle = null;
        this.#wake(this.#clock.now());
      },
      Math.max(0, at - this.#clock.now()),
    );
  }

  stop() {
    if (this.#handle !== null) this.#clock.clearTimer(this.#handle);
    this.#handle = null;
  }
}
