import assert from 'node:assert/strict';
import test from 'node:test';

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
  const door = new AtTheDoor(host, {
    enter: (wish) => done.push(wish),
    refused: (reason) => done.push(reason),
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

test('who waits knocks again where only the connection failed them', () => {
  const door = new AtTheDoor(aHost().host, { enter: () => {}, refused: () => {} });
  const wish = { roomId: 'studio' };
  assert.equal(door.refused(wish, { reason: 'busy' }), false); // had not waited
  assert.equal(door.wish, null);
  door.refused(wish, { reason: 'waiting' });
  for (const reason of ['not_connected', 'busy', 'draining', 'timeout']) {
    assert.equal(door.refused(wish, { reason }), true);
    assert.equal(door.wish, wish);
  }
  assert.equal(door.refused(wish, { reason: 'banned' }), false);
  assert.equal(door.wish, null);
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
