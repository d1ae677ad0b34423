import { FLOOR_DB, REST, advance, lengthOf } from '../ballistics.js';
import { make } from '../dom.js';
import { eachFrame } from '../frame_loop.js';
import { colour, onPaletteChange } from '../palette.js';
import { fit, onResize } from './canvas.js';

/**
 * @typedef {import('../ballistics.js').Reading} Reading
 * @typedef {import('../ballistics.js').MeterState} MeterState
 */

/** Where the colours change, dBFS. */
const ZONES = /** @type {const} */ ([
  [-60, '--meter-low'],
  [-18, '--meter-mid'],
  [-6, '--meter-high'],
]);
/** Gain reduction is drawn down to here. */
const MOST_REDUCTION_DB = 24;
const REDUCTION_PX = 5;
const GAP_PX = 2;

/** @type {Readonly<Reading>} */
const SILENCE = Object.freeze({ peakDb: FLOOR_DB, rmsDb: FLOOR_DB, reductionDb: 0 });

/**
 * A level meter on a canvas: the mean level as the body of the bar, the peak as its tip, the highest
 * peak as a mark; with the attribute `reduction`, what is taken away hangs beside it from above. It
 * stands, or lies with the attribute `lying`; several `channels` share it.
 *
 * Give it `read` (asked before every frame, one reading for each channel) or `show` a reading; it
 * takes frames only while it moves. Purely visual: what matters is also said in words beside it.
 */
export class AgMeter extends HTMLElement {
  #canvas = make('canvas');
  #width = 0;
  #height = 0;
  #ratio = 1;
  /** @type {MeterState[]} */
  #states = [REST];
  /** Body, tip and mark of each channel, then the reduction: as drawn, and as to be drawn. */
  #drawn = new Int32Array(0);
  #next = new Int32Array(0);
  #lies = false;
  #reduces = false;
  /** @type {CanvasRenderingContext2D | null} */
  #context = null;
  /** @type {readonly Reading[]} */
  #target = [SILENCE];
  /** @type {(() => Reading | readonly Reading[]) | null} */
  #read = null;
  /** @type {(() => void)[]} */
  #observers = [];
  /** @type {(() => void) | null} */
  #stop = null;

  connectedCallback() {
    this.setAttribute('aria-hidden', 'true');
    this.#lies = this.hasAttribute('lying');
    this.#reduces = this.hasAttribute('reduction');
    this.#context ??= this.#canvas.getContext('2d');
    if (!this.#canvas.isConnected) this.replaceChildren(this.#canvas);
    this.#observers = [
      onResize(this, (width, height) => this.#resized(width, height)),
      onPaletteChange(() => this.#draw(true)),
    ];
    this.#run();
  }

  disconnectedCallback() {
    for (const stop of this.#observers.splice(0)) stop();
    this.#halt();
  }

  /** Asked before every frame, until null is given; then the meter falls. */
  set read(/** @type {(() => Reading | readonly Reading[]) | null} */ read) {
    this.#read = read;
    this.#target = [SILENCE];
    this.#run();
  }

  /** @param {...Reading} channels The meter goes there by itself. */
  show(...channels) {
    this.#target = channels;
    this.#run();
  }

  /** Stand still, at nothing: another source comes. */
  reset() {
    this.#states = [REST];
    this.#target = [SILENCE];
    this.#draw(false);
  }

  #run() {
    if (this.isConnected) this.#stop ??= eachFrame((elapsedMs) => this.#step(elapsedMs));
  }

  #halt() {
    this.#stop?.();
    this.#stop = null;
  }

  /** @param {number} elapsedMs */
  #step(elapsedMs) {
    const targets = this.#read ? listOf(this.#read()) : this.#target;
    const before = this.#states;
    this.#states = targets.map((reading, channel) =>
      advance(before[channel] ?? REST, reading, elapsedMs),
    );
    this.#draw(false);
    const moves = this.#states.some((state, channel) => state !== before[channel]);
    if (!this.#read && !moves) this.#halt();
  }

