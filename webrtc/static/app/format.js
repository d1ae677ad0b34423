/** Figures as people read them. A dash stands for what is not known. */

const DASH = '–';
const MINUS = '−';

/** @param {number} value @param {number} digits */
const fixed = (value, digits) =>
  value
    .toFixed(digits)
    .replace(/^-(?=0(\.0*)?$)/, '')
    .replace('-', MINUS);

/** @param {number | null} ms */
export const formatMs = (ms) => (ms === null ? DASH : `${fixed(ms, ms < 10 ? 1 : 0)} ms`);

/** @param {number | null} share */
export const formatShare = (share) => (share === null ? DASH : `${fixed(share * 100, 1)} %`);

/** @param {number | null} kbps */
export const formatKbps = (kbps) => (kbps === null ? DASH : `${fixed(kbps, 0)} kb/s`);

/** @param {number | null} ppm */
export const formatPpm = (ppm) => (ppm === null ? DASH : `${fixed(ppm, 0)} ppm`);

/** @param {number | null} count */
export const formatCount = (count) => (count === null ? DASH : String(count));

/** @param {number} db −60 and below are silence. */
export const formatDb = (db) => (db <= -60 ? `${MINUS}∞` : `${db >= 0.05 ? '+' : ''}${fixed(db, 1)}`);

/** @param {string} detail As the server puts it: without capital and full stop. */
export function sentence(detail) {
  const begun = (detail[0] ?? '').toUpperCase() + detail.slice(1);
  return /(^|[.!?])$/.test(begun) ? begun : `${begun}.`;
}

/** @param {number} pan −1 to +1. */
export function formatPan(pan) {
  const percent = Math.round(Math.abs(pan) * 100);
  if (percent === 0) return 'C';
  return pan < 0 ? `L${percent}` : `R${percent}`;
}

/**
 * What somebody typed into a field for decibels.
 * @param {string} text
 * @returns {number | null} Null: not a number.
 */
export function parseDb(text) {
  const plain = text
    .trim()
    .replaceAll(MINUS, '-')
    .replace(',', '.')
    .replace(/\s*db$/i, '');
  if (/^-(∞|inf(inity)?|oo)$/i.test(plain)) return -60;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain)) return null;
  return Number(plain);
}

/** @param {number} lufs Below −70 is nothing. */
export const formatLufs = (lufs) => (lufs < -70 ? `${MINUS}∞` : fixed(lufs, 1));
