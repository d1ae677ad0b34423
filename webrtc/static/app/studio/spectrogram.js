import { make } from '../dom.js';
import { colour, onPaletteChange } from '../palette.js';
import { BANDS, SILENCE_DB } from './bands.js';
import { xOf } from './eq_bands.js';
import { Plot, isStill, line, mark } from './plot.js';

/** What is shown, dBFS, from dark to bright. */
const LOW_DB = -84;
const HIGH_DB = -12;
/** Columns that are kept: 25 a second, sixteen seconds. */
const KEPT = 400;
const COLUMN_MS = 40;
const HZ_MARKS = /** @type {const} */ ([
  [100, '100'],
  [500, '500'],
  [1000, '1k'],
  [5000, '5k'],
]);
const HEAT = ['--heat-0', '--heat-1', '--heat-2', '--heat-3', '--heat-4'];
const SHADES = 128;

/**
 * The spectrum of the last seconds: time to the right, pitch upwards, the louder the brighter. Columns
 * are painted once, on a canvas behind, which is written round and round.
 */
export class AgSpectrogram extends Plot {
  #store = make('canvas', { attributes: { width: String(KEPT), height: String(BANDS) } });
  #ink = this.#store.getContext('2d', { willReadFrequently: false });
  /** @type {ImageData | null} */
  #column = null;
  #next = 0;
  /** Of the newest column, what has come into sight. */
  #since = COLUMN_MS;
  /** @type {Uint8ClampedArray | null} */
  #shades = null;
  /** @type {(() => void) | null} */
  #forget = null;

  /** @override */
  connectedCallback() {
    this.#forget = onPaletteChange(() => (this.#shades = null));
    super.connectedCallback();
  }

  /** @override */
  disconnectedCallback() {
    this.#forget?.();
    super.disconnectedCallback();
  }

  /** @param {ArrayLike<number> | null} bandsDb The next column; null: silence. */
  hear(bandsDb) {
    const ink = this.#ink;
    if (!ink) return;
    const column = (this.#column ??= ink.createImageData(1, BANDS));
    this.#shades ??= makeShades();
    for (let band = 0; band < BANDS; band += 1) {
      const db = bandsDb?.[band] ?? SILENCE_DB;
      const share = Math.min(1, Math.max(0, (db - LOW_DB) / (HIGH_DB - LOW_DB)));
      const shade = 4 * Math.round(share * (SHADES - 1));
      column.data.set(this.#shades.subarray(shade, shade + 4), 4 * (BANDS - 1 - band));
    }
    ink.putImageData(column, this.#next, 0);
    this.#next = (this.#next + 1) % KEPT;
    this.#since = 0;
    this.refresh();
  }

  /** Forget what was heard: something else comes. */
  clear() {
    this.#ink?.clearRect(0, 0, KEPT, BANDS);
    this.refresh();
  }

  /** @override @param {number} elapsedMs */
  move(elapsedMs) {
    this.#since = Math.min(COLUMN_MS, this.#since + elapsedMs);
    return this.#since < COLUMN_MS;
  }

  /**
   * @override
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  draw(context, width, height) {
    const wide = width / KEPT;
    // The newest column slides in within the time until the next.
    const late = isStill() ? 0 : (1 - this.#since / COLUMN_MS) * wide;
    const old = KEPT - this.#next;
    context.imageSmoothingEnabled = true;
    if (old > 0) {
      context.drawImage(this.#store, this.#next, 0, old, BANDS, late, 0, old * wide, height);
    }
    if (this.#next > 0) {
      const left = late + old * wide;
      context.drawImage(this.#store, 0, 0, this.#next, BANDS, left, 0, this.#next * wide, height);
    }
    context.strokeStyle = colour('--screen-line');
    for (const [hz, text] of HZ_MARKS) {
      const y = height - xOf(hz) * height;
      line(context, 0, y, width, y);
      mark(context, text, 5, y - 1);
    }
  }
}

/** @returns {Uint8ClampedArray} Red, green, blue and alpha of each shade, dark to bright. */
function makeShades() {
  const canvas = make('canvas', { attributes: { width: String(SHADES), height: '1' } });
  const context = canvas.getContext('2d');
  if (!context) return new Uint8ClampedArray(4 * SHADES);
  const gradient = context.createLinearGradient(0, 0, SHADES, 0);
  HEAT.forEach((token, index) => gradient.addColorStop(index / (HEAT.length - 1), colour(token)));
  context.fillStyle = gradient;
  context.fillRect(0, 0, SHADES, 1);
  return context.getImageData(0, 0, SHADES, 1).data;
}
