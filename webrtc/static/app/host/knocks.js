/**
 * @typedef {import('../../client/host.js').Guest} Guest
 * @typedef {Pick<import('../notices.js').Notices, 'show' | 'clear'>} Board
 */

/**
 * Tell a host who waits at the door wherever they look, with the way to let them in. Once everybody
 * is in or gone, nothing is said.
 * @param {import('../../client/host.js').Host} host
 * @param {Board} notices
 * @param {(error: unknown) => void} failed
 */
export function showKnocks(host, notices, failed) {
  host.on('guestschange', ({ guests }) => {
    const [first] = guests;
    if (!first) {
      notices.clear('door');
      return;
    }
    const one = guests.length === 1;
    const letIn = () => {
      for (const { guestId } of guests) host.admit(guestId).catch(failed);
    };
    notices.show('door', {
      title: one ? `${first.name || 'A guest'} waits at the door` : `${guests.length} people wait at the door`,
      text: one ? 'To send them away, look under Door.' : namesOf(guests),
      actions: [{ label: one ? 'Let in' : 'Let all in', run: letIn }],
    });
  });
}

/** @param {readonly Guest[]} guests */
function namesOf(guests) {
  const names = guests.slice(0, 3).map(({ name }) => name || 'a guest');
  if (guests.length > 3) names.push('others');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}. To choose, look under Door.`;
}
