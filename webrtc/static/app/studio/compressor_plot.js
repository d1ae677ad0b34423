import { colour } from '../palette.js';
import { compressedDb, makeupDb } from './dynamics.js';
import { Plot, line, signed, trace } from './plot.js';

/** @typedef {import('./dynamics.js').Compressor} Compressor */

/** What is shown on both axes, dBFS. */
const LOW_DB = -60;
const HIGH_DB = 0;
const MARKS = [-50, -40, -30, -20, -10];
const DOT_PX = 5;
const FALL_DB_PER_MS = 0.04;

/**
 * What leaves the compressor over what comes in, knee and make-up included, and a dot where the sound
 * is just now: beside the curve while attack and release are at work.
 */
export class AgCompressorPlot extends Plot {
  /** @type {Compressor | null} */
  #settings = null;
  #acts = false;
  #in = -Infinity;
  #reduction = 0;
  #shownIn = LOW_DB - 6;
  #shownReduction = 0;

  /** @param {Compressor} settings @param {boolean} acts Whether it is on. */
  show(settings, acts) {
    this.#settings = settings;
    this.#acts = acts;
    this.refresh();
  }

  /**
   * @param {number} levelDb What comes in.
   * @param {number} takenDb What is taken away of it, 0 or less.
   */
  hear(levelDb, takenDb) {
    this.#in = levelDb;
    this.#reduction = takenDb;
    this.refresh();
  }

  /** @override @param {number} elapsedMs */
  move(elapsedMs) {
    const goal = Math.max(LOW_DB - 6, Math.min(HIGH_DB, this.#in));
    const fallen = Math.max(goal, this.#shownIn - FALL_DB_PER_MS * elapsedMs);
    this.#shownIn = goal > this.#shownIn ? goal : fallen;
    const share = 1 - Math.exp(-elapsedMs / 40);
    this.#shownReduction += (this.#reduction - this.#shownReduction) * share;
    const arrived = Math.abs(this.#reduction - this.#shownReduction) < 0.05;
    if (arrived) this.#shownReduction = this.#reduction;
    return !arrived || this.#shownIn !== goal;
  }

  /**
   * @override
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  draw(context, width, height) {
    const x = (/** @type {number} */ db) => ((db - LOW_DB) / (HIGH_DB - LOW_DB)) * width;
    const y = (/** @type {number} */ db) => height - ((db - LOW_DB) / (HIGH_DB - LOW_DB)) * height;
    this.#drawGrid(context, width, height, x, y);
    const settings = this.#settings;
    if (!settings) return;
    const { thresholdDb, kneeDb } = settings;
    if (this.#acts) {
      context.fillStyle = colour('--screen-fill');
      const left = x(thresholdDb - kneeDb / 2);
      context.fillRect(left, 0, Math.max(1, x(thresholdDb + kneeDb / 2) - left), height);
      context.strokeStyle = colour('--screen-zero');
      context.setLineDash([3, 3]);
      line(context, x(thresholdDb), 0, x(thresholdDb), height);
      context.setLineDash([]);
    }
    const count = Math.floor(width / 2) + 1;
    const level = (/** @type {number} */ index) =>
      LOW_DB + ((index * 2) / width) * (HIGH_DB - LOW_DB);
    trace(
      context,
      count,
      (index) => index * 2,
      (index) => y(this.#acts ? compressedDb(settings, level(index)) : level(index)),
    );
    context.strokeStyle = colour(this.#acts ? '--screen-trace' : '--screen-text');
    context.lineWidth = 2;
    context.stroke();
    this.#drawDot(context, settings, x, y);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Compressor} settings
   * @param {(db: number) => number} x
   * @param {(db: number) => number} y
   */
  #drawDot(context, settings, x, y) {
    if (this.#shownIn <= LOW_DB) return;
    const taken = this.#acts ? this.#shownReduction + makeupDb(settings) : 0;
    const out = Math.min(HIGH_DB, this.#shownIn + taken);
    const [dotX, dotY] = [x(this.#shownIn), y(out)];
    context.strokeStyle = colour('--screen-sound');
    line(context, dotX, y(LOW_DB), dotX, dotY);
    line(context, 0, dotY, dotX, dotY);
    context.fillStyle = colour('--screen-dot');
    context.beginPath();
    context.arc(dotX, dotY, DOT_PX, 0, 2 * Math.PI);
    context.fill();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   * @param {(db: number) => number} x
   * @param {(db: number) => number} y
   */
  #drawGrid(context, width, height, x, y) {
    context.strokeStyle = colour('--screen-line');
    context.fillStyle = colour('--screen-text');
    context.textAlign = 'center';
    context.textBaseline = 'bottom';
    for (const db of MARKS) {
      line(context, x(db), 0, x(db), height);
      line(context, 0, y(db), width, y(db));
      if (db % 20 === 0) context.fillText(signed(db), x(db), height - 3);
    }
    context.strokeStyle = colour('--screen-zero');
    context.beginPath();
    context.moveTo(0, height);
    context.lineTo(width, 0);
    context.stroke();
  }
}

/** @param {import('./settings.js').Values} values @returns {Compressor} */
export const compressorOf = (values) => ({
  thresholdDb: values.compThreshold,
  ratio: values.compRatio,
  kneeDb: values.compKnee,
  makeupDb: values.makeupGain,
  autoMakeup: values.autoMakeup,
});
