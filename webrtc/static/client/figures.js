/** Takes the readings that stats.js computes with. */

import { computeStats, readReport } from './stats.js';

/**
 * @typedef {import('./stats.js').Reading} Reading
 * @typedef {import('./stats.js').ServerReading} ServerReading
 */

export class Figures {
  /**
   * @param {() => Promise<Record<string, any>>} askServer `get_stats`.
   * @param {() => number} now Milliseconds, monotonic.
   */
  constructor(askServer, now) {
    this.#askServer = askServer;
    this.#now = now;
  }

  #askServer;
  #now;
  /** @type {Reading | null} */
  #last = null;

  /** The next figures belong to another stay. */
  reset() {
    this.#last = null;
  }

  /**
   * Figures since the last call.
   * @param {RTCPeerConnection} connection
   * @param {{ ptimeMs: number | null, redundancy: boolean, microphone: MediaStreamTrack | null,
   *   playout: import('./playout_paths.js').PlayoutState }} context
   */
  async read(connection, { ptimeMs, redundancy, microphone, playout }) {
    const [report, server] = await Promise.all([connection.getStats(), this.#serverReading()]);
    const reading = readReport(report.values(), this.#now());
    const before = this.#last;
    this.#last = reading;
    const { latency } = /** @type {{ latency?: number }} */ (microphone?.getSettings() ?? {});
    return computeStats(before, reading, server, {
      ptimeUpMs: ptimeMs,
      redundancy,
      playout,
      captureLatencyMs: latency === undefined ? null : latency * 1000,
    });
  }

  /** @returns {Promise<ServerReading | null>} */
  async #serverReading() {
    try {
      return (await this.#askServer()).stats ?? null;
    } catch {
      return null; // figures of the browser alone are better than none
    }
  }
}
