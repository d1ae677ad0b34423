/**
 * The page's one animation loop. It runs only while somebody wants frames and the page is seen. Meters
 * take about 30 frames per second, which is enough for a bar and half the work, and 20 where dozens of
 * them are in sight, of which the server tells 25 times a second; plots take all. A
 * frame that nobody wants is not asked for: it would be laid out and shown all the same.
 */

const METER_MS = 30;
/** From so many painters on each has a third fewer frames. */
const MANY = 40;
const SLOWER = 1.6;
/** Less before the next is due than one frame of any usual screen: ask for it. */
const SOON_MS = 12;

/**
 * @typedef {object} Painter
 * @property {(elapsedMs: number) => void} paint
 * @property {number} everyMs
 * @property {number} last When it painted.
 */

/** @type {Set<Painter>} */
const painters = new Set();
let isAsked = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {number} now */
function frame(now) {
  isAsked = false;
  const pace = painters.size >= MANY ? SLOWER : 1;
  for (const painter of painters) {
    const elapsedMs = now - painter.last;
    if (elapsedMs < painter.everyMs * pace) continue;
    painter.last = now;
    try {
      painter.paint(Math.min(250, elapsedMs));
    } catch (error) {
      reportError(error); // the others go on
    }
  }
  if (painters.size === 0) return;
  const dueMs = Math.min(...[...painters].map(({ last, everyMs }) => last + everyMs * pace)) - now;
  if (dueMs <= SOON_MS) ask();
  else timer = setTimeout(ask, dueMs - SOON_MS);
}

function ask() {
  clearTimeout(timer);
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(frame);
}

/**
 * Call `paint` before every frame.
 * @param {(elapsedMs: number) => void} paint
 * @param {{ everyMs?: number }} [options] 0: as often as the screen shows something new.
 * @returns {() => void} Stops it.
 */
export function eachFrame(paint, { everyMs = METER_MS } = {}) {
  // In step with the others of its rate, or every frame would be somebody's.
  const peer = [...painters].find((one) => one.everyMs === everyMs);
  const painter = { paint, everyMs, last: peer?.last ?? performance.now() };
  painters.add(painter);
  ask();
  return () => painters.delete(painter);
}
