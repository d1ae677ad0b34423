/**
 * How meters move. The peak goes up at once and falls by 20 dB in 1.7 s (IEC 60268-18, digital peak
 * level meters); the highest one stands for a moment. The mean level follows with 300 ms both ways,
 * as AES-6id and VU meters do. Time comes in, so that any frame rate shows the same.
 */

export const FLOOR_DB = -60;

const PEAK_FALL_DB_PER_S = 20 / 1.7;
const MEAN_MS = 300;
const HOLD_MS = 1500;
/** Gain reduction is shown at once and let go of as a peak is, only faster: it is short. */
const REDUCTION_RETURN_DB_PER_S = 40;

/**
 * @typedef {object} Reading What is measured; levels in dBFS.
 * @property {number} peakDb
 * @property {number} rmsDb
 * @property {number} [reductionDb] What is taken away, 0 or less.
 */

/**
 * @typedef {object} MeterState
 * @property {number} peakDb The tip of the bar.
 * @property {number} rmsDb The body of the bar.
 * @property {number} holdDb The mark.
 * @property {number} heldMs How long the mark has stood.
 * @property {number} reductionDb
 */

/** @type {Readonly<MeterState>} */
export const REST = Object.freeze({
  peakDb: FLOOR_DB,
  rmsDb: FLOOR_DB,
  holdDb: FLOOR_DB,
  heldMs: 0,
  reductionDb: 0,
});

/**
 * @param {MeterState} state
 * @param {Reading} reading
 * @param {number} elapsedMs
 * @returns {MeterState} The same object when nothing moves.
 */
export function advance(state, reading, elapsedMs) {
  const target = inside(reading.peakDb);
  const fall = (PEAK_FALL_DB_PER_S * elapsedMs) / 1000;
  const peakDb = Math.max(target, state.peakDb - fall);
  const rmsDb = follow(state.rmsDb, inside(reading.rmsDb), elapsedMs);
  const gone = Math.min(0, reading.reductionDb ?? 0);
  const back = (REDUCTION_RETURN_DB_PER_S * elapsedMs) / 1000;
  const reductionDb = Math.min(gone, state.reductionDb + back);
  const rises = peakDb >= state.holdDb;
  const heldMs = rises ? 0 : state.heldMs + elapsedMs;
  const holdDb = rises || heldMs > HOLD_MS ? Math.max(peakDb, state.holdDb - fall) : state.holdDb;
  const stands =
    peakDb === state.peakDb &&
    rmsDb === state.rmsDb &&
    holdDb === state.holdDb &&
    reductionDb === state.reductionDb;
  return stands && peakDb === holdDb ? state : { peakDb, rmsDb, holdDb, heldMs, reductionDb };
}

/** @param {number} from @param {number} target @param {number} elapsedMs */
function follow(from, target, elapsedMs) {
  const next = target + (from - target) * Math.exp(-elapsedMs / MEAN_MS);
  return Math.abs(next - target) < 0.05 ? target : next;
}

/** @param {number} db */
const inside = (db) => (db > FLOOR_DB ? Math.min(0, db) : FLOOR_DB);

/** The scale that peak meters have: the louder, the wider. dBFS and share of the length. */
const MARKS = /** @type {const} */ ([
  [-60, 0],
  [-50, 0.06],
  [-40, 0.14],
  [-30, 0.29],
  [-20, 0.49],
  [0, 1],
]);

/** @param {number} db @returns {number} Share of the meter's length, 0 to 1. */
export function lengthOf(db) {
  const level = inside(db);
  for (let i = 1; i < MARKS.length; i += 1) {
    const [highDb, high] = /** @type {readonly [number, number]} */ (MARKS[i]);
    const [lowDb, low] = /** @type {readonly [number, number]} */ (MARKS[i - 1]);
    if (level <= highDb) return low + ((level - lowDb) / (highDb - lowDb)) * (high - low);
  }
  return 1;
}
