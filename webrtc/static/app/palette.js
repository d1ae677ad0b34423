/** Colours of the style sheets for what is drawn on a canvas, read once for each colour scheme. */

/** @type {Map<string, string>} */
const known = new Map();
/** @type {Set<() => void>} */
const listeners = new Set();

globalThis.matchMedia?.('(prefers-color-scheme: dark)').addEventListener('change', () => {
  known.clear();
  for (const listener of listeners) listener();
});

/**
 * @param {string} token Such as `--meter-low`.
 * @returns {string}
 */
export function colour(token) {
  let value = known.get(token);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(token).trim();
    known.set(token, value);
  }
  return value;
}

/**
 * @param {() => void} listener Called when the colours are others; draw anew.
 * @returns {() => void} Stops listening.
 */
export function onPaletteChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
