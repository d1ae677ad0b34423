import assert from 'node:assert/strict';
import test from 'node:test';

import { FakePeerConnection, refusal } from '../support.js';
import { join, world } from './world.js';

test('a lost media worker means a new connection at once, without joining again', async () => {
  const there = world();
  await join(there);
  const before = there.client.peerConnection;
  there.server.emit('media_reset', { reason: 'worker_restarted' });
  await there.clock.advance(0);
  assert.notEqual(there.client.peerConnection, before);
  assert.equal(there.client.mediaState, 'connected');
  assert.equal(there.server.count('join_room'), 1);
});

test('a worker that is not back yet is asked again, with growing pauses', async () => {
  const there = world();
  await there.client.connect();
  await there.client.joinRoom('studio');
  const { offer } = there.server.answers;
  there.server.answers.offer = () => refusal('worker_unavailable');
  const started = there.client.startSubscribing({ play: false });
  await there.clock.advance(3000);
  there.server.answers.offer = /** @type {(payload: any) => any} */ (offer);
  await there.clock.advance(10_000);
  await started;
  assert.equal(there.client.mediaState, 'connected');
});

test('a stutter of the network restarts ICE without a new room entry', async () => {
  const there = world();
  await join(there);
  const [pc] = FakePeerConnection.made;
  pc?.become('disconnected');
  await there.clock.advance(1600);
  assert.equal(pc?.restarts, 1);
  pc?.become('connected');
  await there.clock.advance(60_000);
  assert.equal(FakePeerConnection.made.length, 1);
  assert.equal(there.server.count('join_room'), 1);
});

test('after a sleep a silent socket is dropped, and ICE restarted', async () => {
  const there = world();
  await join(there);
  there.server.answers.get_stats = () => undefined;
  there.sleep(3_600_000);
  await there.clock.advance(1000);
  assert.equal(there.server.count('get_stats'), 1);
  assert.equal(FakePeerConnection.made[0]?.restarts, 1);
  await there.clock.advance(2999);
  assert.equal(there.server.count('join_room'), 1);
  await there.clock.advance(1000);
  assert.equal(there.server.count('join_room'), 2);
  assert.equal(there.client.state, 'joined');
});

/** @param {FakePeerConnection | undefined} pc @param {boolean} flows */
function listen(pc, flows) {
  let packetsReceived = 0;
  if (!pc) throw new Error('no connection');
  pc.getStats = async () => {
    if (flows) packetsReceived += 25;
    return new Map([[0, { type: 'inbound-rtp', packetsReceived }]]);
  };
  return { stop: () => (flows = false), go: () => (flows = true) };
}

test('a server that hangs is left while the browser still takes the connection for well', async () => {
  const there = world();
  await join(there);
  const stream = listen(FakePeerConnection.made[0], true);
  await there.clock.advance(60_000);
  assert.equal(there.server.count('get_stats'), 0);
  stream.stop();
  there.server.hangs = true;
  await there.clock.advance(3500);
  assert.equal(there.client.state, 'reconnecting');
  assert.equal(there.client.mediaState, 'connected');
  await there.clock.advance(1000); // the address has led there once more
  there.server.hangs = false; // and leads to another one now
  await there.clock.advance(1500);
  assert.equal(there.client.state, 'joined');
  assert.equal(typeof there.server.last('join_room').resume_token, 'string');
});

test('a stop of five seconds costs the socket, and the sound goes on at once', async () => {
  const there = world();
  await join(there);
  const before = there.client.peerConnection;
  const stream = listen(FakePeerConnection.made[0], true);
  await there.clock.advance(5000);
  stream.stop();
  there.server.hangs = true;
  await there.clock.advance(5000);
  stream.go();
  there.server.hangs = false;
  await there.clock.advance(2000);
  assert.equal(there.client.state, 'joined');
  assert.equal(there.client.peerConnection, before);
  assert.equal(there.server.count('offer'), 1);
});

test('silence is asked about and, with an answer, nothing else', async () => {
  const there = world();
  await join(there);
  const stream = listen(FakePeerConnection.made[0], true);
  await there.clock.advance(5000);
  stream.stop();
  await there.clock.advance(60_000);
  const asked = there.server.count('get_stats');
  assert.ok(asked > 0 && asked < 25, `asked ${asked} times`);
  assert.equal(there.client.state, 'joined');
  assert.equal(there.server.count('join_room'), 1);
  await there.client.stopSubscribing();
  await there.clock.advance(60_000);
  assert.equal(there.server.count('get_stats'), asked);
});

test('a refusal undoes the wish; a way that is blocked does not', async () => {
  const there = world();
  await there.client.connect();
  await there.client.joinRoom('studio');
  there.server.answers.offer = () => refusal('forbidden');
  await assert.rejects(there.client.startSubscribing({ play: false }), { reason: 'forbidden' });
  assert.equal(there.client.isSubscribing, false);
  assert.equal(there.client.mediaState, 'idle');
});