  /** @param {number} width @param {number} height */
  #resized(width, height) {
    this.#width = width;
    this.#height = height;
    this.#ratio = fit(this.#canvas, width, height);
    this.#draw(true);
  }

  /** @param {boolean} anew Also if nothing moved. */
  #draw(anew) {
    const length = Math.round((this.#lies ? this.#width : this.#height) * this.#ratio);
    if (length === 0 || (!this.#measure(length) && !anew)) return;
    const context = this.#context;
    if (!context) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    // Drawn from the left; a standing meter is turned so that its left is below.
    if (!this.#lies) context.setTransform(0, -1, 1, 0, 0, length);
    const across = Math.round((this.#lies ? this.#height : this.#width) * this.#ratio);
    const gap = Math.round(GAP_PX * this.#ratio);
    const beside = this.#reduces ? Math.round(REDUCTION_PX * this.#ratio) + gap : 0;
    const count = this.#states.length;
    const wide = (across - beside - gap * (count - 1)) / count;
    for (let channel = 0; channel < count; channel += 1) {
      const bar = this.#drawn.subarray(3 * channel, 3 * channel + 3);
      paintBar(context, bar, length, channel * (wide + gap), wide);
    }
    if (!this.#reduces) return;
    const reduction = this.#drawn[3 * count] ?? 0;
    context.fillStyle = colour('--meter-slot');
    context.fillRect(0, across - beside + gap, length, beside - gap);
    context.fillStyle = colour('--meter-reduction');
    context.fillRect(length - reduction, across - beside + gap, reduction, beside - gap);
  }

  /**
   * Take down what is to be drawn, in device pixels.
   * @param {number} length
   * @returns {boolean} Whether it is another picture.
   */
  #measure(length) {
    const size = 3 * this.#states.length + 1;
    let isNew = this.#drawn.length !== size;
    if (this.#next.length !== size) this.#next = new Int32Array(size);
    const next = this.#next;
    let deepestDb = 0;
    this.#states.forEach(({ rmsDb, peakDb, holdDb, reductionDb }, channel) => {
      next[3 * channel] = Math.round(lengthOf(rmsDb) * length);
      next[3 * channel + 1] = Math.round(lengthOf(peakDb) * length);
      next[3 * channel + 2] = Math.round(lengthOf(holdDb) * length);
      deepestDb = Math.min(deepestDb, reductionDb);
    });
    next[size - 1] = Math.round((Math.min(MOST_REDUCTION_DB, -deepestDb) / MOST_REDUCTION_DB) * length);
    for (let i = 0; i < size && !isNew; i += 1) isNew = next[i] !== this.#drawn[i];
    if (isNew) [this.#drawn, this.#next] = [next, this.#drawn];
    return isNew;
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Int32Array} bar Body, tip, mark; device pixels.
 * @param {number} length
 * @param {number} from Across.
 * @param {number} wide
 */
function paintBar(context, bar, length, from, wide) {
  const [body = 0, tip = 0, mark = 0] = bar;
  context.fillStyle = colour('--meter-slot');
  context.fillRect(0, from, length, wide);
  ZONES.forEach(([db, token], index) => {
    const begin = Math.round(lengthOf(db) * length);
    const next = ZONES[index + 1];
    const end = next ? Math.round(lengthOf(next[0]) * length) : length;
    context.fillStyle = colour(token);
    fillPart(context, begin, Math.min(end, body), from, wide);
    context.globalAlpha = 0.5;
    fillPart(context, Math.max(begin, body), Math.min(end, tip), from, wide);
    context.globalAlpha = 1;
  });
  if (mark <= 0) return;
  const thick = Math.max(2, Math.round(length / 120));
  context.fillStyle = colour('--meter-peak');
  context.fillRect(Math.min(length, mark) - thick, from, thick, wide);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} begin
 * @param {number} end
 * @param {number} from
 * @param {number} wide
 */
function fillPart(context, begin, end, from, wide) {
  if (end > begin) context.fillRect(begin, from, end - begin, wide);
}

/** @param {Reading | readonly Reading[]} readings */
const listOf = (readings) => (Array.isArray(readings) ? readings : [readings]);
