/**
 * Which strips of a long row are made at all: those in sight and a few on either side. Arithmetic
 * only, in CSS pixels.
 */

const NARROWEST_PX = 118;
const WIDEST_PX = 150;
const BESIDE = 2;

/**
 * How wide each strip is. Few share the place, many scroll.
 * @param {number} count
 * @param {number} viewPx
 */
export function pitchOf(count, viewPx) {
  if (count === 0) return WIDEST_PX;
  return Math.round(Math.min(WIDEST_PX, Math.max(NARROWEST_PX, viewPx / count)));
}

/**
 * @param {{ count: number, pitchPx: number, scrollPx: number, viewPx: number }} bank
 * @returns {{ first: number, end: number }} Those from `first` on, up to before `end`.
 */
export function inSight({ count, pitchPx, scrollPx, viewPx }) {
  const first = Math.max(0, Math.floor(scrollPx / pitchPx) - BESIDE);
  const end = Math.min(count, Math.ceil((scrollPx + viewPx) / pitchPx) + BESIDE);
  return { first: Math.min(first, Math.max(0, end - 1)), end };
}
