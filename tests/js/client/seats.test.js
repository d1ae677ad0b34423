import assert from 'node:assert/strict';
import test from 'node:test';

import { FakePeerConnection, settle } from '../support.js';
import { join, world } from './world.js';

test('connect, join and listen, with an offer of one direction', async () => {
  const there = world();
  await join(there);
  assert.equal(there.client.state, 'joined');
  assert.equal(there.client.mediaState, 'connected');
  assert.match(there.server.last('offer').sdp, /recvonly/);
  assert.deepEqual(there.server.last('join_room'), {
    room_id: 'studio',
    role: 'both',
    protocol: 1,
    capabilities: ['tracks'],
    name: 'Me',
  });
  assert.deepEqual(
    there.client.participants.map(({ name }) => name),
    ['ada', 'me1'],
  );
  assert.equal(there.client.me?.isMe, true);
});

test('a lost socket is resumed and the sound never touched', async () => {
  const there = world();
  await join(there);
  const before = there.client.peerConnection;
  there.server.cut();
  assert.equal(there.client.state, 'reconnecting');
  await there.clock.advance(500);
  assert.equal(there.client.state, 'joined');
  assert.equal(there.client.peerConnection, before);
  assert.equal(there.server.count('offer'), 1);
  assert.equal(typeof there.server.last('join_room').resume_token, 'string');
  assert.ok(there.events.includes('reconnected'));
});

test('a server that is away is tried until it is back', async () => {
  const there = world();
  await join(there);
  there.server.reachable = false;
  there.server.cut();
  await there.clock.advance(60_000);
  assert.equal(there.client.state, 'reconnecting');
  there.server.reachable = true;
  await there.clock.advance(8000);
  assert.equal(there.client.state, 'joined');
});

test('a new seat gets role, mutes, settings and mixes back before any sound flows', async () => {
  const there = world();
  await join(there);
  await there.client.updateAudioSettings({ genre: 'jazz' });
  await there.client.setMuted(true);
  await there.client.setListenerMix({ participantId: 'ada', gainDb: -6 });
  const before = there.client.peerConnection;
  there.forgetSeats();
  there.server.asked.length = 0;
  there.server.cut();
  await there.clock.advance(1000);
  assert.equal(there.client.state, 'joined');
  assert.notEqual(there.client.peerConnection, before);
  const order = there.server.asked.map(({ event }) => event);
  assert.deepEqual(order.slice(0, 2), ['join_room', 'join_room']);
  assert.deepEqual(there.server.last('join_room'), {
    room_id: 'studio',
    role: 'both',
    protocol: 1,
    capabilities: ['tracks'],
    name: 'Me',
  });
  assert.ok(order.indexOf('set_muted') < order.indexOf('offer'));
  assert.equal(there.server.last('set_muted'), true);
  assert.deepEqual(there.server.last('audio_stream_metadata'), { genre: 'jazz' });
  assert.deepEqual(there.server.last('set_listener_mix'), {
    participant_id: 'ada',
    gain_db: -6,
    pan: 0,
    muted: false,
    solo: false,
  });
});

test('what is switched while away is told on coming back', async () => {
  const there = world();
  await join(there);
  there.server.cut();
  await there.client.setMuted(true);
  assert.equal(there.client.isMuted, true);
  assert.equal(there.server.count('set_muted'), 0);
  await there.clock.advance(1000);
  assert.equal(there.server.last('set_muted'), true);
});

test('a page that takes its seat over adopts its switches', async () => {
  const there = world();
  await join(there);
  await there.client.setMuted(true);
  const token = there.client.room?.resumeToken;
  there.client.peerConnection?.close();
  there.server.cut();
  const platformAgain = there;
  await platformAgain.client.disconnect();
  await there.client.connect();
  await there.client.setMuted(false);
  await there.client.joinRoom({ roomId: 'studio', resumeToken: token ?? '' });
  await settle();
  assert.equal(there.client.isMuted, true);
});

