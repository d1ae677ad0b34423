/**
 * The page's one animation loop. It runs only while somebody wants frames and the page is seen, at
 * about 30 frames per second: enough for a meter, half the work.
 */

const FRAME_MS = 30;

/** @type {Set<(elapsedMs: number) => void>} */
const painters = new Set();
let handle = 0;
let last = 0;

/** @param {number} now */
function frame(now) {
  const elapsedMs = now - last;
  if (elapsedMs >= FRAME_MS) {
    last = now;
    for (const paint of painters) paint(Math.min(250, elapsedMs));
  }
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
