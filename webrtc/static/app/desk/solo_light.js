import { setText } from '../dom.js';
import { nameOf } from './strip_words.js';

/** @typedef {import('../../client/roster.js').Participant} Participant */

const MOST_NAMES = 2;

/** Whom I hear alone. @param {ReadonlyMap<string, Participant>} people */
export const soloed = (people) => [...people.values()].filter(({ mix, isMe }) => mix.solo && !isMe);

/** @param {readonly Participant[]} alone */
export function soloWords(alone) {
  const names = alone.slice(0, MOST_NAMES).map(nameOf);
  const more = alone.length - names.length;
  return `Solo: ${[...names, ...(more > 0 ? [`${more} more`] : [])].join(', ')}`;
}

/**
 * The lamp that says why all others are silent: their strips may be far out of sight.
 * @param {HTMLElement} light
 * @param {ReadonlyMap<string, Participant>} people
 */
export function showSolo(light, people) {
  const alone = soloed(people);
  light.hidden = alone.length === 0;
  if (light.hidden) return;
  const words = soloWords(alone);
  setText(light, `${words} · clear`);
  light.setAttribute('aria-label', `${words}. Clear solo, hear everybody`);
}
