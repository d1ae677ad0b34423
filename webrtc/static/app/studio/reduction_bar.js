import { colour } from '../palette.js';
import { Plot, line } from './plot.js';

const MOST_DB = 24;
const MARKS = [3, 6, 12, 18];
const BAR_PX = 8;
/** As of the desk's meters: shown at once, let go of slowly enough to be read. */
const RETURN_DB_PER_MS = 0.04;

/** How far something is turned down just now: a bar that grows from the right. */
export class AgReduction extends Plot {
  #target = 0;
  #shown = 0;

  /** @param {number} db 0 or less. */
  hear(db) {
    this.#target = Math.max(0, -db);
    this.refresh();
  }

  /** @override @param {number} elapsedMs */
  move(elapsedMs) {
    this.#shown = Math.max(this.#target, this.#shown - RETURN_DB_PER_MS * elapsedMs);
    return this.#shown !== this.#target;
  }

  /**
   * @override
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  draw(context, width, height) {
    const x = (/** @type {number} */ db) => width - (Math.min(MOST_DB, db) / MOST_DB) * width;
    context.fillStyle = colour('--meter-slot');
    context.fillRect(0, 0, width, BAR_PX);
    context.fillStyle = colour('--meter-reduction');
    context.fillRect(x(this.#shown), 0, width - x(this.#shown), BAR_PX);
    context.fillStyle = colour('--dim');
    context.strokeStyle = colour('--dim');
    context.textBaseline = 'bottom';
    context.textAlign = 'center';
    for (const db of MARKS) {
      line(context, x(db), BAR_PX + 1, x(db), BAR_PX + 3);
      context.fillText(String(db), x(db), height);
    }
    context.textAlign = 'right';
    context.fillText('0', width - 1, height);
  }
}
