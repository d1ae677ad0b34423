/**
 * Scales of faders and knobs: where a value sits on its way (0 to 1), how far a key, a notch of the
 * wheel or a drag moves it, and how it is written, said and read. Nothing here knows the DOM.
 */

import { formatDb, formatPan, parseDb } from '../format.js';
import { MAX_DB, MIN_DB, dbAt, positionOf } from '../taper.js';

/**
 * @typedef {object} Scale
 * @property {number} min
 * @property {number} max
 * @property {number} initial What a double click goes back to.
 * @property {number} step Of arrow keys and of a notch of the wheel; fine is a tenth of it.
 * @property {number} page Of the Page keys.
 * @property {number | null} detent A value that a coarse drag rests at for a moment.
 * @property {(value: number) => number} positionOf 0 to 1.
 * @property {(position: number) => number} valueAt
 * @property {(value: number) => string} format As it is shown.
 * @property {(value: number) => string} words As it is said.
 * @property {(text: string) => number | null} parse What somebody typed; null: not a number.
 */

/** How far a drag goes on before it leaves a detent, as a share of the way. */
const DETENT = 0.02;

/** Volume in decibels; −60 is silence. @type {Scale} */
export const FADER = {
  min: MIN_DB,
  max: MAX_DB,
  initial: 0,
  step: 1,
  page: 6,
  detent: 0,
  positionOf,
  valueAt: dbAt,
  format: formatDb,
  words: (db) => (db <= MIN_DB ? 'silent' : `${formatDb(db)} decibels`),
  parse: parseDb,
};

/** −1 left to +1 right. @type {Scale} */
export const PAN = {
  ...linearScale({ min: -1, max: 1, initial: 0, step: 0.05, page: 0.25, digits: 2 }),
  detent: 0,
  format: formatPan,
  words: (pan) => {
    const percent = Math.round(Math.abs(pan) * 100);
    return percent === 0 ? 'centre' : `${percent} percent ${pan < 0 ? 'left' : 'right'}`;
  },
  parse: parsePan,
};

/**
 * @typedef {object} ScaleOptions
 * @property {number} min
 * @property {number} max
 * @property {number} [initial] Default: the least.
 * @property {number} [step] Default: a hundredth of the way.
 * @property {number} [page] Default: ten steps.
 * @property {number} [digits] After the point.
 * @property {string} [unit] Written behind the figure.
 * @property {string} [unitWord] Said behind the figure; default: the unit.
 */

/**
 * Equal ways for equal differences.
 * @param {ScaleOptions} options
 * @returns {Scale}
 */
export function linearScale({ min, max, ...rest }) {
  return scaleOf(
    { min, max, step: (max - min) / 100, ...rest },
    (value) => (value - min) / (max - min),
    (position) => min + position * (max - min),
  );
}

/**
 * Equal ways for equal ratios: frequencies, times. `step` counts hundredths of the way, as a key has
 * to move a low frequency by less than a high one.
 * @param {ScaleOptions} options
 * @returns {Scale}
 */
export function logScale({ min, max, ...rest }) {
  return scaleOf(
    { min, max, ...rest },
    (value) => Math.log(value / min) / Math.log(max / min),
    (position) => min * (max / min) ** position,
  );
}

/**
 * @param {ScaleOptions} options
 * @param {(value: number) => number} toPosition
 * @param {(position: number) => number} toValue
 * @returns {Scale}
 */
function scaleOf(options, toPosition, toValue) {
  const { min, max, initial = min, step = 0, digits = 0, unit = '', unitWord = unit } = options;
  const behind = (/** @type {string} */ word) => (word === '' ? '' : ` ${word}`);
  const figure = (/** @type {number} */ value) => value.toFixed(digits).replace('-', '−');
  return {
    min,
    max,
    initial,
    step,
    page: options.page ?? 10 * step,
    detent: null,
    positionOf: (value) => clamp(toPosition(clamp(value, min, max)), 0, 1),
    valueAt: (position) => round(toValue(clamp(position, 0, 1)), digits),
    format: (value) => `${figure(value)}${behind(unit)}`,
    words: (value) => `${figure(value)}${behind(unitWord)}`,
    parse: (text) => parseFigure(text, unit),
  };
}

/**
 * The value so many steps away.
 * @param {Scale} scale
 * @param {number} value
 * @param {number} steps
 * @param {boolean} [fine] A tenth of that.
 */
export function stepped(scale, value, steps, fine = false) {
  if (scale.step === 0) {
    return scale.valueAt(scale.positionOf(value) + steps / (fine ? 1000 : 100));
  }
  const size = fine ? scale.step / 10 : scale.step;
  // A coarse step from between two marks goes to a mark.
  const from = fine ? value : Math.round(value / size) * size;
  return clamp(round(from + steps * size, 3), scale.min, scale.max);
}

/**
 * The value that keys lead to.
 * @param {Scale} scale
 * @param {number} value
 * @param {string} key Of a KeyboardEvent.
 * @param {boolean} fine
 * @returns {number | null} Null: this key is not for us.
 */
export function keyed(scale, value, key, fine) {
  const pages = scale.step === 0 ? 10 : scale.page / scale.step;
  switch (key) {
    case 'ArrowUp':
    case 'ArrowRight':
      return stepped(scale, value, 1, fine);
    case 'ArrowDown':
    case 'ArrowLeft':
      return stepped(scale, value, -1, fine);
    case 'PageUp':
      return stepped(scale, value, pages);
    case 'PageDown':
      return stepped(scale, value, -pages);
    case 'Home':
      return scale.min;
    case 'End':
      return scale.max;
    case 'Delete':
    case 'Backspace':
      return scale.initial;
    default:
      return null;
  }
}

/**
 * Where a drag leads to. The position goes on while the value rests at the detent.
 * @param {Scale} scale
 * @param {number} position
 * @param {boolean} fine No detent then.
 */
export function dragged(scale, position, fine) {
  const { detent } = scale;
  if (!fine && detent !== null && Math.abs(position - scale.positionOf(detent)) < DETENT) {
    return detent;
  }
  return scale.valueAt(position);
}

/** @param {number} value @param {number} min @param {number} max */
export const clamp = (value, min, max) => Math.min(max, Math.max(min, value));

/** @param {number} value @param {number} digits */
function round(value, digits) {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale || 0;
}

/**
 * @param {string} text
 * @param {string} unit
 */
function parseFigure(text, unit) {
  const plain = text
    .trim()
    .toLowerCase()
    .replaceAll('−', '-')
    .replace(',', '.')
    .replace(new RegExp(`\\s*${unit.toLowerCase().replace(/[^a-z0-9]/g, '\\$&')}$`), '');
  const kilo = /^(.*\d)\s*k(hz)?$/.exec(plain);
  const figure = kilo ? (kilo[1] ?? '') : plain;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(figure)) return null;
  return Number(figure) * (kilo ? 1000 : 1);
}

/** `L50`, `50 R`, `C`, `-0.5`. @param {string} text */
function parsePan(text) {
  const plain = text.trim().toLowerCase().replaceAll('−', '-').replace(',', '.');
  if (/^(c|centre|center)$/.test(plain)) return 0;
  const side = /^([lr])?\s*(-?\d+(?:\.\d+)?)\s*%?\s*([lr])?$/.exec(plain);
  if (!side) return null;
  const letter = side[1] ?? side[3];
  const figure = Number(side[2]);
  if (letter === undefined) return Math.abs(figure) > 1 ? figure / 100 : figure;
  return (letter === 'l' ? -1 : 1) * (figure > 1 ? figure / 100 : figure);
}
