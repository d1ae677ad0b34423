/** How well a connection does, in a word. */

/** @typedef {'good' | 'fair' | 'poor'} Quality */

/** From here on it is no longer good, and from there on poor. */
const LIMITS = /** @type {const} */ ({
  loss: [0.02, 0.06],
  roundTripMs: [200, 400],
  jitterMs: [30, 60],
  concealedRatio: [0.02, 0.06],
});

/** @type {Record<Quality, string>} */
export const QUALITY_WORDS = {
  good: 'Good connection',
  fair: 'Fair connection',
  poor: 'Poor connection',
};

/**
 * @param {Pick<import('../client/stats.js').AudioStats,
 *   'loss' | 'roundTripMs' | 'jitterMs' | 'concealedRatio'>} stats
 * @returns {Quality | null} Null: nothing is known yet.
 */
export function qualityOf({ loss, roundTripMs, jitterMs, concealedRatio }) {
  const known = /** @type {const} */ ([
    [loss.up, LIMITS.loss],
    [loss.down, LIMITS.loss],
    [roundTripMs, LIMITS.roundTripMs],
    [jitterMs, LIMITS.jitterMs],
    [concealedRatio, LIMITS.concealedRatio],
  ]);
  if (known.every(([value]) => value === null)) return null;
  if (known.some(([value, [, poor]]) => (value ?? 0) >= poor)) return 'poor';
  return known.some(([value, [fair]]) => (value ?? 0) >= fair) ? 'fair' : 'good';
}
