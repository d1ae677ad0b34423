/** In which order people are listed; one's own strip always comes first. */

/**
 * @typedef {import('../client/roster.js').Participant} Participant
 * @typedef {'joined' | 'loudest' | 'name'} OrderName
 */

/**
 * Levels closer than this count as equal, so that the list does not dance.
 */
const SAME_LOUDNESS_DB = 6;

/** @param {Participant} a @param {Participant} b */
const meFirst = (a, b) => Number(b.isMe) - Number(a.isMe);

/** @param {Participant} a @param {Participant} b */
const byArrival = (a, b) => a.joinedAt - b.joinedAt || a.csrc - b.csrc;

/**
 * @type {Record<OrderName, (people: readonly Participant[], loudness: ReadonlyMap<string, number>)
 *   => Participant[]>}
 */
export const ORDERS = {
  joined: (people) => [...people].sort((a, b) => meFirst(a, b) || byArrival(a, b)),
  name: (people) =>
    [...people].sort((a, b) => meFirst(a, b) || a.name.localeCompare(b.name) || byArrival(a, b)),
  loudest: (people, loudness) => {
    /** @param {Participant} person */
    const step = (person) =>
      Math.round((loudness.get(person.participantId) ?? -127) / SAME_LOUDNESS_DB);
    return [...people].sort((a, b) => meFirst(a, b) || step(b) - step(a) || byArrival(a, b));
  },
};
