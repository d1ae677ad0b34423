/**
 * The page's one animation loop. It runs only while somebody wants frames and the page is seen. Meters
 * take about 30 frames per second, which is enough for a bar and half the work; plots take all.
 */

const METER_MS = 30;

/**
 * @typedef {object} Painter
 * @property {(elapsedMs: number) => void} paint
 * @property {number} everyMs
 * @property {number} last When it painted.
 */

/** @type {Set<Painter>} */
const painters = new Set();
let handle = 0;

/** @param {number} now */
function frame(now) {
  for (const painter of painters) {
    const elapsedMs = now - painter.last;
    if (elapsedMs < painter.everyMs) continue;
    painter.last = now;
    painter.paint(Math.min(250, elapsedMs));
  }
  handle = painters.size > 0 ? requestAnimationFrame(frame) : 0;
}

/**
 * Call `paint` before every frame.
 * @param {(elapsedMs: number) => void} paint
 * @param {{ everyMs?: number }} [options] 0: as often as the screen shows something new.
 * @returns {() => void} Stops it.
 */
export function eachFrame(paint, { everyMs = METER_MS } = {}) {
  const painter = { paint, everyMs, last: performance.now() };
  painters.add(painter);
  if (handle === 0) handle = requestAnimationFrame(frame);
  return () => painters.delete(painter);
}