test('a request that the lost socket took with it rejects', async () => {
  const there = world();
  await join(there);
  there.server.answers.audio_stream_metadata = () => new Promise(() => {});
  const asked = there.client.updateAudioSettings({ genre: 'jazz' });
  await settle();
  there.server.cut();
  await assert.rejects(asked, { reason: 'not_connected' });
});

test('a closed room is over: nothing joins it again', async () => {
  const there = world();
  await join(there);
  there.server.emit('room_closed', { reason: 'deleted' });
  await settle();
  assert.equal(there.client.state, 'connected');
  assert.equal(there.client.room, null);
  assert.equal(there.client.peerConnection, null);
  there.server.cut();
  await there.clock.advance(1000);
  assert.equal(there.server.count('join_room'), 1);
});

test('whose seat was taken over elsewhere does not fight for it', async () => {
  const there = world();
  await join(there);
  /** @type {string[]} */
  const reasons = [];
  there.client.on('roomclosed', ({ reason }) => reasons.push(reason));
  for (const socket of there.server.sockets) socket.drop('io server disconnect');
  await there.clock.advance(60_000);
  assert.deepEqual(reasons, ['replaced']);
  assert.equal(there.client.state, 'disconnected');
  assert.equal(there.client.peerConnection, null);
  assert.equal(there.server.count('join_room'), 1);
  await there.client.connect();
  await there.client.joinRoom('studio');
});

test('malformed events of a server do no harm', async () => {
  const there = world();
  await join(there);
  for (const event of [
    'levels',
    'active_speakers',
    'participant_left',
    'server_draining',
    'offer',
    'ice_candidate',
  ]) {
    there.server.emit(event, null);
  }
  await settle();
  assert.equal(there.client.state, 'joined');
});

test('a join that a drain interrupts is told so, and can be tried again', async () => {
  const there = world();
  await there.client.connect();
  there.server.hangs = true;
  const refused = assert.rejects(there.client.joinRoom('studio'), { reason: 'not_connected' });
  there.server.emit('server_draining', { retry_after_s: 1 });
  there.server.hangs = false;
  await there.clock.advance(2000);
  await refused;
  assert.equal(there.client.state, 'connected');
  await there.client.joinRoom('studio');
  assert.equal(there.client.state, 'joined');
});

test('disconnecting leaves nothing behind', async () => {
  const there = world();
  await join(there);
  await there.client.disconnect();
  assert.equal(there.client.state, 'disconnected');
  assert.equal(there.clock.pending, 0);
  assert.equal(FakePeerConnection.made[0]?.connectionState, 'closed');
  there.network.dispatchEvent(new Event('online'));
  assert.equal(there.clock.pending, 0);
  await there.client.connect();
  assert.equal(there.client.state, 'connected');
});

test('a server that cannot be reached is a clear error, and not the last word', async () => {
  const there = world();
  there.server.reachable = false;
  const connecting = assert.rejects(there.client.connect(), { reason: 'unreachable' });
  await there.clock.advance(10_000);
  await connecting;
  assert.equal(there.client.state, 'disconnected');
  assert.equal(there.clock.pending, 0);
  there.server.reachable = true;
  await there.client.connect();
});

test('calls out of order say what is missing', async () => {
  const { client } = world();
  await assert.rejects(client.joinRoom('studio'), { reason: 'not_connected' });
  await assert.rejects(client.startPublishing(), { reason: 'not_joined' });
  await assert.rejects(client.startSubscribing(), { reason: 'not_joined' });
  await assert.rejects(client.getAudioStats(), { reason: 'not_joined' });
  await client.connect();
  await assert.rejects(client.updateAudioSettings({}), { reason: 'not_joined' });
});

test('a token opens the socket and the room, and a call may bring another', async () => {
  const there = world({ token: 'mine' });
  await there.client.connect();
  await there.client.joinRoom('studio');
  assert.equal(there.server.last('join_room').token, 'mine');
  assert.deepEqual(there.server.opened.at(-1), ['http://server', undefined, 'mine']);
  await there.client.leaveRoom();
  await there.client.joinRoom({ roomId: 'studio', token: 'another' });
  assert.equal(there.server.last('join_room').token, 'another');
});
