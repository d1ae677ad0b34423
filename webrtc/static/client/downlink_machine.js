/**
 * When to ask a server that sends nothing whether it is still there, and when to give it up. Decides
 * only; never reads a figure, a clock or sets a timer.
 *
 * Whoever is connected hears something every so often: packets of sound, reports of what they send,
 * answers to the browser's checks of the connection. What came every so often, the last three times,
 * is missed one second later.
 *
 * Invariants: given up is only whom we have heard, after a question without an answer, and while
 * nothing comes; time in which nobody looked (the machine slept, the page was frozen) is no silence.
 *
 *   state    input                                           next     does
 *   deaf     look: something came since the last one         hearing  -
 *   hearing  look: nothing for a second longer than usual    asking   ask
 *   asking   look: something came                            hearing  -
 *   asking   answered                                        hearing  -       (the silence is usual)
 *   asking   look: nothing, and no answer for 1.5 s          deaf     giveUp
 *   any      a look that comes late                          deaf     -
 */

const MARGIN_MS = 1000;
const ANSWER_MS = 1500;
/** Chromium checks a connection that is well every 2.5 s. */
const LONGEST_USUAL_MS = 3000;
const REMEMBERED = 3;
/** Timers of hidden pages come once a second. */
const LATE_MS = 2500;

/**
 * @typedef {'deaf' | 'hearing' | 'asking'} DownlinkState
 * @typedef {'ask' | 'giveUp'} DownlinkEffect
 */

export class DownlinkMachine {
  /** @type {DownlinkState} */
  #state = 'deaf';
  /** @type {number | null} A count of all that has come; null before the first look. */
  #received = null;
  #lookedAt = -Infinity;
  /** When something had come, as seen by a look. */
  #heardAt = 0;
  /** When the server was last known to be there. */
  #aliveAt = 0;
  #askedAt = 0;
  /** @type {number[]} The last silences, ms. */
  #silences = [];

  get state() {
    return this.#state;
  }

  /** Begin anew: there is another connection, or none. */
  reset() {
    this.#state = 'deaf';
    this.#received = null;
    this.#lookedAt = -Infinity;
    this.#silences = [];
  }

  /**
   * @param {number} received A count of all that has come; any other than before is a sign of life.
   * @param {number} now Milliseconds.
   * @returns {DownlinkEffect[]} At most one.
   */
  look(received, now) {
    const isLate = now - this.#lookedAt > LATE_MS;
    const came = this.#received !== null && received !== this.#received;
    this.#lookedAt = now;
    this.#received = received;
    if (isLate) {
      this.#state = 'deaf';
      return [];
    }
    if (came) {
      if (this.#state !== 'deaf') this.#remember(now);
      this.#state = 'hearing';
      this.#heardAt = now;
      this.#aliveAt = now;
      return [];
    }
    if (this.#state === 'hearing' && now - this.#aliveAt >= this.#usualMs() + MARGIN_MS) {
      this.#state = 'asking';
      this.#askedAt = now;
      return ['ask'];
    }
    if (this.#state === 'asking' && now - this.#askedAt >= ANSWER_MS) {
      this.#state = 'deaf';
      return ['giveUp'];
    }
    return [];
  }

  /**
   * The server answered, or there is nobody to be asked.
   * @param {number} now
   */
  answered(now) {
    if (this.#state !== 'asking') return;
    this.#state = 'hearing';
    this.#remember(now);
    this.#aliveAt = now;
  }

  /** @param {number} now The end of a silence. */
  #remember(now) {
    this.#silences = [...this.#silences, now - this.#heardAt].slice(-REMEMBERED);
  }

  #usualMs() {
    return Math.min(LONGEST_USUAL_MS, Math.max(0, ...this.#silences));
  }
}
