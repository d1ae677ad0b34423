/**
 * What the page says of networks that are made worse on purpose.
 *
 * @typedef {import('../../client/roster.js').Participant} Participant
 * @typedef {import('../../client/desk.js').SimulatedNetwork} SimulatedNetwork
 */

/** @param {Pick<Participant, 'name'>} participant */
export const nameOf = ({ name }) => name || 'Guest';

/**
 * @param {SimulatedNetwork | null} everybodys
 * @param {readonly Pick<Participant, 'name' | 'network'>[]} participants
 * @returns {string} What is simulated; empty for nothing.
 */
export function networkWords(everybodys, participants) {
  const own = participants.flatMap((one) =>
    one.network ? [`${nameOf(one)}: ${one.network.conditions}`] : [],
  );
  const all = everybodys ? [`everybody: ${everybodys.conditions}`] : [];
  const parts = [...all, ...own];
  return parts.length === 0 ? '' : `Simulated network – ${parts.join(' · ')}`;
}

/**
 * @param {{ kind: string, quality: string, figures: string }} chosen What the form says.
 * @returns {string} What the server takes.
 */
export function networkOf({ kind, quality, figures }) {
  if (kind === 'quality') return `${quality}%`;
  return kind === 'figures' ? figures.trim() || 'clean' : kind;
}
