import assert from 'node:assert/strict';
import test from 'node:test';

import { FakePeerConnection, SEND_CODECS } from '../support.js';
import { join, world } from './world.js';

/** @param {ReturnType<typeof world>} there */
async function speak(there) {
  await join(there);
  const track = /** @type {any} */ (
    Object.assign(new EventTarget(), { stop: () => {}, enabled: true, getSettings: () => ({}) })
  );
  await there.client.startPublishing({ track });
}

/**
 * Let time go by on a network that loses.
 * @param {ReturnType<typeof world>} there
 * @param {number} loss
 * @param {number} seconds
 */
async function lose({ client, clock }, loss, seconds) {
  const pc = /** @type {FakePeerConnection} */ (/** @type {unknown} */ (client.peerConnection));
  if (pc.report.length === 0) {
    pc.report = [
      { type: 'outbound-rtp', kind: 'audio', packetsSent: 0 },
      { type: 'remote-inbound-rtp', kind: 'audio', packetsLost: 0, timestamp: 0 },
    ];
  }
  const [outbound, remote] = pc.report;
  for (let i = 0; i < seconds; i += 1) {
    outbound.packetsSent += 100;
    remote.packetsLost += 100 * loss;
    remote.timestamp = clock.now();
    await clock.advance(1000);
  }
}

test('a voice that gets lost is redundant on the same connection, until it is not', async () => {
  const there = world();
  await speak(there);
  const before = there.client.peerConnection;
  const offers = there.server.count('offer');
  assert.equal((await there.client.getAudioStats()).redundancy, false);
  await lose(there, 0.1, 10);
  assert.equal((await there.client.getAudioStats()).redundancy, true);
  assert.equal(there.server.count('offer'), offers + 1);
  await lose(there, 0, 60);
  assert.equal((await there.client.getAudioStats()).redundancy, false);
  assert.equal(there.server.count('offer'), offers + 2);
  assert.equal(there.client.peerConnection, before);
  assert.equal(there.server.count('join_room'), 1);
});

test('redundancy comes along to a new connection', async () => {
  const there = world();
  await speak(there);
  await lose(there, 0.1, 10);
  there.server.emit('media_reset', { reason: 'worker_restarted' });
  await there.clock.advance(1000);
  assert.equal(FakePeerConnection.made.length, 2);
  assert.match(there.server.last('offer').sdp, /red/);
});

test('redundancy that was asked for is there from the first broadcast to its end', async () => {
  const there = world({ redundancy: 'always' });
  await speak(there);
  assert.match(there.server.last('offer').sdp, /red/);
  await there.client.stopPublishing();
  await there.clock.advance(0);
  assert.doesNotMatch(there.server.last('offer').sdp, /red/);
  assert.equal((await there.client.getAudioStats()).redundancy, false);
});

test('redundancy that was ruled out never comes, until it is allowed', async () => {
  const there = world({ redundancy: 'never' });
  await speak(there);
  await lose(there, 0.1, 20);
  assert.doesNotMatch(there.server.last('offer').sdp, /red/);
  there.client.setRedundancy('auto');
  await lose(there, 0.1, 20);
  assert.match(there.server.last('offer').sdp, /red/);
});

test('a browser without RED is left in peace', async () => {
  const there = world(
    { redundancy: 'always' },
    SEND_CODECS.filter(({ mimeType }) => mimeType !== 'audio/red'),
  );
  await speak(there);
  const offers = there.server.count('offer');
  there.client.setRedundancy('auto');
  await lose(there, 0.1, 20);
  assert.equal(there.server.count('offer'), offers);
  assert.equal((await there.client.getAudioStats()).redundancy, false);
});

test('nothing watches the network once nobody speaks', async () => {
  const there = world();
  await speak(there);
  await lose(there, 0.1, 3);
  await there.client.disconnect();
  assert.equal(there.clock.pending, 0);
});
