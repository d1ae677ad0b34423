/** What a strip says about somebody. */

/** @typedef {import('../../client/roster.js').Participant} Participant */

/** Of a connection. @type {Record<import('../../client/roster.js').Quality, string>} */
export const QUALITY_WORDS = {
  good: 'Good',
  fair: 'Fair',
  poor: 'Poor',
};

/** @param {{ name: string }} person */
export const nameOf = ({ name }) => name || 'Guest';

/** First letters, for the ring. @param {string} name */
export function initialsOf(name) {
  const words = name.split(/[\s._-]+/u).filter((word) => word !== '');
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...(word ?? '')][0] ?? '').join('').toLocaleUpperCase() || '?';
}

/**
 * @param {Participant} person
 * @param {boolean} speaking
 */
export function stateWords(person, speaking) {
  if (person.mix.muted && !person.mix.solo) return 'muted by you';
  if (person.role === 'subscriber') return person.deafened ? 'hears nothing' : 'listening';
  if (person.muted) return 'microphone off';
  if (speaking) return 'speaking';
  return person.deafened ? 'hears nothing' : 'quiet';
}

/**
 * What somebody is in the room, in a word; empty for those who only speak or listen.
 * @param {Participant} person
 */
export function rankOf({ rights }) {
  if (rights.includes('set_roles')) return 'Host';
  return rights.includes('run_desk') ? 'Engineer' : '';
}
