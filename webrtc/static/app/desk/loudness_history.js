import { colour, onPaletteChange } from '../palette.js';
import { fit, onResize } from './canvas.js';

/** So many figures are kept: a minute, at five a second. */
const KEPT = 300;
const LOWEST_LUFS = -48;
const HIGHEST_LUFS = -6;

/** The loudness of the last minute as a curve, and the target as a line. */
export class LoudnessHistory {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    const place = /** @type {HTMLElement} */ (canvas.parentElement);
    onResize(place, (width, height) => {
      this.#ratio = fit(canvas, width, height);
      this.#draw();
    });
    onPaletteChange(() => this.#draw());
  }

  #canvas;
  #ratio = 1;
  /** @type {number[]} */
  #kept = [];
  /** @type {number | null} */
  #target = null;

  /**
   * @param {number} lufs
   * @param {number | null} target
   */
  put(lufs, target) {
    this.#kept.push(lufs);
    if (this.#kept.length > KEPT) this.#kept.shift();
    this.#target = target;
    this.#draw();
  }

  clear() {
    this.#kept = [];
    this.#draw();
  }

  #draw() {
    const { width, height } = this.#canvas;
    const context = this.#canvas.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, width, height);
    const y = (/** @type {number} */ lufs) => {
      const share = (lufs - LOWEST_LUFS) / (HIGHEST_LUFS - LOWEST_LUFS);
      return height * (1 - Math.min(1, Math.max(0, share)));
    };
    context.fillStyle = colour('--line');
    for (let lufs = -42; lufs < HIGHEST_LUFS; lufs += 12) {
      context.fillRect(0, Math.round(y(lufs)), width, Math.round(this.#ratio));
    }
    const step = width / KEPT;
    const from = width - this.#kept.length * step;
    context.fillStyle = colour('--meter-low');
    context.globalAlpha = 0.7;
    context.beginPath();
    context.moveTo(from, height);
    this.#kept.forEach((lufs, index) => context.lineTo(from + index * step, y(lufs)));
    context.lineTo(width - step, height);
    context.fill();
    context.globalAlpha = 1;
    if (this.#target === null) return;
    context.fillStyle = colour('--focus');
    context.fillRect(0, Math.round(y(this.#target)), width, Math.round(2 * this.#ratio));
  }
}
