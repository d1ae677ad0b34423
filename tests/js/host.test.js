import assert from 'node:assert/strict';
import test from 'node:test';

import { Emitter } from '../../webrtc/static/client/emitter.js';
import { AtTheDoor } from '../../webrtc/static/app/host/at_the_door.js';
import { showKnocks } from '../../webrtc/static/app/host/knocks.js';
import { Host } from '../../webrtc/static/client/host.js';

/** @param {Record<string, any>} [answer] */
function aHost(answer = {}) {
  /** @type {[string, any][]} */
  const asked = [];
  const host = new Host({
    request: async (event, payload) => {
      asked.push([event, payload]);
      return answer;
    },
  });
  return { host, asked };
}

test('what a host asks for goes out under the names of the wire', async () => {
  const door = { locked: true, waiting: false, bans: 2 };
  const { host, asked } = aHost({ door });
  assert.deepEqual(await host.setDoor({ locked: true, liftBans: true }), door);
  await host.admit('g');
  await host.deny('g');
  await host.mute('p');
  await host.remove('p', { ban: true });
  assert.deepEqual(asked, [
    ['set_door', { locked: true, lift_bans: true }],
    ['admit', { guest_id: 'g', admit: true }],
    ['admit', { guest_id: 'g', admit: false }],
    ['mute_participant', { participant_id: 'p' }],
    ['remove_participant', { participant_id: 'p', ban: true }],
  ]);
  assert.deepEqual(host.door, door);
});

test('the door and its guests are followed until the stay is over', () => {
  const { host } = aHost();
  host.enter({ door: { locked: false, waiting: true, bans: 0 } });
  assert.equal(host.handle('guests_waiting', { guests: [{ guest_id: 'g', name: 'Ada' }] }), true);
  assert.deepEqual(host.guests, [{ guestId: 'g', name: 'Ada' }]);
  host.handle('door_changed', { locked: true, waiting: true, bans: 1 });
  assert.deepEqual(host.door, { locked: true, waiting: true, bans: 1 });
  assert.equal(host.handle('levels', {}), false);
  host.leave();
  assert.deepEqual([host.guests, host.door.locked], [[], false]);
});

test('who waits comes in with what they asked for, once, and who is denied is told', () => {
  const { host } = aHost();
  /** @type {unknown[]} */
  const done = [];
  const door = new AtTheDoor(/** @type {any} */ ({ host, on: () => {} }), {
    enter: (wish) => done.push(wish),
    refused: ({ reason }) => done.push(reason),
  });
  const admission = (/** @type {boolean} */ admitted) =>
    host.handle('admission', { room_id: 'studio', admitted });
  door.refused({ roomId: 'studio' }, { reason: 'waiting' });
  admission(true);
  admission(true);
  door.refused({ roomId: 'studio' }, { reason: 'waiting' });
  door.refused({ roomId: 'studio' }, { reason: 'room_locked' });
  admission(true);
  door.refused({ roomId: 'studio' }, { reason: 'waiting' });
  door.leave();
  admission(true);
  admission(false);
  assert.deepEqual(done, [{ roomId: 'studio' }, 'denied']);
});

const WISH = { roomId: 'studio' };

/** A guest at the door of a client whose events the test fires. */
function aGuest() {
  /** @type {any} */
  const client = Object.assign(new Emitter(), { host: aHost().host, state: 'connected' });
  /** @type {any[]} */
  const done = [];
  /** @type {(() => void)[]} */
  const later = [];
  const ways = {
    enter: (/** @type {any} */ wish) => done.push(wish),
    refused: (/** @type {any} */ { reason }) => done.push(reason),
  };
  const door = new AtTheDoor(client, ways, (work) => later.push(work));
  const become = (/** @type {string} */ state, /** @type {string} */ previous) => {
    client.state = state;
    client.emit('statechange', { state, previous });
  };
  return { client, door, done, later, become };
}

test('who waits knocks again when their connection is back', () => {
  const { door, done, become } = aGuest();
  become('connected', 'connecting'); // nobody waits
  door.refused(WISH, { reason: 'waiting' });
  become('connected', 'joining'); // as a refusal leaves it
  assert.deepEqual(done, []);
  become('reconnecting', 'connected');
  become('connected', 'reconnecting');
  assert.deepEqual(done, [WISH]);
});

test('who waits is not sent away by what passes', () => {
  const { door, done, later } = aGuest();
  door.refused(WISH, { reason: 'busy' }); // had not waited
  assert.equal(later.length, 0);
  door.refused(WISH, { reason: 'waiting' });
  for (const reason of ['not_connected', 'busy', 'draining']) {
    door.refused(WISH, { reason });
    later.pop()?.();
  }
  assert.deepEqual(done, [WISH, WISH, WISH]);
  door.refused(WISH, { reason: 'busy' });
  door.leave();
  later.pop()?.();
  assert.equal(done.length, 3);
});

test('who waits gives up when the room is over, or the server hangs up and says so', () => {
  const { client, door, done, become } = aGuest();
  door.refused(WISH, { reason: 'waiting' });
  client.emit('roomclosed', { reason: 'deleted' });
  become('connected', 'reconnecting');
  assert.deepEqual(done, []);
  door.refused(WISH, { reason: 'waiting' });
  become('disconnected', 'connected');
  become('connected', 'connecting');
  assert.deepEqual(done, ['not_connected']);
});

test('a host is told who waits at the door, and lets them in from there', async () => {
  const { host, asked } = aHost();
  /** @type {import('../../webrtc/static/app/notices.js').Notice | null} */
  let shown = null;
  const board = {
    show: (/** @type {string} */ _, /** @type {any} */ notice) => (shown = notice),
    clear: () => (shown = null),
  };
  showKnocks(host, board, (error) => assert.fail(String(error)));
  const wait = (/** @type {string[]} */ ...names) => {
    const guests = names.map((name, index) => ({ guest_id: `g${index}`, name }));
    host.handle('guests_waiting', { guests });
    return /** @type {any} */ (shown);
  };
  assert.equal(wait('Ada').title, 'Ada waits at the door');
  assert.equal(wait('').title, 'A guest waits at the door');
  const two = wait('Ada', 'Grace');
  assert.equal(two.title, '2 people wait at the door');
  assert.equal(two.text, 'Ada and Grace. To choose, look under Door.');
  two.actions[0].run();
  assert.deepEqual(asked, [
    ['admit', { guest_id: 'g0', admit: true }],
    ['admit', { guest_id: 'g1', admit: true }],
  ]);
  assert.equal(wait('A', 'B', 'C', 'D').text, 'A, B, C and others. To choose, look under Door.');
  assert.equal(wait(), null);
});
