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
 * Of a row that is to be put in order, those that need not be moved: the most that are in the wanted
 * order among themselves. To move an element costs it what it has drawn, and the focus.
 * @template T
 * @param {readonly T[]} row
 * @param {readonly T[]} wanted
 * @param {T | null} [focused] Stays in any case.
 * @returns {Set<T>}
 */
export function stayingPut(row, wanted, focused = null) {
  const rank = new Map(wanted.map((one, index) => [one, index]));
  const known = row.filter((one) => rank.has(one) && isInOrder(row, rank, one, focused));
  const ranks = known.map((one) => rank.get(one) ?? 0);
  // The longest rising sequence that ends at each, and what comes before it there.
  const lengths = ranks.map(() => 1);
  const before = ranks.map(() => -1);
  ranks.forEach((value, at) => {
    for (let i = 0; i < at; i += 1) {
      if ((ranks[i] ?? 0) < value && (lengths[i] ?? 0) >= (lengths[at] ?? 0)) {
        lengths[at] = (lengths[i] ?? 0) + 1;
        before[at] = i;
      }
    }
  });
  const kept = new Set();
  for (let at = lengths.indexOf(Math.max(0, ...lengths)); at >= 0; at = before[at] ?? -1) {
    kept.add(known[at]);
  }
  return kept;
}

/**
 * @template T
 * @param {readonly T[]} row
 * @param {ReadonlyMap<T, number>} rank
 * @param {T} one
 * @param {T | null} focused
 * @returns {boolean} Whether both are in the wanted order.
 */
function isInOrder(row, rank, one, focused) {
  const middle = focused === null ? undefined : rank.get(focused);
  if (middle === undefined || focused === null || one === focused) return true;
  return (rank.get(one) ?? 0) < middle === row.indexOf(one) < row.indexOf(focused);
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
