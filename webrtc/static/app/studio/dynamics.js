/**
 * What the compressor does to a steady level, as the server computes it (dsp/compressor.py). Levels in
 * dBFS, gains in dB.
 */

const SMALLEST_KNEE_DB = 0.01;

/**
 * @typedef {object} Compressor
 * @property {number} thresholdDb
 * @property {number} ratio
 * @property {number} kneeDb
 * @property {number} makeupDb
 * @property {boolean} autoMakeup
 */

/**
 * The gain, 0 or less, that a steady peak level ends at; without make-up. The knee is a parabola
 * (D. Giannoulis, M. Massberg, J. D. Reiss, JAES 60(6), 2012).
 * @param {Compressor} settings
 * @param {number} levelDb
 */
export function reductionDb({ thresholdDb, ratio, kneeDb }, levelDb) {
  const knee = Math.max(kneeDb, SMALLEST_KNEE_DB);
  const over = levelDb - thresholdDb;
  const bend = Math.min(Math.max(over + knee / 2, 0), knee);
  const above = bend ** 2 / (2 * knee) + Math.max(over - knee / 2, 0);
  return (1 / ratio - 1) * above;
}

/**
 * Make-up gain with the automatic part: half of what full scale would lose.
 * @param {Compressor} settings
 */
export const makeupDb = (settings) =>
  settings.makeupDb + (settings.autoMakeup ? -0.5 * reductionDb(settings, 0) : 0);

/**
 * @param {Compressor} settings
 * @param {number} levelDb
 * @returns {number} The level that leaves.
 */
export const compressedDb = (settings, levelDb) =>
  levelDb + reductionDb(settings, levelDb) + makeupDb(settings);
