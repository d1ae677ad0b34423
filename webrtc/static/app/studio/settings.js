/**
 * The settings of a strip as knobs show them: range, default, unit, and the way a hand moves them. A
 * test holds ranges and defaults to the server's (rooms/strip.py).
 */

import { FADER, PAN, linearScale, logScale } from '../desk/scale.js';

/**
 * @typedef {import('../desk/scale.js').Scale} Scale
 * @typedef {Record<string, any>} Values All settings of a strip by their wire names.
 */

/** @param {number} hz */
const formatHz = (hz) =>
  hz < 1000 ? `${Math.round(hz)} Hz` : `${Number((hz / 1000).toPrecision(3))} kHz`;

/** @param {number} hz */
const sayHz = (hz) =>
  hz < 1000 ? `${Math.round(hz)} hertz` : `${Number((hz / 1000).toPrecision(3))} kilohertz`;

/** What is off at its least says so. @param {Scale} scale @returns {Scale} */
const offAtLeast = (scale) => ({
  ...scale,
  format: (value) => (value <= scale.min ? 'off' : scale.format(value)),
  words: (value) => (value <= scale.min ? 'off' : scale.words(value)),
  parse: (text) => (/^\s*off\s*$/i.test(text) ? scale.min : scale.parse(text)),
});

/** @param {number} min @param {number} max @param {number} initial @returns {Scale} */
const hertz = (min, max, initial) => ({
  ...logScale({ min, max, initial, unit: 'Hz' }),
  format: formatHz,
  words: sayHz,
});

/** @param {number} min @param {number} max @param {number} initial @param {number} [digits] */
const time = (min, max, initial, digits = 0) =>
  logScale({ min, max, initial, digits, unit: 'ms', unitWord: 'milliseconds' });

/** @param {number} max @param {number} initial */
const percent = (max, initial) =>
  linearScale({ min: 0, max, initial, step: 1, page: 10, unit: '%', unitWord: 'percent' });

/** @param {number} min @param {number} max @param {number} initial @param {number} [digits] */
const decibels = (min, max, initial, digits = 1) =>
  linearScale({ min, max, initial, digits, step: 1, page: 6, unit: 'dB', unitWord: 'decibels' });

/** @type {Scale} */
const GAIN = { ...decibels(-18, 18, 0), detent: 0 };

/** @type {Scale} */
const RATIO = offAtLeast({
  ...logScale({ min: 1, max: 20, initial: 1, digits: 1, unit: ':1' }),
  format: (value) => `${value.toFixed(1)}:1`,
  words: (value) => `${value.toFixed(1)} to 1`,
});

/** @param {number} initial */
const quality = (initial) => logScale({ min: 0.1, max: 10, initial, digits: 2 });

export const BANDS = /** @type {const} */ ([1, 2, 3, 4, 5]);
const BAND_HZ = [80, 250, 1000, 4000, 12_000];
const BAND_Q = [0.7, 1, 1, 1, 0.7];

/** @type {Readonly<Record<string, Scale>>} By wire name. */
export const SCALES = {
  inputTrim: { ...decibels(-24, 24, 0), detent: 0 },
  highPass: offAtLeast(hertz(20, 400, 20)),
  autoLevelTarget: linearScale({
    min: -36,
    max: -10,
    initial: -20,
    step: 1,
    digits: 1,
    unit: 'LUFS',
  }),
  gateThreshold: offAtLeast(decibels(-60, -20, -60)),
  gateHysteresis: decibels(0, 20, 6),
  gateHold: time(10, 1000, 80),
  gateAttack: time(2.5, 50, 3, 1),
  gateRelease: time(5, 2000, 120),
  gateRange: decibels(-80, 0, -60),
  compThreshold: decibels(-60, 0, -18),
  compRatio: RATIO,
  compKnee: decibels(0, 24, 6),
  compAttack: time(0.1, 200, 10, 1),
  compRelease: time(5, 2000, 120),
  makeupGain: decibels(0, 24, 0),
  sidechainHighPass: offAtLeast(hertz(20, 500, 20)),
  ...Object.fromEntries(
    BANDS.flatMap((band, index) => [
      [`eq${band}Freq`, hertz(20, 20_000, BAND_HZ[index] ?? 1000)],
      [`eq${band}Gain`, GAIN],
      [`eq${band}Q`, quality(BAND_Q[index] ?? 1)],
    ]),
  ),
  limiterCeiling: linearScale({
    min: -20,
    max: 0,
    initial: -1,
    step: 1,
    digits: 1,
    unit: 'dBTP',
    unitWord: 'decibels true peak',
  }),
  limiterRelease: time(5, 1000, 60),
  chorusMix: percent(100, 0),
  chorusRate: logScale({ min: 0.05, max: 5, initial: 0.8, digits: 2, unit: 'Hz', unitWord: 'hertz' }),
  chorusDepth: percent(100, 40),
  delayMix: percent(100, 0),
  delayTime: time(1, 2000, 300),
  delayFeedback: percent(95, 30),
  delayDamping: percent(100, 30),
  reverbMix: percent(100, 0),
  reverbSize: percent(100, 50),
  reverbDecay: logScale({ min: 0.2, max: 10, initial: 1.8, digits: 1, unit: 's', unitWord: 'seconds' }),
  reverbDamping: percent(100, 40),
  reverbPreDelay: linearScale({
    min: 0,
    max: 200,
    initial: 20,
    step: 1,
    page: 10,
    unit: 'ms',
    unitWord: 'milliseconds',
  }),
  stereoWidth: { ...percent(200, 100), detent: 100 },
  pan: PAN,
  fader: FADER,
};

/** @param {string} name @returns {Scale} */
export function scaleOf(name) {
  const scale = SCALES[name];
  if (!scale) throw new RangeError(`there is no setting ${name}`);
  return scale;
}

/** What a preset leaves alone; nor is it copied from strip to strip. */
export const PLACE = ['inputTrim', 'stereoWidth', 'pan', 'fader'];

/** Settings that are switches, and how they stand when nobody touched them. */
export const SWITCHES = ['autoLevel', 'autoMakeup'];

/**
 * What `denoise` can be, how it is called, what it takes away, and what it costs: by how much the
 * sound comes later with packets of 10 ms, and the server's time for 10 ms of a voice.
 * @type {Readonly<Record<string, { text: string, takes: string, latencyMs: number, us: number }>>}
 */
export const DENOISERS = {
  off: { text: 'Off', takes: 'nothing', latencyMs: 0, us: 0 },
  webrtc: { text: 'WebRTC', takes: 'steady noise', latencyMs: 7, us: 40 },
  rnnoise: { text: 'RNNoise', takes: 'all but voices', latencyMs: 30, us: 290 },
};

/** What `genre` can be, and how it is called. @type {Readonly<Record<string, string>>} */
export const GENRES = {
  auto: 'As heard',
  speech: 'Speech',
  rock: 'Rock',
  jazz: 'Jazz',
  electronic: 'Electronic',
  classical: 'Classical',
};

/** @type {Readonly<Record<string, string>>} Wire name to what is shown, in the order of showing. */
export const PRESETS = {
  flat: 'Flat',
  voice: 'Voice',
  podcast: 'Podcast',
  meeting: 'Meeting',
  acoustic: 'Acoustic',
  band: 'Band',
  dj: 'DJ',
  classical: 'Classical',
};
