/**
 * How a meter moves: up almost at once, down slowly enough to be read, with the highest recent
 * value held for a moment. Time comes in, so that any frame rate shows the same.
 */

export const FLOOR_DB = -60;

const ATTACK_MS = 15;
const RELEASE_DB_PER_S = 36;
const HOLD_MS = 1200;

/**
 * @typedef {object} MeterState
 * @property {number} levelDb What the bar shows.
 * @property {number} peakDb What the peak mark shows.
 * @property {number} heldMs How long the peak mark has stood.
 */

/** @type {Readonly<MeterState>} */
export const REST = Object.freeze({ levelDb: FLOOR_DB, peakDb: FLOOR_DB, heldMs: 0 });

/**
 * @param {MeterState} state
 * @param {number} targetDb What is measured.
 * @param {number} elapsedMs
 * @returns {MeterState} The same object when nothing moves.
 */
export function advance(state, targetDb, elapsedMs) {
  const target = Math.min(0, Math.max(FLOOR_DB, targetDb));
  const fall = (RELEASE_DB_PER_S * elapsedMs) / 1000;
  const levelDb =
    target > state.levelDb
      ? target + (state.levelDb - target) * Math.exp(-elapsedMs / ATTACK_MS)
      : Math.max(target, state.levelDb - fall);
  const settled = Math.abs(levelDb - target) < 0.05 ? target : levelDb;
  if (settled >= state.peakDb) {
    if (settled === state.levelDb && settled === state.peakDb) return state;
    return { levelDb: settled, peakDb: settled, heldMs: 0 };
  }
  const heldMs = state.heldMs + elapsedMs;
  const peakDb = heldMs > HOLD_MS ? Math.max(settled, state.peakDb - fall) : state.peakDb;
  return { levelDb: settled, peakDb, heldMs };
}

/** @param {number} db @returns {number} Share of the meter's length, 0 to 1. */
export const lengthOf = (db) => (Math.min(0, Math.max(FLOOR_DB, db)) - FLOOR_DB) / -FLOOR_DB;
