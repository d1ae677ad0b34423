/**
 * The stages of a strip that can be passed by: whether one acts, and what follows from its switch.
 * A stage is off by its bypass, which keeps its values, or by a value at which it does nothing.
 */

import { BANDS, SCALES } from './settings.js';

/**
 * @typedef {import('./settings.js').Values} Values
 * @typedef {'highPass' | 'gate' | 'comp' | 'eq' | 'chorus' | 'delay' | 'reverb'} StageName
 */

/**
 * @typedef {object} Stage
 * @property {string} bypass Wire name of its bypass.
 * @property {readonly string[]} settings Wire names of its values.
 * @property {Readonly<Values> | null} start What brings it to life when it does nothing; null: it is
 *   in use as it is.
 * @property {(values: Values) => boolean} isIdle Whether its values do nothing.
 */

/** @param {string} prefix */
const named = (prefix) => Object.keys(SCALES).filter((name) => name.startsWith(prefix));

/** @type {Readonly<Record<StageName, Stage>>} */
export const STAGES = {
  highPass: {
    bypass: 'highPassBypass',
    settings: ['highPass'],
    start: { highPass: 80 },
    isIdle: ({ highPass }) => highPass <= 20,
  },
  gate: {
    bypass: 'gateBypass',
    settings: named('gate'),
    start: { gateThreshold: -45 },
    isIdle: ({ gateThreshold }) => gateThreshold <= -60,
  },
  comp: {
    bypass: 'compBypass',
    settings: [...named('comp'), 'makeupGain', 'autoMakeup', 'sidechainHighPass'],
    start: { compRatio: 3 },
    isIdle: ({ compRatio, makeupGain }) => compRatio <= 1 && makeupGain <= 0,
  },
  eq: {
    bypass: 'eqBypass',
    settings: named('eq'),
    start: null,
    isIdle: (values) => BANDS.every((band) => values[`eq${band}Gain`] === 0),
  },
  chorus: {
    bypass: 'chorusBypass',
    settings: named('chorus'),
    start: { chorusMix: 30 },
    isIdle: ({ chorusMix }) => chorusMix <= 0,
  },
  delay: {
    bypass: 'delayBypass',
    settings: named('delay'),
    start: { delayMix: 20 },
    isIdle: ({ delayMix }) => delayMix <= 0,
  },
  reverb: {
    bypass: 'reverbBypass',
    settings: named('reverb'),
    start: { reverbMix: 15 },
    isIdle: ({ reverbMix }) => reverbMix <= 0,
  },
};

export const BYPASSES = Object.values(STAGES).map(({ bypass }) => bypass);

/**
 * Whether a stage's switch stands at on.
 * @param {StageName} name
 * @param {Values} values
 */
export function isOn(name, values) {
  const { bypass, start, isIdle } = STAGES[name];
  return !values[bypass] && (start === null || !isIdle(values));
}

/**
 * What a press on a stage's switch changes.
 * @param {StageName} name
 * @param {Values} values
 * @returns {Values}
 */
export function switched(name, values) {
  const { bypass, start, isIdle } = STAGES[name];
  if (isOn(name, values)) return { [bypass]: true };
  return { [bypass]: false, ...(start !== null && isIdle(values) ? start : {}) };
}

/**
 * The values of a stage that nobody touched.
 * @param {readonly string[]} names
 * @returns {Values}
 */
export const resting = (names) =>
  Object.fromEntries(names.map((name) => [name, SCALES[name]?.initial ?? (name === 'denoise' ? 'off' : false)]));
