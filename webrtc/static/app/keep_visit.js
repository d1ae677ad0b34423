import { leaveVisit } from './visit.js';

/**
 * What a page that goes away leaves for the one after it: the seat in the room and what is switched
 * there, or what was typed in front of the rooms.
 *
 * @param {object} page
 * @param {import('../client/client.js').BaseClient} page.client
 * @param {Pick<ReturnType<typeof import('./elements/app_parts.js').partsOf>,
 *   'lobby' | 'microphone' | 'room' | 'speaker'>} page.parts
 * @param {import('./kept_likes.js').KeptLikes} page.likes
 * @param {() => boolean} page.isTalking Push-to-talk is held.
 */
export function keepVisit(page) {
  window.addEventListener('pagehide', () => {
    leaveVisit(() => window.sessionStorage, visitOf(page));
    if (page.client.room) return;
    const { lobby, microphone, speaker } = page.parts;
    page.likes.change({ name: lobby.name, broadcast: microphone.wanted, listen: speaker.wanted });
  });
}

/**
 * @param {Parameters<typeof keepVisit>[0]} page
 * @returns {Partial<import('./visit.js').Visit>}
 */
function visitOf({ client, parts, likes, isTalking }) {
  const { room, me } = client;
  if (!room) return { roomId: parts.lobby.roomId };
  return {
    roomId: room.roomId,
    name: me?.name ?? likes.all.name,
    resumeToken: room.resumeToken,
    ...(room.hostKey ? { hostKey: room.hostKey } : {}),
    publishing: client.isPublishing,
    subscribing: client.isSubscribing,
    muted: client.isMuted || isTalking(),
    deafened: client.isDeafened,
    desk: parts.room.kept,
  };
}
