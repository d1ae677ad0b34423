/**
 * The equaliser as points on a plane: where each stands, and where a hand, a key, the wheel or two
 * fingers lead it. Frequencies lie as on a piano, 20 Hz to 20 kHz; gains from −18 to 18 dB.
 */

import { bandSection, lowCutSection } from './sections.js';
import { BANDS, scaleOf } from './settings.js';
import { STAGES } from './stages.js';

/** @typedef {import('./settings.js').Values} Values */
/** @typedef {import('./sections.js').Section} Section */

export const LOWEST_HZ = 20;
export const HIGHEST_HZ = 20_000;
/** What the plot shows above and below 0 dB: a bit more than a band does. */
export const RANGE_DB = 20;
const OCTAVES = Math.log2(HIGHEST_HZ / LOWEST_HZ);
/** Of an arrow key; fine is a tenth. */
const STEP_OCTAVES = 1 / 12;
const STEP_DB = 1;
/** By how much a notch of the wheel makes a band narrower. */
const STEP_Q = 1.12;
const FINE = 0.1;

/** @type {readonly import('./sections.js').Shape[]} */
const SHAPES = ['low_shelf', 'peak', 'peak', 'peak', 'high_shelf'];
const WORDS = ['low shelf', 'bell', 'bell', 'bell', 'high shelf'];

/** @param {number} hz @returns {number} Share of the width. */
export const xOf = (hz) => Math.log2(hz / LOWEST_HZ) / OCTAVES;

/** @param {number} x @returns {number} Hz. */
export const hzAt = (x) => LOWEST_HZ * 2 ** (x * OCTAVES);

/** @param {number} db @returns {number} Share of the height, from above. */
export const yOf = (db) => (RANGE_DB - db) / (2 * RANGE_DB);

/** @param {number} band 1 to 5. @param {Values} values */
export const bandOf = (band, values) => ({
  hz: Number(values[`eq${band}Freq`]),
  gainDb: Number(values[`eq${band}Gain`]),
  q: Number(values[`eq${band}Q`]),
});

/** @param {number} band */
export const bandName = (band) => `Band ${band}, ${WORDS[band - 1]}`;

/** @param {number} band @param {Values} values */
export function bandWords(band, values) {
  const { hz, gainDb, q } = bandOf(band, values);
  const say = (/** @type {string} */ name, /** @type {number} */ value) => scaleOf(name).words(value);
  return `${say(`eq${band}Freq`, hz)}, ${say(`eq${band}Gain`, gainDb)}, Q ${q.toFixed(2)}`;
}

/**
 * @param {number} band
 * @param {Values} values
 * @returns {Section | null}
 */
export function sectionOf(band, values) {
  const { hz, gainDb, q } = bandOf(band, values);
  return bandSection(SHAPES[band - 1] ?? 'peak', hz, gainDb, q);
}

/**
 * All that acts on the spectrum: the low cut and the bands, those that are passed by left out.
 * @param {Values} values
 * @returns {(Section | null)[]}
 */
export function sectionsOf(values) {
  const cuts = !STAGES.highPass.isIdle(values) && !values.highPassBypass;
  return [
    cuts ? lowCutSection(values.highPass) : null,
    ...(values.eqBypass ? [] : BANDS.map((band) => sectionOf(band, values))),
  ];
}

/**
 * Where a drag leads a band: from where it was held, so that it never jumps.
 * @param {number} band
 * @param {Values} values
 * @param {{ dx: number, dy: number, fine: boolean }} way Shares of width and height.
 * @returns {Values}
 */
export function draggedBand(band, values, { dx, dy, fine }) {
  const { hz, gainDb } = bandOf(band, values);
  const share = fine ? FINE : 1;
  return {
    ...put(`eq${band}Freq`, hz * 2 ** (dx * OCTAVES * share)),
    ...put(`eq${band}Gain`, gainDb - dy * 2 * RANGE_DB * share),
  };
}

/**
 * @param {number} band
 * @param {Values} values
 * @param {number} notches Upwards: narrower.
 * @param {boolean} fine
 * @returns {Values}
 */
export const narrowed = (band, values, notches, fine) =>
  put(`eq${band}Q`, bandOf(band, values).q * STEP_Q ** (notches * (fine ? FINE : 1)));

/**
 * @param {number} band
 * @param {Values} values When two fingers were put down.
 * @param {number} spread How many times further they are apart: wider.
 * @returns {Values}
 */
export const pinched = (band, values, spread) =>
  put(`eq${band}Q`, bandOf(band, values).q / Math.max(0.05, spread));

/**
 * @param {number} band
 * @param {Values} values
 * @param {string} key Of a KeyboardEvent.
 * @param {boolean} fine
 * @returns {Values | null} Null: this key is not for us.
 */
export function keyedBand(band, values, key, fine) {
  const { hz, gainDb } = bandOf(band, values);
  const share = fine ? FINE : 1;
  switch (key) {
    case 'ArrowUp':
      return put(`eq${band}Gain`, gainDb + STEP_DB * share);
    case 'ArrowDown':
      return put(`eq${band}Gain`, gainDb - STEP_DB * share);
    case 'ArrowRight':
      return put(`eq${band}Freq`, hz * 2 ** (STEP_OCTAVES * share));
    case 'ArrowLeft':
      return put(`eq${band}Freq`, hz / 2 ** (STEP_OCTAVES * share));
    case 'PageUp':
      return narrowed(band, values, 3, fine);
    case 'PageDown':
      return narrowed(band, values, -3, fine);
    case 'Home':
      return put(`eq${band}Gain`, 18);
    case 'End':
      return put(`eq${band}Gain`, -18);
    case 'Delete':
    case 'Backspace':
      return put(`eq${band}Gain`, 0);
    default:
      return null;
  }
}

/**
 * The nearest value that the setting can have and its field shows.
 * @param {string} name
 * @param {number} value
 * @returns {Values}
 */
function put(name, value) {
  const { min, max } = scaleOf(name);
  const digits = name.endsWith('Freq') ? (value < 100 ? 1 : 0) : name.endsWith('Q') ? 3 : 2;
  const rounded = Number(value.toFixed(digits));
  return { [name]: Math.min(max, Math.max(min, rounded)) };
}
