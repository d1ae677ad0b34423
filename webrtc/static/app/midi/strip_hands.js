import { movesRoom } from '../desk/room_state.js';
import { FADER, PAN } from '../desk/scale.js';

/**
 * @typedef {import('../desk/room_state.js').RoomState} RoomState
 * @typedef {import('../../client/roster.js').Participant} Participant
 */

/**
 * Hands on the strips of the row, by their place from 1 on, in sight or not. They do what the
 * controls of the strip do there: for everybody, or for oneself alone.
 *
 * @param {() => RoomState} stateOf
 * @param {Pick<import('../desk/strip.js').StripActions, 'mix' | 'strip'>} actions
 * @returns {import('./surface.js').Hands}
 */
export function stripHands(stateOf, actions) {
  /** @param {string} target */
  const find = (target) => {
    const [what = '', place] = target.split('/');
    const state = stateOf();
    const person = state.people.get(state.sequence[Number(place) - 1] ?? '');
    return person ? { what, person, forAll: movesRoom(state, person) } : null;
  };
  return {
    read: (target) => {
      const found = find(target);
      return found && positionOf(found.what, found.person, found.forAll);
    },
    move: (target, position) => {
      const found = find(target);
      if (!found) return;
      const { what, person, forAll } = found;
      const id = person.participantId;
      if (what === 'pan') {
        const pan = PAN.valueAt(position);
        if (forAll) actions.strip(id, { pan });
        else actions.mix(id, { pan });
        return;
      }
      const db = FADER.valueAt(position);
      if (forAll) actions.strip(id, { fader: db });
      else actions.mix(id, { gainDb: db });
    },
    press: (target) => {
      const found = find(target);
      if (!found || found.person.isMe) return; // nobody hears themselves
      const { muted, solo } = found.person.mix;
      actions.mix(found.person.participantId, found.what === 'mute' ? { muted: !muted } : { solo: !solo });
    },
  };
}

/** @param {string} what @param {Participant} person @param {boolean} forAll */
function positionOf(what, { mix, settings }, forAll) {
  switch (what) {
    case 'mute':
      return mix.muted ? 1 : 0;
    case 'solo':
      return mix.solo ? 1 : 0;
    case 'pan':
      return PAN.positionOf(forAll ? Number(settings?.pan ?? 0) : mix.pan);
    default:
      return FADER.positionOf(forAll ? Number(settings?.fader ?? 0) : mix.gainDb);
  }
}
