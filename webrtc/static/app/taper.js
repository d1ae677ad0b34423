/**
 * The fader's scale: where a decibel value sits on its way, as on a desk. Unity is at three
 * quarters; the steps get coarser towards silence.
 */

export const MIN_DB = -60;
export const MAX_DB = 12;

/** Position (0 to 1) and decibels, both rising. @type {readonly (readonly [number, number])[]} */
const MARKS = [
  [0, MIN_DB],
  [0.25, -30],
  [0.5, -12],
  [0.75, 0],
  [1, MAX_DB],
];

/** @param {number} db @returns {number} Clamped to the scale. */
export const clampDb = (db) => Math.min(MAX_DB, Math.max(MIN_DB, db));

/** @param {number} db @returns {number} 0 to 1. */
export const positionOf = (db) => interpolate(clampDb(db), 1, 0);

/** @param {number} position 0 to 1. @returns {number} Decibels, to a tenth. */
export const dbAt = (position) => {
  const inside = Math.min(1, Math.max(0, position));
  return Math.round(interpolate(inside, 0, 1) * 10) / 10;
};

/**
 * @param {number} value
 * @param {0 | 1} from Column of MARKS that `value` is in.
 * @param {0 | 1} to
 */
function interpolate(value, from, to) {
  const above = Math.max(
    1,
    MARKS.findIndex((mark) => value <= mark[from]),
  );
  const low = /** @type {readonly [number, number]} */ (MARKS[above - 1]);
  const high = /** @type {readonly [number, number]} */ (MARKS[above]);
  const share = (value - low[from]) / (high[from] - low[from]);
  return low[to] + share * (high[to] - low[to]);
}
