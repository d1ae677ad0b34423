/**
 * The page's one animation loop. It runs only while somebody wants frames and the page is seen.
 */

/** @type {Set<(elapsedMs: number) => void>} */
const painters = new Set();
let handle = 0;
let last = 0;

/** @param {number} now */
function frame(now) {
  const elapsedMs = Math.min(250, now - last);
  last = now;
  for (const paint of painters) paint(elapsedMs);
  handle = painters.size > 0 ? requestAnimationFrame(frame) : 0;
}

/**
 * Call `paint` before every frame.
 * @param {(elapsedMs: number) => void} paint
 * @returns {() => void} Stops it.
 */
export function eachFrame(paint) {
  painters.add(paint);
  if (handle === 0) {
    last = performance.now();
    handle = requestAnimationFrame(frame);
  }
  return () => painters.delete(paint);
}
