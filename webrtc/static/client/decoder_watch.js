/**
 * Whether what comes reaches the decoder. Once in hundreds of connections Chromium takes a receiver's
 * transform and never connects it: packets come, and for as long as the connection lasts none of them
 * is decoded (in the field: amazon-chime-sdk-js, pull request 3123). Arithmetic only.
 */

const SPAN_MS = 1500;
/** In a silent room hardly any come, which says nothing. */
const LEAST_PACKETS = 30;
/** What nobody plays is not decoded: sound for at least half of the time has to be asked for. */
const LEAST_PLAYED_S = SPAN_MS / 2000;

/**
 * @typedef {object} Counts Of one receiver, since it was made.
 * @property {number} packets That came.
 * @property {number} emitted Samples that were decoded of them.
 * @property {number} playedS Sound that was asked for, be it decoded, made up or silence.
 */

export class DecoderWatch {
  /** When each receiver's decoder last gave anything. @type {Map<string, Counts & { at: number }>} */
  #last = new Map();

  /** There is another connection, or none. */
  reset() {
    this.#last.clear();
  }

  /**
   * Now and then.
   * @param {Iterable<any>} report Values of an `RTCStatsReport`.
   * @param {number} now Milliseconds.
   * @returns {boolean} Whether sound comes of which nothing is decoded.
   */
  isStarved(report, now) {
    let starved = false;
    for (const entry of report) {
      const counts = countsOf(entry);
      if (counts === null) continue;
      const last = this.#last.get(entry.id);
      if (last === undefined || counts.emitted !== last.emitted) {
        this.#last.set(entry.id, { ...counts, at: now });
        continue;
      }
      const came = counts.packets - last.packets >= LEAST_PACKETS;
      const played = counts.playedS - last.playedS >= LEAST_PLAYED_S;
      starved ||= came && played && now - last.at >= SPAN_MS;
    }
    return starved;
  }
}

/**
 * @param {any} entry
 * @returns {Counts | null} Null: no receiver of sound, or a browser that does not tell.
 */
function countsOf({
  type,
  kind,
  packetsReceived: packets,
  jitterBufferEmittedCount: emitted,
  totalSamplesDuration: playedS,
}) {
  if (type !== 'inbound-rtp' || kind !== 'audio') return null;
  if (![packets, emitted, playedS].every(Number.isFinite)) return null;
  return { packets, emitted, playedS };
}
