import { make } from '../dom.js';
import { colour } from '../palette.js';
import { BANDS as BAND_COUNT, SILENCE_DB, centreHz, follow } from './bands.js';
import {
  bandName,
  bandOf,
  bandWords,
  draggedBand,
  hzAt,
  keyedBand,
  narrowed,
  pinched,
  sectionOf,
  sectionsOf,
  xOf,
  yOf,
} from './eq_bands.js';
import { Plot, line, signed, trace } from './plot.js';
import { chainDb } from './sections.js';
import { BANDS } from './settings.js';

/** @typedef {import('./settings.js').Values} Values */

const HZ_MARKS = /** @type {const} */ ([
  [50, '50'],
  [100, '100'],
  [200, '200'],
  [500, '500'],
  [1000, '1k'],
  [2000, '2k'],
  [5000, '5k'],
  [10_000, '10k'],
]);
const DB_MARKS = [-18, -12, -6, 0, 6, 12, 18];
/** What of the spectrum is shown, dBFS from below to above. */
const SPECTRUM = /** @type {const} */ ([-96, 0]);
const STEP_PX = 2;

/**
 * The equaliser's curve over the spectrum, and a point for each band to take hold of: dragged for
 * frequency and gain (finely with Shift), with the wheel or two fingers for quality, with arrow and
 * Page keys for all three. Fires `bandchange` with `detail.change`, and `bandpick` with `detail.band`.
 */
export class AgEqPlot extends Plot {
  /** @type {Values} */
  #values = {};
  /** @type {Map<number, HTMLElement>} */
  #points = new Map();
  #picked = 3;
  #allowed = true;
  /** The curves of the picked band and of all, y by step; null: to be computed. */
  #curves = /** @type {{ own: Float32Array, all: Float32Array } | null} */ (null);
  #shown = new Float32Array(BAND_COUNT).fill(SILENCE_DB);
  /** @type {ArrayLike<number>} */
  #spectrum = new Float32Array(BAND_COUNT).fill(SILENCE_DB);

