/**
 * How long to wait before attempt number `attempt` (0 is the first retry): exponential with full
 * jitter in the upper half, so that many clients of a restarted server come back spread out, yet
 * nobody waits for nothing.
 *
 * @param {number} attempt
 * @param {() => number} random Uniform in [0, 1).
 * @param {{ baseMs?: number, capMs?: number }} [range]
 * @returns {number} Milliseconds.
 */
export function backoffMs(attempt, random, { baseMs = 250, capMs = 8000 } = {}) {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return ceiling / 2 + (ceiling / 2) * random();
}
