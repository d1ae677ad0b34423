/**
 * Whether the network bears the own voice, or wants every packet sent twice (RED, RFC 2198), which
 * costs as much upload again. Decides only; never touches a connection, a clock or a timer.
 *
 * The gap between the two limits, and the time that each must last, are the hysteresis. A reading
 * without any loss ends a bad spell: a burst that is over asks for nothing.
 *
 *   state   input                                        next
 *   off     more than 2 % lost lately, for 3 s           on
 *   on      less than 0.5 % lost lately, for 20 s        off
 *   any     mode always, never                           on, off (whatever is lost)
 */

const WORSE = 0.02;
const WORSE_FOR_MS = 3000;
const BETTER = 0.005;
const BETTER_FOR_MS = 20000;
/** What the latest reading weighs against all before it. */
const SMOOTHING = 0.5;
/** Fewer packets say nothing: a muted microphone sends a few in a second. */
const LEAST_PACKETS = 50;

/**
 * @typedef {'auto' | 'always' | 'never'} RedundancyMode
 */

/**
 * Counters of what we send, since the connection began.
 * @typedef {object} UplinkReading
 * @property {number} atMs When the server reported.
 * @property {number} packetsSent
 * @property {number} packetsLost
 */

export class RedundancyPolicy {
  /** @param {RedundancyMode} [mode] */
  constructor(mode = 'auto') {
    this.#mode = mode;
  }

  #mode;
  #isOn = false;
  #loss = 0;
  /** @type {UplinkReading | null} */
  #before = null;
  /** @type {number | null} Begin of the spell that speaks for a change. */
  #sinceMs = null;

  get isOn() {
    return this.#mode === 'auto' ? this.#isOn : this.#mode === 'always';
  }

  get mode() {
    return this.#mode;
  }

  /** @param {RedundancyMode} mode */
  setMode(mode) {
    this.#mode = mode;
    this.reset();
  }

  /** Forget what was reported: it begins anew. */
  reset() {
    this.#isOn = false;
    this.#loss = 0;
    this.#before = null;
    this.#sinceMs = null;
  }

  /** @param {UplinkReading} reading */
  report(reading) {
    const before = this.#before;
    if (!before || reading.atMs < before.atMs || reading.packetsSent < before.packetsSent) {
      this.#before = reading; // another connection; the network is still the same one
      return;
    }
    const sent = reading.packetsSent - before.packetsSent;
    if (reading.atMs === before.atMs || sent < LEAST_PACKETS) return;
    this.#before = reading;
    const lost = Math.max(0, reading.packetsLost - before.packetsLost);
    this.#loss += (Math.min(1, lost / sent) - this.#loss) * SMOOTHING;
    this.#judge(before.atMs, reading.atMs, lost > 0);
  }

  /**
   * @param {number} fromMs
   * @param {number} toMs
   * @param {boolean} anyLost
   */
  #judge(fromMs, toMs, anyLost) {
    const speaksForChange = this.#isOn ? this.#loss < BETTER : this.#loss > WORSE && anyLost;
    if (!speaksForChange) {
      this.#sinceMs = null;
      return;
    }
    if (this.#sinceMs === null) {
      this.#sinceMs = fromMs; // one reading alone never suffices, however long it took
      return;
    }
    if (toMs - this.#sinceMs < (this.#isOn ? BETTER_FOR_MS : WORSE_FOR_MS)) return;
    this.#isOn = !this.#isOn;
    this.#sinceMs = null;
  }
}
