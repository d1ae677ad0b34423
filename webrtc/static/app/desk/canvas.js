/** A canvas that is as sharp as the screen and as large as its element. */

/** @type {WeakMap<Element, (width: number, height: number) => void>} */
const resized = new WeakMap();
/** @type {ResizeObserver | null} One for all. */
let observer = null;

/**
 * @param {HTMLElement} element
 * @param {(width: number, height: number) => void} handler Told its size in CSS pixels, at once and
 *   whenever it changes.
 * @returns {() => void} Stops it.
 */
export function onResize(element, handler) {
  observer ??= new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      resized.get(target)?.(contentRect.width, contentRect.height);
    }
  });
  resized.set(element, handler);
  observer.observe(element);
  return () => observer?.unobserve(element);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width CSS pixels.
 * @param {number} height
 * @returns {number} Device pixels per CSS pixel.
 */
export function fit(canvas, width, height) {
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  return ratio;
}