test('a change that the server puts off is asked for again, and the sound goes on', async () => {
  const there = world();
  await join(there);
  const before = there.client.peerConnection;
  const { offer } = there.server.answers;
  there.server.answers.offer = () => refusal('busy');
  const track = /** @type {any} */ (
    Object.assign(new EventTarget(), { stop: () => {}, enabled: true, getSettings: () => ({}) })
  );
  const publishing = there.client.startPublishing({ track });
  await there.clock.advance(200);
  there.server.answers.offer = /** @type {(payload: any) => any} */ (offer);
  await there.clock.advance(2000);
  await publishing;
  assert.match(there.server.last('offer').sdp, /sendrecv/);
  assert.equal(there.client.peerConnection, before);
});

test('a microphone that hears WebAudio is known while it is open', async () => {
  const there = world();
  await join(there);
  const settings = { echoCancellation: 'remote-only' };
  const track = /** @type {any} */ (
    Object.assign(new EventTarget(), { stop: () => {}, enabled: true, getSettings: () => settings })
  );
  await there.client.startPublishing({ track });
  assert.equal(there.client.microphone.hearsWebAudio, true);
  await there.client.stopPublishing();
  assert.equal(there.client.microphone.hearsWebAudio, false);
});

test('a seat to listen cannot broadcast', async () => {
  const there = world();
  const { join_room: joinRoom } = there.server.answers;
  there.server.answers.join_room = async (payload) => ({
    ...(await joinRoom?.(payload)),
    role: 'subscriber',
  });
  await there.client.connect();
  await there.client.joinRoom({ roomId: 'studio', role: 'subscriber' });
  await assert.rejects(there.client.startPublishing(), { reason: 'forbidden' });
});

test('muting silences the track before the server knows', async () => {
  const there = world();
  await join(there);
  const track = /** @type {any} */ (
    Object.assign(new EventTarget(), { stop: () => {}, enabled: true, getSettings: () => ({}) })
  );
  await there.client.startPublishing({ track });
  there.server.answers.set_muted = () => undefined;
  void there.client.setMuted(true).catch(() => {});
  assert.equal(track.enabled, false);
});

test('without a microphone API publishing names the insecure origin', async () => {
  const there = world();
  await join(there);
  await assert.rejects(there.client.startPublishing(), { reason: 'insecure_origin' });
  assert.equal(there.client.isPublishing, false);
});

test('a browser without the means plays as it can, and a wrong choice is refused', async () => {
  const there = world({ playout: 'low-latency' });
  /** @type {unknown[]} */
  const told = [];
  there.client.on('playout-changed', (detail) => told.push(detail));
  await there.client.connect();
  await there.client.joinRoom('studio');
  await there.client.startSubscribing();
  const { playout } = there.client;
  assert.deepEqual(playout, { mode: 'low-latency', path: 'browser', reason: 'unsupported' });
  assert.deepEqual(told.at(-1), { path: 'browser', reason: 'unsupported' });
  await there.client.setPlayout('browser');
  assert.deepEqual(told.at(-1), { path: 'browser', reason: 'chosen' });
  await assert.rejects(there.client.setPlayout(/** @type {any} */ ('fast')), {
    reason: 'invalid_option',
    detail: 'playout is one of auto, low-latency, browser, not fast.',
  });
  assert.throws(() => world({ playout: /** @type {any} */ ('fast') }), { reason: 'invalid_option' });
  assert.equal((await there.client.getAudioStats()).playout.reason, 'chosen');
});

test('a room that forwards: its tracks, who is on them, and what may be changed', async () => {
  const there = world();
  const { client, server, clock } = there;
  /** @type {any[]} */
  const told = [];
  client.on('trackassignments', ({ tracks }) => told.push(tracks));
  await client.connect();
  await client.joinRoom({ mode: 'forward', maxSpeakers: 3 });
  assert.equal(client.desk.settings?.mode, 'forward');
  await client.startSubscribing({ play: false });
  const [pc] = FakePeerConnection.made;
  const further = { mid: 'track1', receiver: {} };
  pc?.dispatchEvent(Object.assign(new Event('track'), { track: 'sound', transceiver: further }));
  server.emit('track_assignments', { tracks: [{ mid: 'track1', participant_id: 'ada' }] });
  assert.deepEqual(client.tracks, [
    { mid: 'track1', track: 'sound', participantId: 'ada', path: 'browser' },
  ]);
  assert.deepEqual(told.at(-1), client.tracks);
  assert.deepEqual(further.receiver, { jitterBufferTarget: 0, playoutDelayHint: 0 });
  server.emit('room_updated', { settings: { mode: 'mix', max_speakers: 2 } });
  assert.equal(client.tracks[0]?.participantId, null);
  await client.desk.setSpeaker({ participantId: 'ada', pinned: true });
  assert.deepEqual(server.last('set_speaker'), { participant_id: 'ada', pinned: true });
  await client.leaveRoom();
  await clock.advance(0);
  assert.deepEqual(client.tracks, []);
});
