import { colour } from '../palette.js';
import { Plot, line, mark, signed } from './plot.js';
import { scaleOf } from './settings.js';
import { Timeline } from './timeline.js';

/** What is shown, dBFS. */
const LOW_DB = -80;
const MARKS = [-60, -40, -20];
/** Readings that are kept: 25 a second, four seconds. */
const KEPT = 100;
const GRIP_PX = 10;

/**
 * How loud it was at the gate in the last seconds, against its thresholds: bright where the gate let
 * it through. The threshold can be drawn up and down. Fires `threshold` with `detail.value`.
 */
export class AgGatePlot extends Plot {
  #line = new Timeline(KEPT, ['level', 'gain'], LOW_DB);
  #thresholdDb = -60;
  #closeDb = -66;
  #acts = false;
  #allowed = true;

  constructor() {
    super();
    this.addEventListener('pointerdown', (event) => this.#grip(event));
  }

  /**
   * @param {{ thresholdDb: number, hysteresisDb: number }} settings
   * @param {boolean} acts Whether it is on.
   */
  show({ thresholdDb, hysteresisDb }, acts) {
    this.#thresholdDb = thresholdDb;
    this.#closeDb = thresholdDb - hysteresisDb;
    this.#acts = acts;
    this.classList.toggle('grips', acts && this.#allowed);
    this.refresh();
  }

  /** @param {boolean} allowed */
  allow(allowed) {
    this.#allowed = allowed;
    this.classList.toggle('grips', this.#acts && allowed);
  }

  /**
   * @param {number} levelDb
   * @param {number} gateDb What it lets through at least, 0 or less.
   */
  hear(levelDb, gateDb) {
    this.#line.push({ level: Math.max(LOW_DB, levelDb), gain: gateDb });
    this.refresh();
  }

  /**
   * @override
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  draw(context, width, height) {
    const y = (/** @type {number} */ db) => (db / LOW_DB) * height;
    const wide = width / KEPT;
    for (let at = 0; at < KEPT; at += 1) {
      const level = this.#line.value('level', at);
      if (level <= LOW_DB) continue;
      const open = !this.#acts || this.#line.value('gain', at) > -3;
      context.fillStyle = colour(open ? '--screen-sound-fill' : '--screen-line');
      context.fillRect(at * wide, y(level), wide, height - y(level));
      context.fillStyle = colour(open ? '--screen-sound' : '--screen-zero');
      context.fillRect(at * wide, y(level), wide, 1.5);
    }
    context.strokeStyle = colour('--screen-line');
    for (const db of MARKS) {
      line(context, 0, y(db), width, y(db));
      mark(context, signed(db), 5, y(db) - 1);
    }
    if (!this.#acts) return;
    context.strokeStyle = colour('--screen-trace');
    context.setLineDash([2, 4]);
    line(context, 0, y(this.#closeDb), width, y(this.#closeDb));
    context.setLineDash([]);
    context.lineWidth = 2;
    line(context, 0, y(this.#thresholdDb), width, y(this.#thresholdDb));
    context.fillStyle = colour('--screen-trace');
    context.beginPath();
    context.moveTo(width, y(this.#thresholdDb) - 5);
    context.lineTo(width - 7, y(this.#thresholdDb));
    context.lineTo(width, y(this.#thresholdDb) + 5);
    context.fill();
  }

  /** @param {PointerEvent} event */
  #grip(event) {
    const { top } = this.getBoundingClientRect();
    const at = (this.#thresholdDb / LOW_DB) * this.height;
    if (!this.#acts || !this.#allowed || event.button !== 0) return;
    if (Math.abs(event.clientY - top - at) > GRIP_PX) return;
    event.preventDefault();
    this.setPointerCapture(event.pointerId);
    const letGo = new AbortController();
    const { signal } = letGo;
    const from = { y: event.clientY, db: this.#thresholdDb };
    this.addEventListener('pointermove', (moved) => this.#drag(from, moved), { signal });
    for (const type of /** @type {const} */ (['pointerup', 'pointercancel', 'lostpointercapture'])) {
      this.addEventListener(type, () => letGo.abort(), { signal });
    }
  }

  /**
   * @param {{ y: number, db: number }} from
   * @param {PointerEvent} event
   */
  #drag(from, event) {
    const { min, max } = scaleOf('gateThreshold');
    const db = from.db + ((event.clientY - from.y) / this.height) * LOW_DB;
    const value = Math.min(max, Math.max(min + 1, Math.round(db * 2) / 2));
    this.dispatchEvent(new CustomEvent('threshold', { detail: { value } }));
  }
}
