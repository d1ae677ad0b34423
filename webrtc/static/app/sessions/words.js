/** What is said of sessions. @typedef {import('./api.js').Details} Details */

const MINUS = '−';

/** @param {number} seconds */
export function length(seconds) {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, at) => (at ? String(part).padStart(2, '0') : String(part))).join(':');
}

/** @param {number} db */
export const level = (db) => (db <= -120 ? `${MINUS}∞` : db.toFixed(1).replace('-', MINUS));

/** @param {import('./api.js').Format} format */
export const formatName = (format) =>
  `${format.encoding}, ${format.sample_rate_hz / 1000} kHz, ${format.channels === 1 ? 'mono' : 'stereo'}`;

/**
 * Pairs of what and how much.
 * @param {Details} details
 * @returns {[string, string][]}
 */
export function facts({ analysis, format, kept, guess }) {
  /** @type {[string, string][]} */
  const found = [];
  if (kept) found.push(['Kept', length(kept.to_s - kept.from_s)]);
  if (guess?.container) found.push(['File', guess.container.toUpperCase()]);
  if (format) found.push(['Format', formatName(format)]);
  if (analysis) {
    found.push(
      ['Peak', `${level(analysis.peak_dbfs)} dBFS`],
      ['RMS', `${level(analysis.rms_dbfs)} dBFS`],
      ['Loudness', `${level(analysis.loudness_lufs)} LUFS`],
      ['Silence', `${Math.round(analysis.silence_share * 100)} %`],
      ['Clipped', `${analysis.clipped_samples} samples`],
    );
  }
  return found;
}

/**
 * A path that draws peaks (0 to 1) in a field of 1 by 1 for each, mirrored at the middle.
 * @param {number[]} peaks
 */
export function wavePath(peaks) {
  return peaks
    .map((peak, at) => {
      const half = Math.max(0.005, Math.min(1, peak) * 0.48);
      return `M${at + 0.5} ${(0.5 - half).toFixed(3)}V${(0.5 + half).toFixed(3)}`;
    })
    .join('');
}
