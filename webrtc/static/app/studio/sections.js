/**
 * The filters of low cut and equaliser as the server computes them (dsp/svf.py): second-order
 * sections whose transfer functions are those of R. Bristow-Johnson's "Audio EQ Cookbook", by the
 * bilinear transform at 48 kHz with the corner prewarped. At a frequency f the section's complex
 * frequency is s = j · tan(π f / fs) / g, and its response
 *
 *     H = m0 + (m1 s + m2) / (s² + k s + 1)
 */

export const SAMPLE_RATE_HZ = 48_000;
const HIGHEST_HZ = 0.49 * SAMPLE_RATE_HZ;

/** @typedef {{ g: number, k: number, m0: number, m1: number, m2: number }} Section */
/** @typedef {'low_shelf' | 'peak' | 'high_shelf'} Shape */

/** @param {number} hz */
const warp = (hz) => Math.tan((Math.PI * Math.min(hz, HIGHEST_HZ)) / SAMPLE_RATE_HZ);

/** @type {Record<Shape, (hz: number, gainDb: number, q: number) => Section>} */
const SHAPES = {
  low_shelf: (hz, gainDb, q) => {
    const a = 10 ** (gainDb / 40);
    const k = 1 / q;
    return { g: warp(hz) / Math.sqrt(a), k, m0: 1, m1: k * (a - 1), m2: a * a - 1 };
  },
  peak: (hz, gainDb, q) => {
    const a = 10 ** (gainDb / 40);
    const k = 1 / (q * a);
    return { g: warp(hz), k, m0: 1, m1: k * (a * a - 1), m2: 0 };
  },
  high_shelf: (hz, gainDb, q) => {
    const a = 10 ** (gainDb / 40);
    const k = 1 / q;
    return { g: warp(hz) * Math.sqrt(a), k, m0: a * a, m1: k * (1 - a) * a, m2: 1 - a * a };
  },
};

/**
 * One band of the equaliser.
 * @param {Shape} shape
 * @param {number} hz Centre of a bell, corner of a shelf.
 * @param {number} gainDb
 * @param {number} q
 * @returns {Section | null} Null: 0 dB, left out.
 */
export const bandSection = (shape, hz, gainDb, q) =>
  gainDb === 0 ? null : SHAPES[shape](hz, gainDb, q);

/**
 * The low cut: Butterworth, 12 dB per octave.
 * @param {number} hz
 * @returns {Section}
 */
export function lowCutSection(hz) {
  const k = Math.SQRT2;
  return { g: warp(hz), k, m0: 1, m1: -k, m2: -1 };
}

/**
 * @param {Section} section
 * @param {number} hz Up to half the sample rate.
 * @returns {number} Gain in dB.
 */
export function responseDb({ g, k, m0, m1, m2 }, hz) {
  const w = Math.tan((Math.PI * Math.min(hz, HIGHEST_HZ)) / SAMPLE_RATE_HZ) / g;
  // Numerator and denominator of H over the common s² + k s + 1, with s = j w.
  const real = 1 - w * w;
  const imaginary = k * w;
  const up = (m0 * real + m2) ** 2 + (m0 * imaginary + m1 * w) ** 2;
  return 10 * Math.log10(Math.max(up / (real * real + imaginary * imaginary), 1e-12));
}

/**
 * @param {readonly (Section | null)[]} sections In series.
 * @param {number} hz
 * @returns {number} Gain in dB.
 */
export const chainDb = (sections, hz) =>
  sections.reduce((sum, section) => (section ? sum + responseDb(section, hz) : sum), 0);
