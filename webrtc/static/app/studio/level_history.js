import { colour } from '../palette.js';
import { Plot, line, mark, signed, trace } from './plot.js';
import { Timeline } from './timeline.js';

const LOW_DB = -60;
const MARKS = [-50, -40, -30, -20, -10];
/** Moments that are kept: 25 a second, twenty seconds. */
const KEPT = 500;

/** Peaks of the last seconds as a hill, and loudness as a line over it. */
export class AgLevelHistory extends Plot {
  #line = new Timeline(KEPT, ['peak', 'loudness'], LOW_DB);

  /** @param {number} peakDb @param {number} lufs */
  hear(peakDb, lufs) {
    this.#line.push({ peak: Math.max(LOW_DB, peakDb), loudness: Math.max(LOW_DB, lufs) });
    this.refresh();
  }

  /** Forget what was heard: something else comes. */
  clear() {
    this.#line.clear();
    this.refresh();
  }

  /**
   * @override
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  draw(context, width, height) {
    const x = (/** @type {number} */ at) => (at / (KEPT - 1)) * width;
    const y = (/** @type {number} */ db) => (db / LOW_DB) * height;
    trace(context, KEPT, x, (at) => y(this.#line.value('peak', at)));
    context.lineTo(width, height + 1);
    context.lineTo(0, height + 1);
    context.closePath();
    context.fillStyle = colour('--screen-sound-fill');
    context.fill();
    context.strokeStyle = colour('--screen-line');
    for (const db of MARKS) {
      line(context, 0, y(db), width, y(db));
      if (db % 20 === 0) mark(context, signed(db), 5, y(db) - 1);
    }
    context.strokeStyle = colour('--screen-trace');
    context.lineWidth = 1.5;
    // Where nothing was measured there is no line.
    const loudness = Array.from({ length: KEPT }, (_, at) => this.#line.value('loudness', at));
    const begin = loudness.findIndex((lufs) => lufs > LOW_DB);
    if (begin < 0) return;
    trace(context, KEPT - begin, (at) => x(at + begin), (at) => y(loudness[at + begin] ?? LOW_DB));
    context.stroke();
  }
}
