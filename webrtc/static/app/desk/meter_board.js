/**
 * The latest levels of everybody, for meters that ask before each frame. What the server measures of
 * a strip (`meters`, 25 a second, for those whose rights allow it) is finer than what it tells
 * everybody of all (`levels`), and wins while it comes.
 */

/**
 * @typedef {import('../ballistics.js').Reading} Reading
 * @typedef {import('../../client/desk.js').StripMeters} StripMeters
 */

/** The server tells of a silent strip every second; without a word for two it is over. */
const STALE_MS = 2000;
const SILENT_DB = -127;
const SMOOTHING = 0.5;
/** As much as a page may watch, less one for the studio. */
export const MOST_WATCHED = 31;

/** @type {Readonly<Reading>} */
const SILENCE = Object.freeze({ peakDb: -Infinity, rmsDb: -Infinity, reductionDb: 0 });

export class MeterBoard {
  /** @param {() => number} now Milliseconds, monotonic. */
  constructor(now) {
    this.#now = now;
  }

  #now;
  /** @type {Map<string, number>} */
  #levels = new Map();
  /** @type {Map<string, { at: number, meters: StripMeters }>} */
  #meters = new Map();
  /** @type {Map<string, number>} */
  #loudness = new Map();

  /** @param {readonly { participantId: string, levelDbov: number }[]} levels */
  putLevels(levels) {
    for (const { participantId, levelDbov } of levels) this.#levels.set(participantId, levelDbov);
  }

  /** @param {readonly StripMeters[]} meters */
  putMeters(meters) {
    const at = this.#now();
    for (const one of meters) this.#meters.set(one.participantId, { at, meters: one });
  }

  /** @type {{ at: number, db: number }} */
  #limiter = { at: -Infinity, db: 0 };

  /** @param {number} db Gain of the mixes' limiter that works hardest. */
  putLimiter(db) {
    this.#limiter = { at: this.#now(), db };
  }

  /** Null: nobody measures. */
  get limiterDb() {
    return this.#now() - this.#limiter.at < STALE_MS ? this.#limiter.db : null;
  }

  /** @param {string} participantId */
  forget(participantId) {
    this.#levels.delete(participantId);
    this.#meters.delete(participantId);
    this.#loudness.delete(participantId);
  }

  clear() {
    this.#levels.clear();
    this.#meters.clear();
    this.#loudness.clear();
    this.#limiter = { at: -Infinity, db: 0 };
  }

  /**
   * @param {string} participantId
   * @returns {StripMeters | null} Null: the server does not measure this strip for us.
   */
  metersOf(participantId) {
    const found = this.#meters.get(participantId);
    return found && this.#now() - found.at < STALE_MS ? found.meters : null;
  }

  /**
   * @param {string} participantId
   * @returns {Readonly<Reading>}
   */
  readingOf(participantId) {
    const meters = this.metersOf(participantId);
    if (meters) {
      const { outPeakDb: peakDb, outRmsDb: rmsDb, compDb, limiterDb } = meters;
      return { peakDb, rmsDb, reductionDb: compDb + limiterDb };
    }
    const level = this.#levels.get(participantId);
    return level === undefined ? SILENCE : { peakDb: level, rmsDb: level, reductionDb: 0 };
  }

  /**
   * Take the next step of the slow averages that people are ordered by.
   * @returns {ReadonlyMap<string, number>}
   */
  settle() {
    const next = new Map();
    for (const [participantId, level] of this.#levels) {
      const before = this.#loudness.get(participantId) ?? SILENT_DB;
      next.set(participantId, before + SMOOTHING * (level - before));
    }
    this.#loudness = next;
    return next;
  }
}
