/**
 * The rules by which a room chooses who is heard: how the page names them, and what it takes for a
 * value of theirs. Ranges are the server's; a test compares them.
 */

import { linearScale } from '../desk/scale.js';

/**
 * @typedef {'speakerOpenDb' | 'speakerHysteresisDb' | 'speakerHoldMs' | 'speakerAttackMs' |
 *   'speakerYieldMs' | 'speakerTimeoutMs' | 'speakerVoiceWeightDb'} RuleName
 *
 * @typedef {object} Rule
 * @property {RuleName} name
 * @property {string} label
 * @property {string} help
 * @property {'dB' | 'ms'} unit
 * @property {number} min
 * @property {number} max
 * @property {number} initial As the room is when nobody has changed it.
 */

/** @type {readonly Rule[]} In the order in which they matter to somebody who begins to speak. */
export const RULES = [
  {
    name: 'speakerOpenDb',
    label: 'Speech begins',
    help: 'So far above one’s own background noise',
    unit: 'dB',
    min: 3,
    max: 30,
    initial: 8,
  },
  {
    name: 'speakerVoiceWeightDb',
    label: 'Other sound',
    help: 'What is no voice counts so much less',
    unit: 'dB',
    min: 0,
    max: 20,
    initial: 6,
  },
  {
    name: 'speakerAttackMs',
    label: 'Cough',
    help: 'What is shorter displaces nobody',
    unit: 'ms',
    min: 100,
    max: 1000,
    initial: 160,
  },
  {
    name: 'speakerHysteresisDb',
    label: 'Louder by',
    help: 'So much it takes to displace who speaks',
    unit: 'dB',
    min: 1,
    max: 20,
    initial: 10,
  },
  {
    name: 'speakerHoldMs',
    label: 'Hold',
    help: 'So long nobody newly heard is displaced',
    unit: 'ms',
    min: 0,
    max: 5000,
    initial: 600,
  },
  {
    name: 'speakerYieldMs',
    label: 'Pause',
    help: 'Whoever pauses for longer makes way',
    unit: 'ms',
    min: 100,
    max: 3000,
    initial: 400,
  },
  {
    name: 'speakerTimeoutMs',
    label: 'Silence',
    help: 'Whoever is silent for longer gives up the place',
    unit: 'ms',
    min: 500,
    max: 10_000,
    initial: 2000,
  },
];

/** @param {Rule} rule */
export const rangeWords = ({ min, max, unit }) => `${min} to ${max} ${unit}`;

/**
 * What somebody typed for a rule.
 * @param {Rule} rule
 * @param {string} text `600`, `600 ms`, `4,5 dB`.
 * @returns {{ value: number } | { error: string }}
 */
export function readRule(rule, text) {
  const value = linearScale(rule).parse(text);
  if (value === null) return { error: `Type a number: ${rangeWords(rule)}.` };
  if (value < rule.min || value > rule.max) return { error: `It can be ${rangeWords(rule)}.` };
  return { value };
}
