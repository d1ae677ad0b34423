/** Takes the readings that stats.js computes with. */

import { computeStats, readReport } from './stats.js';

/**
 * @typedef {import('./stats.js').Reading} Reading
 * @typedef {import('./stats.js').ServerReading} ServerReading
 */

/** For so long the server's last word stands in for an answer: while it restarts, for example. */
const GOOD_FOR_MS = 10_000;

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
  /** @type {{ reading: ServerReading, connection: RTCPeerConnection, atMs: number } | null} */
  #heard = null;

  /** The next figures belong to another stay. */
  reset() {
    this.#last = null;
    this.#heard = null;
  }

  /**
   * Figures since the last call.
   * @param {RTCPeerConnection} connection
   * @param {{ ptimeMs: number | null, redundancy: boolean, microphone: MediaStreamTrack | null,
   *   playout: import('./playout_paths.js').PlayoutState }} context
   */
  async read(connection, { ptimeMs, redundancy, microphone, playout }) {
    const [report, server] = await Promise.all([connection.getStats(), this.#serverReading(connection)]);
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

  /**
   * What the server says now, or said a moment ago of this connection.
   * @param {RTCPeerConnection} connection
   * @returns {Promise<ServerReading | null>}
   */
  async #serverReading(connection) {
    const reading = await this.#ask();
    if (reading) this.#heard = { reading, connection, atMs: this.#now() };
    const heard = this.#heard;
    if (heard?.connection !== connection || this.#now() - heard.atMs > GOOD_FOR_MS) return null;
    return heard.reading;
  }

  /** @returns {Promise<ServerReading | null>} Null: it does not answer, or has not looked yet. */
  async #ask() {
    try {
      return (await this.#askServer()).stats ?? null;
    } catch {
      return null; // figures of the browser alone are better than none
    }
  }
}
