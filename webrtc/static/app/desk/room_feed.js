/** @typedef {import('../../client/client.js').BaseClient} BaseClient */

/**
 * Keep a store and a meter board up to date with what the client tells.
 *
 * @param {Pick<BaseClient, 'on' | 'room' | 'participants' | 'tracks'> & { desk: BaseClient['desk'] }} client
 * @param {import('../store.js').Store<import('./room_state.js').RoomState,
 *   import('./room_state.js').RoomAction>} store
 * @param {import('./meter_board.js').MeterBoard} board
 * @returns {{ enter: () => void, leave: () => void }} For the beginning and the end of a stay.
 */
export function feedRoom(client, store, board) {
  const put = (/** @type {{ participant: import('../../client/roster.js').Participant }} */ detail) =>
    store.dispatch({ type: 'put', participant: detail.participant });
  const enter = () => {
    store.dispatch({
      type: 'entered',
      people: client.participants,
      rights: client.room?.rights ?? [],
    });
    board.putLevels(client.participants);
    const { settings } = client.desk;
    if (settings) store.dispatch({ type: 'settings', settings });
  };
  client.on('participantjoined', put);
  client.on('participantupdated', put);
  client.on('participantleft', ({ participant: { participantId } }) => {
    board.forget(participantId);
    store.dispatch({ type: 'gone', participantId });
  });
  client.on('reconnected', enter);
  client.on('rolechange', ({ rights }) => store.dispatch({ type: 'rights', rights }));
  client.on('trackassignments', () => {
    const tracks = new Map();
    client.tracks.forEach(({ participantId }, index) => {
      if (participantId !== null) tracks.set(participantId, index + 1);
    });
    store.dispatch({ type: 'tracks', tracks });
  });
  client.on('levels', ({ levels }) => board.putLevels(levels));
  client.desk.on('meters', ({ meters, limiterDb }) => {
    board.putMeters(meters);
    board.putLimiter(limiterDb);
  });
  client.desk.on('roomchange', ({ settings }) => store.dispatch({ type: 'settings', settings }));
  return {
    enter,
    leave: () => {
      board.clear();
      store.dispatch({ type: 'left' });
    },
  };
}
