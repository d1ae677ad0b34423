import assert from 'node:assert/strict';
import test from 'node:test';

import { settle } from '../support.js';
import { join, person, world } from './world.js';

test('how well connections do is told of everybody, and outlasts other changes', async () => {
  const there = world();
  await join(there);
  const { client, server } = there;
  server.emit('qualities', { qualities: [['ada', 'fair'], ['nobody', 'poor']] });
  server.emit('participant_updated', person('ada', { muted: true }));
  assert.equal(client.participant('ada')?.quality, 'fair');
});

test('people, levels and speakers follow the server', async () => {
  const there = world();
  await join(there);
  /** @type {unknown[]} */
  const seen = [];
  there.client.on('levels', ({ levels }) => seen.push(...levels));
  there.server.emit('levels', {
    levels: [
      ['ada', 30, 1],
      ['bela', 20, 0],
    ],
  });
  assert.deepEqual(seen, [{ participantId: 'ada', levelDbov: -30, speaking: true }]);
  there.server.emit('participant_joined', person('bela'));
  assert.equal(there.client.participant('bela')?.levelDbov, -20);
  there.server.emit('participant_updated', person('bela', { muted: true }));
  assert.equal(there.client.participant('bela')?.muted, true);
  there.server.emit('participant_left', { participant_id: 'bela', reason: 'left' });
  assert.equal(there.client.participant('bela'), null);
});

test('an update that was under way does not turn my own switch back', async () => {
  const there = world();
  await join(there);
  await there.client.setMuted(true);
  there.server.emit('participant_updated', person('me1', { muted: false }));
  assert.equal(there.client.me?.muted, true);
});

test('who comes back is heard as before', async () => {
  const there = world();
  await join(there);
  await there.client.setListenerMix({ participantId: 'ada', gainDb: -12 });
  there.server.emit('participant_left', { participant_id: 'ada', reason: 'timeout' });
  there.server.emit('participant_joined', person('ada'));
  await settle();
  assert.equal(there.client.participant('ada')?.mix.gainDb, -12);
  assert.equal(there.server.count('set_listener_mix'), 2);
});

test('a role that is given or taken is told, and who may not speak stops publishing', async () => {
  const there = world();
  const { client, server } = there;
  const track = /** @type {any} */ (
    Object.assign(new EventTarget(), { stop: () => {}, enabled: true, getSettings: () => ({}) })
  );
  await join(there);
  await client.startPublishing({ track });
  /** @type {any[]} */
  const told = [];
  client.on('rolechange', (detail) => told.push(detail));
  server.emit('participant_updated', person('me1', { rights: ['run_desk'] }));
  server.emit('participant_updated', person('me1', { rights: ['run_desk'], pinned: true }));
  server.emit('participant_updated', person('ada', { rights: ['publish'] }));
  assert.deepEqual(told, [{ role: 'both', rights: ['run_desk'] }]);
  assert.deepEqual(client.room?.rights, ['run_desk']);
  assert.ok(client.isPublishing);
  const silenced = { role: 'subscriber', rights: ['subscribe'], tracks: [] };
  server.emit('participant_updated', person('me1', silenced));
  await settle();
  assert.equal(client.isPublishing, false);
  await assert.rejects(client.startPublishing(), { reason: 'forbidden' });
  server.emit('participant_updated', person('me1', { rights: ['publish'] }));
  await client.startPublishing({ track });
  assert.ok(client.isPublishing);
  assert.equal(told.length, 3);
});

test('who is made a listener is not shown as speaking', async () => {
  const there = world();
  await join(there);
  there.server.emit('levels', { levels: [['ada', 20, 1]] });
  assert.ok(there.client.participant('ada')?.speaking);
  there.server.emit('participant_updated', person('ada', { role: 'subscriber' }));
  assert.equal(there.client.participant('ada')?.speaking, false);
  assert.equal(there.client.participant('ada')?.levelDbov, -127);
});

test('another role on coming back is told, too', async () => {
  const there = world();
  await join(there);
  /** @type {any[]} */
  const told = [];
  there.client.on('rolechange', ({ rights }) => told.push(rights));
  const { join_room: answer } = there.server.answers;
  there.server.answers.join_room = (payload) => ({ ...answer?.(payload), rights: ['run_desk'] });
  there.server.cut();
  await there.clock.advance(30_000);
  assert.equal(there.client.state, 'joined');
  assert.deepEqual(told, [['run_desk']]);
});

test('a host mutes the microphone, and nobody but the user lets it go', async () => {
  const there = world();
  await join(there);
  const { client, server } = there;
  const id = client.room?.participantId ?? '';
  const heard = (/** @type {boolean} */ muted) =>
    server.emit('participant_updated', { ...person(id), muted });
  heard(true);
  assert.equal(client.isMuted, true);
  heard(false);
  assert.equal(client.isMuted, true);
  await client.setMuted(false);
  assert.deepEqual([client.isMuted, server.last('set_muted')], [false, false]);
});