  constructor() {
    super();
    for (const band of BANDS) this.#points.set(band, this.#makePoint(band));
    this.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.append(...this.#points.values());
    this.pick(this.#picked);
  }

  /** @param {Values} values */
  show(values) {
    this.#values = values;
    this.#curves = null;
    for (const [band, point] of this.#points) {
      const { gainDb } = bandOf(band, values);
      point.setAttribute('aria-valuenow', String(gainDb));
      point.setAttribute('aria-valuetext', bandWords(band, values));
    }
    this.#place();
    this.refresh();
  }

  /** @param {boolean} allowed */
  allow(allowed) {
    this.#allowed = allowed;
    for (const point of this.#points.values()) {
      point.setAttribute('aria-disabled', String(!allowed));
    }
  }

  /** @param {number} band Drawn with its own curve. */
  pick(band) {
    this.#picked = band;
    this.#curves = null;
    for (const [each, point] of this.#points) point.classList.toggle('picked', each === band);
    this.refresh();
  }

  /** @param {ArrayLike<number> | null} bandsDb Of what leaves the strip; null: silence. */
  hear(bandsDb) {
    this.#spectrum = bandsDb ?? new Float32Array(BAND_COUNT).fill(SILENCE_DB);
    this.refresh();
  }

  /** @override @param {number} elapsedMs */
  move(elapsedMs) {
    return follow(this.#shown, this.#spectrum, elapsedMs);
  }

  /** @override */
  resized() {
    this.#curves = null;
    this.#place();
  }

  /**
   * @override
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  draw(context, width, height) {
    this.#drawSpectrum(context, width, height);
    this.#drawGrid(context, width, height);
    if (!('eq1Freq' in this.#values)) return;
    const { eqBypass } = this.#values;
    const zero = yOf(0) * height;
    const x = (/** @type {number} */ index) => index * STEP_PX;
    this.#curves ??= {
      own: this.#curve([sectionOf(this.#picked, this.#values)]),
      all: this.#curve(sectionsOf(this.#values)),
    };
    const { own, all } = this.#curves;
    trace(context, own.length, x, (index) => own[index] ?? zero);
    context.lineTo(width, zero);
    context.lineTo(0, zero);
    context.closePath();
    context.fillStyle = colour('--screen-fill');
    if (!eqBypass) context.fill();

    trace(context, all.length, x, (index) => all[index] ?? zero);
    context.strokeStyle = colour(eqBypass ? '--screen-text' : '--screen-trace');
    context.lineWidth = 2;
    context.lineJoin = 'round';
    context.stroke();
  }

  /**
   * @param {(import('./sections.js').Section | null)[]} sections
   * @returns {Float32Array} CSS pixels from above, by step.
   */
  #curve(sections) {
    const count = Math.floor(this.width / STEP_PX) + 1;
    return Float32Array.from({ length: count }, (_, index) => {
      const db = chainDb(sections, hzAt((index * STEP_PX) / this.width));
      return yOf(Math.max(-30, Math.min(30, db))) * this.height;
    });
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  #drawSpectrum(context, width, height) {
    const [low, high] = SPECTRUM;
    const y = (/** @type {number} */ db) => height - ((db - low) / (high - low)) * height;
    trace(
      context,
      BAND_COUNT,
      (band) => xOf(centreHz(band)) * width,
      (band) => y(Math.max(low - 2, this.#shown[band] ?? low)),
    );
    const last = this.#shown[BAND_COUNT - 1] ?? low; // it reaches to the end
    context.lineTo(width, y(Math.max(low - 2, last)));
    context.strokeStyle = colour('--screen-sound');
    context.stroke();
    context.lineTo(width, height + 2);
    context.lineTo(0, height + 2);
    context.closePath();
    context.fillStyle = colour('--screen-sound-fill');
    context.fill();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  #drawGrid(context, width, height) {
    context.fillStyle = colour('--screen-text');
    context.strokeStyle = colour('--screen-line');
    context.textBaseline = 'bottom';
    context.textAlign = 'center';
    for (const [hz, text] of HZ_MARKS) {
      const x = xOf(hz) * width;
      line(context, x, 0, x, height);
      context.fillText(text, x, height - 3);
    }
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    for (const db of DB_MARKS) {
      const y = yOf(db) * height;
      context.strokeStyle = colour(db === 0 ? '--screen-zero' : '--screen-line');
      line(context, 0, y, width, y);
      if (Math.abs(db) !== 18) context.fillText(signed(db), 5, y - 7);
    }
  }

  #place() {
    if (!('eq1Freq' in this.#values) || this.width === 0) return;
    for (const [band, point] of this.#points) {
      const { hz, gainDb } = bandOf(band, this.#values);
      const x = xOf(hz) * this.width;
      const y = yOf(gainDb) * this.height;
      point.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    }
  }

  /** @param {number} band */
  #makePoint(band) {
    const point = make('div', {
      class: 'eq-point',
      attributes: {
        role: 'slider',
        tabindex: '0',
        'aria-label': bandName(band),
        'aria-orientation': 'vertical',
        'aria-valuemin': '-18',
        'aria-valuemax': '18',
        'aria-valuenow': '0',
      },
    });
    point.append(make('span', { text: String(band) }));
    point.addEventListener('focus', () => this.#tellPick(band));
    point.addEventListener('keydown', (event) => this.#key(band, event));
    point.addEventListener('dblclick', () => this.#tell({ [`eq${band}Gain`]: 0 }));
    this.#followFingers(band, point);
    return point;
  }

  /**
   * One finger moves the band, a second one beside it makes it wider or narrower.
   * @param {number} band
   * @param {HTMLElement} point
   */
  #followFingers(band, point) {
    /** @type {Map<number, { x: number, y: number }>} */
    const fingers = new Map();
    /** @type {{ values: Values, x: number, y: number, apart: number, fine: boolean } | null} */
    let held = null;
    const apart = () => {
      const [one, other] = [...fingers.values()];
      return one && other ? Math.hypot(one.x - other.x, one.y - other.y) : 0;
    };
    /** @param {PointerEvent} event */
    const hold = ({ clientX: x, clientY: y, shiftKey: fine }) => {
      held = { values: this.#values, x, y, apart: apart(), fine };
    };
    /** @param {PointerEvent} event */
    const take = (event) => {
      event.preventDefault();
      point.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      hold(event);
    };
    point.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || !this.#allowed) return;
      point.focus({ preventScroll: true });
      point.dataset.held = '';
      take(event);
    });
    // On the point is no room for a second finger: it may be anywhere but on another point.
    this.addEventListener('pointerdown', (event) => {
      if (held && !(/** @type {Element} */ (event.target).closest('.eq-point'))) take(event);
    });
    point.addEventListener('pointermove', (event) => {
      if (!held || !fingers.has(event.pointerId)) return;
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (fingers.size > 1) {
        if (held.apart > 0) this.#tell(pinched(band, held.values, apart() / held.apart));
        return;
      }
      if (event.shiftKey !== held.fine) hold(event);
      const dx = (event.clientX - held.x) / this.width;
      const dy = (event.clientY - held.y) / this.height;
      this.#tell(draggedBand(band, held.values, { dx, dy, fine: event.shiftKey }));
    });
    /** @param {PointerEvent} event */
    const release = (event) => {
      if (!fingers.delete(event.pointerId)) return;
      const [left] = fingers.values();
      held = left ? { values: this.#values, ...left, apart: 0, fine: event.shiftKey } : null;
      if (!left) delete point.dataset.held;
    };
    point.addEventListener('pointerup', release);
    point.addEventListener('pointercancel', release);
    point.addEventListener('lostpointercapture', release);
  }

  /** The wheel is the band's whose point is under it; elsewhere it is the page's. @param {WheelEvent} event */
  #wheel(event) {
    const over = /** @type {Element} */ (event.target).closest('.eq-point');
    const band = BANDS.find((each) => this.#points.get(each) === over);
    const notches = -Math.sign(event.deltaY || event.deltaX);
    if (!band || !this.#allowed || event.ctrlKey || notches === 0) return;
    event.preventDefault();
    this.#tellPick(band);
    this.#tell(narrowed(band, this.#values, notches, event.shiftKey));
  }

  /** @param {number} band @param {KeyboardEvent} event */
  #key(band, event) {
    if (!this.#allowed || event.ctrlKey || event.metaKey || event.altKey) return;
    const change = keyedBand(band, this.#values, event.key, event.shiftKey);
    if (!change) return;
    event.preventDefault();
    this.#tell(change);
  }

  /** @param {Values} change */
  #tell(change) {
    this.dispatchEvent(new CustomEvent('bandchange', { detail: { change } }));
  }

  /** @param {number} band */
  #tellPick(band) {
    this.pick(band);
    this.dispatchEvent(new CustomEvent('bandpick', { detail: { band } }));
  }
}
