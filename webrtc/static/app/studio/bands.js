/**
 * Spectra of 120 bands, each a twelfth of an octave wide, around 20 · 2^(n/12) Hz: as the server sends
 * them for a strip, and as we make them of what is heard here. See dsp/spectrum.py.
 */

export const BANDS = 120;
export const SILENCE_DB = -120;
const LOWEST_HZ = 20;
const PER_OCTAVE = 12;

/** The main lobe of a Blackman window, which an AnalyserNode has, in bins. */
const LINE_BINS = 6;
/** The mean of that window squared: a sine of amplitude 1 has a quarter of it in its line. */
const WINDOW_POWER = 0.42 ** 2 + 0.5 ** 2 / 2 + 0.08 ** 2 / 2;

const RISE_MS = 35;
const FALL_MS = 220;

/** @param {number} band @returns {number} Hz. */
export const centreHz = (band) => LOWEST_HZ * 2 ** (band / PER_OCTAVE);

/**
 * @param {Float32Array} binsDb Of an AnalyserNode: `getFloatFrequencyData`.
 * @param {number} sampleRateHz
 * @param {Float32Array} bandsDb Filled: a sine shows its peak level in dBFS.
 */
export function fillBands(binsDb, sampleRateHz, bandsDb) {
  const below = new Float64Array(binsDb.length + 1);
  for (let bin = 0; bin < binsDb.length; bin += 1) {
    below[bin + 1] = (below[bin] ?? 0) + 10 ** ((binsDb[bin] ?? SILENCE_DB) / 10);
  }
  const bins = (2 * binsDb.length) / sampleRateHz;
  const half = 2 ** (0.5 / PER_OCTAVE);
  for (let band = 0; band < BANDS; band += 1) {
    const centre = centreHz(band) * bins;
    const low = Math.min(centre / half, centre - LINE_BINS / 2) + 0.5;
    const high = Math.max(centre * half, centre + LINE_BINS / 2) + 0.5;
    const power = (between(below, high) - between(below, low)) * (4 / WINDOW_POWER);
    bandsDb[band] = Math.max(SILENCE_DB, 10 * Math.log10(Math.max(power, 1e-12)));
  }
}

/** @param {Float64Array} sums @param {number} at */
function between(sums, at) {
  const inside = Math.min(sums.length - 1, Math.max(0, at));
  const first = Math.floor(inside);
  const low = sums[first] ?? 0;
  return low + ((sums[first + 1] ?? low) - low) * (inside - first);
}

/**
 * Move what is shown towards what is measured: up quickly, down slowly.
 * @param {Float32Array} shown Changed.
 * @param {ArrayLike<number>} target
 * @param {number} elapsedMs Infinity: at once.
 * @returns {boolean} Whether it is still on its way.
 */
export function follow(shown, target, elapsedMs) {
  const rise = 1 - Math.exp(-elapsedMs / RISE_MS);
  const fall = 1 - Math.exp(-elapsedMs / FALL_MS);
  let moves = false;
  for (let band = 0; band < shown.length; band += 1) {
    const goal = target[band] ?? SILENCE_DB;
    const from = shown[band] ?? SILENCE_DB;
    const way = goal - from;
    const arrives = Math.abs(way) < 0.3;
    shown[band] = arrives ? goal : from + way * (way > 0 ? rise : fall);
    moves ||= !arrives;
  }
  return moves;
}

/**
 * How alike two channels are: 1 the same, 0 unrelated, −1 upside down; 1 in silence.
 * @param {ArrayLike<number>} left
 * @param {ArrayLike<number>} right
 */
export function correlationOf(left, right) {
  let both = 0;
  let lefts = 0;
  let rights = 0;
  for (let at = 0; at < left.length; at += 1) {
    const [l, r] = [left[at] ?? 0, right[at] ?? 0];
    both += l * r;
    lefts += l * l;
    rights += r * r;
  }
  const faint = 1e-9 * left.length;
  if (Math.min(lefts, rights) < faint) return Math.max(lefts, rights) < faint ? 1 : 0;
  return Math.max(-1, Math.min(1, both / Math.sqrt(lefts * rights)));
}
