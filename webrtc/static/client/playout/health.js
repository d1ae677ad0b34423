/**
 * How our own playout path is doing, from its reports: whether the network is too poor for its
 * short buffer, good enough to come back, or the device too slow. Arithmetic only.
 */

/** @typedef {import('./types.js').PlayoutStats} PlayoutStats */

/**
 * What the path buffers at most (`wantedMs` above it is what the network asks for in vain), and
 * what leaves some air for the way back.
 */
const MOST_MS = 75;
const COMFORTABLE_MS = 60;
const POOR_LOSS = 0.1;
const GOOD_LOSS = 0.03;
const POOR_FOR_MS = 3000;
const GOOD_FOR_MS = 5000;
/** Losses are counted over this span. */
const SPAN_MS = 3000;
/** Fewer packets say nothing: in a silent room hardly any are sent. */
const LEAST_PACKETS = 50;
/** So many underruns in so long, while packets come all the time, are no accident. */
const STARVING_UNDERRUNS = 4;
const STARVING_SPAN_MS = 5000;
const STEADY_PACKETS_PER_S = 40;
const BROKEN_ERRORS = 3;
const PROVEN_MS = 1000;
/** At first it learns how much this network and this device take. */
const LEARNING_MS = 3000;

export class Health {
  /** @type {{ at: number, stats: PlayoutStats }[]} The latest last. */
  #history = [];
  /** @type {number | null} */
  #poorSince = null;
  /** @type {number | null} */
  #goodSince = null;
  /** @type {number | null} */
  #learntAt = null;
  /** @type {number | null} Since when it has played without running dry. */
  #playsSince = null;

  /** Whether loss or jitter have been beyond what this path bears for some seconds. */
  get isPoor() {
    return this.#lasted(this.#poorSince, POOR_FOR_MS);
  }

  /** Whether they have been well within it for some seconds. */
  get isGood() {
    return this.#lasted(this.#goodSince, GOOD_FOR_MS);
  }

  /** Whether it has played without a fault for a moment. */
  get isProven() {
    return this.#lasted(this.#playsSince, PROVEN_MS);
  }

  /** Whether it runs dry again and again although packets come. */
  get isStarving() {
    const change = this.#change(this.#learntFor(STARVING_SPAN_MS), ({ underruns, received }) => [
      underruns,
      received,
    ]);
    const [underruns = 0, received = 0] = change.values;
    const steady = received >= (STEADY_PACKETS_PER_S * change.spanMs) / 1000;
    return steady && underruns >= STARVING_UNDERRUNS;
  }

  /** Whether frames cannot be decoded. */
  get isBroken() {
    const { values } = this.#change(SPAN_MS, ({ decodeErrors }) => [decodeErrors]);
    return (values[0] ?? 0) >= BROKEN_ERRORS;
  }

  /**
   * @param {PlayoutStats} stats
   * @param {number} now Milliseconds.
   */
  report(stats, now) {
    const before = this.#history.at(-1)?.stats ?? stats;
    const plays = stats.state === 'playing' && stats.underruns === before.underruns;
    this.#playsSince = plays ? (this.#playsSince ?? now) : null;
    this.#history.push({ at: now, stats });
    this.#learntAt ??= now + LEARNING_MS;
    while ((this.#history[0]?.at ?? now) < now - STARVING_SPAN_MS) this.#history.shift();
    const loss = this.#loss();
    const poor = stats.wantedMs > MOST_MS || loss > POOR_LOSS;
    const good = stats.wantedMs <= COMFORTABLE_MS && loss < GOOD_LOSS;
    this.#poorSince = poor ? (this.#poorSince ?? now) : null;
    this.#goodSince = good ? (this.#goodSince ?? now) : null;
  }

  #loss() {
    const { values } = this.#change(SPAN_MS, ({ lost, received }) => [lost, received]);
    const [lost = 0, received = 0] = values;
    const all = lost + received;
    return all < LEAST_PACKETS ? 0 : lost / all;
  }

  /**
   * By how much counters grew within the last while; the first report counts as the beginning.
   * @param {number} withinMs
   * @param {(stats: PlayoutStats) => number[]} read
   */
  #change(withinMs, read) {
    const last = this.#history.at(-1);
    if (!last) return { spanMs: 0, values: [] };
    const first = this.#history.find(({ at }) => at >= last.at - withinMs) ?? last;
    const before = read(first.stats);
    const values = read(last.stats).map((value, index) => value - (before[index] ?? 0));
    return { spanMs: last.at - first.at, values };
  }

  /** @param {number} ms Of this span, what came after the learning. */
  #learntFor(ms) {
    const now = this.#history.at(-1)?.at ?? 0;
    return Math.max(0, Math.min(ms, now - (this.#learntAt ?? now)));
  }

  /**
   * @param {number | null} since
   * @param {number} forMs
   */
  #lasted(since, forMs) {
    const last = this.#history.at(-1);
    return since !== null && last !== undefined && last.at - since >= forMs;
  }
}
