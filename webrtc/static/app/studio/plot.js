import { make } from '../dom.js';
import { eachFrame } from '../frame_loop.js';
import { colour, onPaletteChange } from '../palette.js';
import { fit, onResize } from '../desk/canvas.js';

const FONT_PX = 10;
const still = globalThis.matchMedia?.('(prefers-reduced-motion: reduce)');

/** Whether the user wants nothing to move by itself. */
export const isStill = () => still?.matches ?? false;

/**
 * A picture on one canvas, drawn only when there is something new. A subclass says how it is drawn
 * (`draw`), and how it moves (`move`) as long as it does; `refresh` asks for a drawing. Purely
 * visual: what it shows is also said by the controls and figures beside it.
 */
export class Plot extends HTMLElement {
  #canvas = make('canvas', { class: 'plot-canvas', attributes: { 'aria-hidden': 'true' } });
  #context = this.#canvas.getContext('2d');
  #width = 0;
  #height = 0;
  #ratio = 1;
  /** @type {(() => void)[]} */
  #observers = [];
  /** @type {(() => void) | null} */
  #stop = null;

  connectedCallback() {
    this.classList.add('plot');
    if (!this.#canvas.isConnected) this.prepend(this.#canvas);
    this.#observers = [
      onResize(this, (width, height) => this.#resized(width, height)),
      onPaletteChange(() => this.#paint()),
    ];
    this.refresh();
  }

  disconnectedCallback() {
    for (const stop of this.#observers.splice(0)) stop();
    this.#halt();
  }

  /** CSS pixels. */
  get width() {
    return this.#width;
  }

  get height() {
    return this.#height;
  }

  /** There is something new to draw. */
  refresh() {
    if (!this.isConnected) return;
    this.#stop ??= eachFrame((elapsedMs) => this.#frame(elapsedMs), { everyMs: 0 });
  }

  /**
   * Move what is shown.
   * @param {number} _elapsedMs Infinity: at once, nothing is to be seen on its way.
   * @returns {boolean} Whether it goes on.
   */
  move(_elapsedMs) {
    return false;
  }

  /**
   * @param {CanvasRenderingContext2D} _context Scaled to CSS pixels, and empty.
   * @param {number} _width
   * @param {number} _height
   */
  draw(_context, _width, _height) {}

  /** The size changed. */
  resized() {}

  /** @param {number} elapsedMs */
  #frame(elapsedMs) {
    const goesOn = this.move(isStill() ? Infinity : elapsedMs);
    this.#paint();
    if (!goesOn) this.#halt();
  }

  #halt() {
    this.#stop?.();
    this.#stop = null;
  }

  /** @param {number} width @param {number} height */
  #resized(width, height) {
    this.#width = width;
    this.#height = height;
    this.#ratio = fit(this.#canvas, width, height);
    this.resized();
    this.#paint();
  }

  #paint() {
    const context = this.#context;
    if (!context || this.#width === 0) return;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    context.clearRect(0, 0, this.#width, this.#height);
    context.font = `${FONT_PX}px ${colour('--font-figures')}`;
    context.lineWidth = 1;
    context.setLineDash([]);
    this.draw(context, this.#width, this.#height);
  }
}

/**
 * A line along points.
 * @param {CanvasRenderingContext2D} context
 * @param {number} count
 * @param {(index: number) => number} x
 * @param {(index: number) => number} y
 */
export function trace(context, count, x, y) {
  context.beginPath();
  for (let index = 0; index < count; index += 1) {
    if (index === 0) context.moveTo(x(index), y(index));
    else context.lineTo(x(index), y(index));
  }
}

/**
 * A word of a scale, readable on whatever is drawn behind it; its left end is at `x`, its lower one at
 * `y`.
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} x
 * @param {number} y
 */
export function mark(context, text, x, y) {
  const { width } = context.measureText(text);
  context.fillStyle = colour('--screen');
  context.globalAlpha = 0.7;
  context.fillRect(x - 3, y - FONT_PX - 2, width + 6, FONT_PX + 3);
  context.globalAlpha = 1;
  context.fillStyle = colour('--screen-text');
  context.textAlign = 'left';
  context.textBaseline = 'bottom';
  context.fillText(text, x, y);
}

/** Decibels, or whatever has a sign, as they are written. @param {number} value */
export const signed = (value) => (value > 0 ? `+${value}` : String(value).replace('-', '−'));

/**
 * A straight line, sharp on the pixel.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 */
export function line(context, x0, y0, x1, y1) {
  context.beginPath();
  context.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
  context.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  context.stroke();
}
