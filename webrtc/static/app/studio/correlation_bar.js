import { colour } from '../palette.js';
import { Plot, line } from './plot.js';

const BAR_PX = 10;
const SETTLE_MS = 250;

/** How alike left and right are: to the right the same, in the middle unrelated, to the left upside down. */
export class AgCorrelation extends Plot {
  #target = 1;
  #shown = 1;

  /** @param {number} correlation −1 to 1. */
  hear(correlation) {
    this.#target = correlation;
    this.refresh();
  }

  /** @override @param {number} elapsedMs */
  move(elapsedMs) {
    const way = this.#target - this.#shown;
    const arrives = Math.abs(way) < 0.005;
    this.#shown = arrives
      ? this.#target
      : this.#shown + way * (1 - Math.exp(-elapsedMs / SETTLE_MS));
    return !arrives;
  }

  /**
   * @override
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  draw(context, width, height) {
    const x = (/** @type {number} */ value) => ((value + 1) / 2) * (width - 2) + 1;
    context.fillStyle = colour('--meter-slot');
    context.fillRect(0, 0, width, BAR_PX);
    const [from, to] = [x(0), x(this.#shown)];
    context.fillStyle = colour(this.#shown < 0 ? '--meter-high' : '--meter-low');
    context.fillRect(Math.min(from, to), 0, Math.abs(to - from), BAR_PX);
    context.fillStyle = colour('--meter-peak');
    context.fillRect(to - 1, 0, 2, BAR_PX);
    context.strokeStyle = colour('--dim');
    context.fillStyle = colour('--dim');
    context.textBaseline = 'bottom';
    for (const [value, text, align] of /** @type {const} */ ([
      [-1, '−1', 'left'],
      [0, '0', 'center'],
      [1, '+1', 'right'],
    ])) {
      context.textAlign = align;
      line(context, x(value), BAR_PX + 1, x(value), BAR_PX + 3);
      context.fillText(text, value === 0 ? x(0) : x(value) - value, height);
    }
  }
}
