import assert from 'node:assert/strict';
import test from 'node:test';

import { BaseClient } from '../../webrtc/static/client/client.js';
import {
  FakePeerConnection,
  FakeServer,
  NO_OWN_PLAYOUT,
  SEND_CODECS,
  VirtualClock,
  refusal,
  settle,
} from './support.js';

/** @param {string} id @param {Record<string, unknown>} [change] */
const person = (id, change = {}) => ({
  participant_id: id,
  name: id,
  role: 'both',
  rights: [],
  kind: 'webrtc',
  muted: false,
  deafened: false,
  speaking: false,
  csrc: 1,
  joined_at: 0,
  tracks: [{ kind: 'audio' }],
  ...change,
});

/**
 * A client, a clock and a server that remembers seats, as the real one does.
 * @param {import('../../webrtc/static/client/types.js').ClientOptions} [options]
 * @param {typeof SEND_CODECS} [codecs] Of the browser.
 */
function world(options = {}, codecs = SEND_CODECS) {
  const clock = new VirtualClock();
  const server = new FakeServer(clock);
  const network = new EventTarget();
  FakePeerConnection.made = [];
  let seats = 0;
  /** @type {Map<string, Record<string, unknown>>} Resume token to participant. */
  const kept = new Map();
  server.answers = {
    join_room: (payload) => {
      const { resume_token: token } = payload;
      if (token !== undefined && !kept.has(token)) return refusal('resume_failed');
      const me = token ? kept.get(token) : person(`me${(seats += 1)}`);
      if (token) kept.delete(token);
      const next = `token${kept.size + seats}-${server.asked.length}`;
      kept.set(next, /** @type {Record<string, unknown>} */ (me));
      return {
        ok: true,
        room_id: payload.room_id || 'made-up',
        participant_id: me?.participant_id,
        resume_token: next,
        resumed: token !== undefined,
        role: 'both',
        rights: [],
        participants: [person('ada'), me],
        settings: { genre: 'auto' },
        listener_mix: {},
        room_settings: { mode: payload.mode ?? 'mix', max_speakers: payload.max_speakers ?? 6 },
        ice_servers: [],
        protocol: 1,
      };
    },
    offer: ({ sdp }) => ({ ok: true, type: 'answer', sdp: `${sdp}\r\na=ptime:10\r\n` }),
    audio_stream_metadata: (payload) => ({
      ok: true,
      participant_id: 'me',
      settings: { genre: 'auto', ...payload },
    }),
    set_muted: (muted) => {
      for (const seat of kept.values()) seat.muted = muted;
      return { ok: true };
    },
  };
  let wall = 0;
  const platform = {
    createSocket: server.createSocket,
    createPeerConnection: (/** @type {RTCConfiguration} */ configuration) =>
      /** @type {any} */ (new FakePeerConnection(configuration)),
    sendCodecs: () => codecs,
    createAudioElement: () =>
      /** @type {any} */ ({ play: async () => {}, pause: () => {}, srcObject: null }),
    ...NO_OWN_PLAYOUT,
    mediaDevices: undefined,
    isSecureContext: true,
    hasWebRtc: true,
    network,
    now: clock.now,
    wallNow: () => clock.now() + wall,
    random: () => 0.5,
    setTimer: clock.setTimer,
    clearTimer: clock.clearTimer,
  };
  const client = new BaseClient('http://server', options, platform);
  /** @type {string[]} */
  const events = [];
  for (const type of /** @type {const} */ ([
    'participantjoined',
    'participantleft',
    'reconnected',
    'roomclosed',
    'error',
  ])) {
    client.on(type, () => events.push(type));
  }
  client.on('statechange', ({ state }) => events.push(state));
  return {
    client,
    server,
    clock,
    network,
    events,
    forgetSeats: () => kept.clear(),
    sleep: (/** @type {number} */ ms) => (wall += ms),
  };
}

/** @param {ReturnType<typeof world>} there */
async function join({ client, clock }) {
  await client.connect();
  await client.joinRoom({ roomId: 'studio', name: 'Me' });
  await client.startSubscribing({ play: false });
  await clock.advance(0);
}

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

test('a strip that is drawn along costs few requests, and what is refused is taken back', async () => {
  const there = world();
  await join(there);
  const { client, server } = there;
  server.emit('participant_updated', person('ada', { settings: { fader: 0, pan: 0 } }));
  const fader = () => client.participant('ada')?.settings?.fader;
  server.asked.length = 0;
  const moves = [-1, -2, -3].map((db) => client.setStrip('ada', { fader: db }));
  moves.push(client.setStrip('ada', { pan: 1 }));
  assert.equal(fader(), -3, 'shown at once');
  await Promise.all(moves);
  assert.deepEqual(
    server.asked.map(({ payload }) => payload),
    [
      { participant_id: 'ada', fader: -1 },
      { participant_id: 'ada', fader: -3, pan: 1 },
    ],
  );
  server.answers.audio_stream_metadata = () => refusal('forbidden');
  await assert.rejects(client.setStrip('ada', { fader: 6 }), { reason: 'forbidden' });
  assert.equal(fader(), -3);
});

test('what a sound is recognised as is told with its confidence', async () => {
  const there = world();
  await join(there);
  const { client, server } = there;
  assert.equal(client.participant('ada')?.genre, null);
  server.emit('genre_detected', { participant_id: 'ada', genre: 'jazz', confidence: 0.9 });
  assert.deepEqual(client.participant('ada')?.genre, { label: 'jazz', confidence: 0.9 });
});

test('what a preset sets is known as soon as the server has answered', async () => {
  const there = world();
  await join(there);
  const { client, server } = there;
  const settings = { preset: 'flat', compRatio: 1, pan: 0.5 };
  for (const id of ['ada', 'me1']) {
    server.emit('participant_updated', person(id, { settings }));
    server.answers.audio_stream_metadata = () => ({
      ok: true,
      settings: { ...settings, preset: 'podcast', compRatio: 4 },
    });
    await client.setStrip(id, { preset: 'podcast' });
    assert.deepEqual(client.participant(id)?.settings, {
      preset: 'podcast',
      compRatio: 4,
      pan: 0.5,
    });
  }
});

test('how well connections do is told of everybody, and outlasts other changes', async () => {
  const there = world();
  await join(there);
  const { client, server } = there;
  server.emit('qualities', { qualities: [['ada', 'fair'], ['nobody', 'poor']] });
  server.emit('participant_updated', person('ada', { muted: true }));
  assert.equal(client.participant('ada')?.quality, 'fair');
});

test('the own strip is set as ever, and again on a new seat', async () => {
  const there = world();
  await join(there);
  await there.client.setStrip('me1', { fader: -6 });
  assert.deepEqual(there.server.last('audio_stream_metadata'), { fader: -6 });
  there.forgetSeats();
  there.server.cut();
  await there.clock.advance(1000);
  assert.deepEqual(there.server.last('audio_stream_metadata'), { fader: -6 });
});

test('settings while away are refused at once', async () => {
  const there = world();
  await join(there);
  there.server.cut();
  await assert.rejects(there.client.updateAudioSettings({ genre: 'jazz' }), {
    reason: 'not_connected',
  });
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

test('without a microphone API publishing names the insecure origin', async () => {
  const there = world();
  await join(there);
  await assert.rejects(there.client.startPublishing(), { reason: 'insecure_origin' });
  assert.equal(there.client.isPublishing, false);
});

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
