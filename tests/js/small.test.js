import assert from 'node:assert/strict';
import test from 'node:test';

import { Addresses } from '../../webrtc/static/client/addresses.js';
import { people } from '../../webrtc/static/app/announcer.js';
import {
  formatDb,
  formatMs,
  formatPan,
  formatShare,
  parseDb,
} from '../../webrtc/static/app/format.js';
import { ORDERS } from '../../webrtc/static/app/orders.js';
import { toRoomId } from '../../webrtc/static/app/room_id.js';
import { dbAt, positionOf } from '../../webrtc/static/app/taper.js';
import {
  leaveVisit,
  readLikes,
  roomInAddress,
  roomLink,
  takeVisit,
} from '../../webrtc/static/app/visit.js';
import { PLAYOUT_CHOICES, adviceFor, playoutWords, statusWords } from '../../webrtc/static/app/words.js';
import { backoffMs } from '../../webrtc/static/client/backoff.js';
import { acknowledged, microphoneError } from '../../webrtc/static/client/errors.js';
import { LatestSender } from '../../webrtc/static/client/latest.js';
import { microphoneConstraints } from '../../webrtc/static/client/microphone.js';
import { PLAYOUT_MODES } from '../../webrtc/static/client/playout/path_switch.js';

test('the fader rises all the way, unity at three quarters', () => {
  assert.equal(positionOf(0), 0.75);
  assert.equal(positionOf(-60), 0);
  assert.equal(positionOf(12), 1);
  let before = -Infinity;
  for (let step = 0; step <= 1000; step += 1) {
    const db = dbAt(step / 1000);
    assert.ok(db >= before);
    before = db;
  }
});

test('a value set in decibels is read back from the fader', () => {
  for (let db = -60; db <= 12; db += 0.5)
    assert.ok(Math.abs(dbAt(positionOf(db)) - db) < 0.06, String(db));
});

test('values beyond the fader stop at its ends', () => {
  assert.equal(positionOf(-500), 0);
  assert.equal(positionOf(99), 1);
  assert.equal(dbAt(-1), -60);
  assert.equal(dbAt(2), 12);
});

test('decibels are written and read as people do', () => {
  assert.equal(formatDb(0), '0.0');
  assert.equal(formatDb(-0.04), '0.0');
  assert.equal(formatDb(0.04), '0.0');
  assert.equal(formatDb(3), '+3.0');
  assert.equal(formatDb(-6.25), '−6.3');
  assert.equal(formatDb(-60), '−∞');
  assert.equal(parseDb('-6,5 dB'), -6.5);
  assert.equal(parseDb('−12'), -12);
  assert.equal(parseDb('+3'), 3);
  assert.equal(parseDb('-inf'), -60);
  assert.equal(parseDb('−∞'), -60);
  assert.equal(parseDb('loud'), null);
  assert.equal(parseDb(''), null);
});

test('every figure has a dash for what is not known', () => {
  assert.equal(formatMs(null), '–');
  assert.equal(formatMs(4.25), '4.3 ms');
  assert.equal(formatMs(42.4), '42 ms');
  assert.equal(formatShare(0.0123), '1.2 %');
  assert.equal(formatPan(0.004), 'C');
  assert.equal(formatPan(-0.5), 'L50');
  assert.equal(formatPan(1), 'R100');
});

test('any text becomes a room id that the server takes, or none', () => {
  assert.equal(toRoomId('  Tuesday band!  '), 'Tuesday-band');
  assert.equal(toRoomId('Zürich & Genève'), 'Zurich-Geneve');
  assert.equal(toRoomId('--a..b_c~d'), 'a..b_c~d');
  assert.equal(toRoomId('日本'), '');
  const long = toRoomId('x'.repeat(200));
  assert.equal(long.length, 64);
  for (const text of ['🎸 jam', 'a/b?c#d', '../../etc', '-', `${'a'.repeat(63)}- b`]) {
    assert.match(toRoomId(text), /^([A-Za-z0-9][A-Za-z0-9._~-]{0,63})?$/);
  }
});

test('a room is read from query or hash and put into a link', () => {
  assert.equal(roomInAddress({ search: '?room=studio', hash: '' }), 'studio');
  assert.equal(roomInAddress({ search: '', hash: '#studio' }), 'studio');
  assert.equal(roomInAddress({ search: '', hash: '#room=a%20b' }), 'a b');
  assert.equal(roomInAddress({ search: '', hash: '#%' }), '');
  assert.equal(roomLink('http://h:8081/?room=x&y=1#z', 'a b'), 'http://h:8081/?room=a+b');
});

test('a visit is handed on once, and forbidden storage is no trouble', () => {
  /** @type {Map<string, string>} */
  const kept = new Map();
  const storage = () =>
    /** @type {Storage} */ (
      /** @type {unknown} */ ({
        getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
        setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
        removeItem: (/** @type {string} */ key) => kept.delete(key),
      })
    );
  const visit = {
    roomId: 'a',
    name: 'Ada',
    publishing: true,
    subscribing: true,
    muted: false,
    deafened: false,
  };
  leaveVisit(storage, visit);
  assert.deepEqual(takeVisit(storage), visit);
  assert.equal(takeVisit(storage), null);
  const forbidden = () => {
    throw new Error('SecurityError');
  };
  leaveVisit(forbidden, visit);
  assert.equal(takeVisit(forbidden), null);
  assert.equal(readLikes(forbidden).broadcast, true);
});

test('every state and trouble has words', () => {
  for (const state of /** @type {const} */ ([
    'disconnected',
    'connecting',
    'connected',
    'joining',
    'joined',
    'reconnecting',
  ])) {
    assert.ok(statusWords(state, 'connected').text);
  }
  for (const media of /** @type {const} */ ([
    'idle',
    'connecting',
    'connected',
    'interrupted',
    'restarting',
    'retrying',
  ])) {
    assert.ok(statusWords('joined', media).hint);
  }
  assert.equal(adviceFor({ reason: 'never_heard_of', detail: 'Something.' }).text, 'Something.');
});

test('many who come at once are one sentence', () => {
  assert.deepEqual(people([], 'joined'), []);
  assert.deepEqual(people(['Ada', 'Bela'], 'left'), ['Ada, Bela left.']);
  assert.deepEqual(people(['a', 'b', 'c', 'd'], 'joined'), ['4 people joined.']);
});

test('lists begin with oneself and do not dance', () => {
  /** @param {string} participantId @param {number} joinedAt @param {boolean} isMe */
  const person = (participantId, joinedAt, isMe = false) =>
    /** @type {any} */ ({ participantId, name: participantId, joinedAt, csrc: joinedAt, isMe });
  const everyone = [person('c', 3), person('a', 1), person('me', 9, true), person('b', 2)];
  /**
   * @param {import('../../webrtc/static/app/orders.js').OrderName} order
   * @param {[string, number][]} loudness
   */
  const names = (order, loudness = []) =>
    ORDERS[order](everyone, new Map(loudness))
      .map((each) => each.participantId)
      .join(' ');
  assert.equal(names('joined'), 'me a b c');
  assert.equal(names('name'), 'me a b c');
  assert.equal(
    names('loudest', [
      ['c', -20],
      ['b', -60],
    ]),
    'me c b a',
  );
  assert.equal(
    names('loudest', [
      ['a', -31],
      ['b', -30],
      ['c', -30.5],
    ]),
    'me a b c',
  );
});

test('pauses grow to their cap and are never zero', () => {
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const shortest = backoffMs(attempt, () => 0);
    const longest = backoffMs(attempt, () => 0.999999);
    assert.ok(shortest >= 125 && longest <= 8000 && shortest < longest);
  }
});

test('an acknowledgement is a success, a reason, or malformed', () => {
  assert.deepEqual(acknowledged({ ok: true, sdp: 'x' }), { ok: true, sdp: 'x' });
  const refused = { ok: false, error: { reason: 'draining', detail: 'Later.', retry_after: 2 } };
  assert.throws(() => acknowledged(refused), {
    reason: 'draining',
    detail: 'Later.',
    retryAfterS: 2,
  });
  for (const nonsense of [
    null,
    undefined,
    'ok',
    {},
    { ok: 'true' },
    { ok: false },
    { ok: false, error: 7 },
  ]) {
    assert.throws(() => acknowledged(nonsense), { reason: 'bad_answer' });
  }
});

test('what getUserMedia throws gets a stable name', () => {
  /** @param {string} name */
  const thrown = (name) => Object.assign(new Error('x'), { name });
  assert.equal(microphoneError(thrown('NotAllowedError')).reason, 'permission_denied');
  assert.equal(microphoneError(thrown('NotFoundError')).reason, 'no_microphone');
  assert.equal(microphoneError(thrown('NotReadableError')).reason, 'device_busy');
  assert.equal(microphoneError('?').reason, 'device_busy');
});

test('music mode switches all processing off, whatever the switches say', () => {
  const processing = { echoCancellation: true, noiseSuppression: false, autoGainControl: true };
  const speech = microphoneConstraints({ deviceId: null, musicMode: false, processing });
  assert.equal(speech.echoCancellation, true);
  assert.equal(speech.noiseSuppression, false);
  assert.equal('deviceId' in speech, false);
  const music = microphoneConstraints({ deviceId: 'usb', musicMode: true, processing });
  assert.equal(music.echoCancellation, false);
  assert.equal(music.autoGainControl, false);
  assert.deepEqual(music.deviceId, { exact: 'usb' });
  assert.equal(music.channelCount, 2);
});

test('of many values only the first and the last are sent', async () => {
  /** @type {[string, number][]} */
  const sent = [];
  /** @type {(() => void)[]} */
  const release = [];
  const sender = new LatestSender(async (key, /** @type {number} */ value) => {
    sent.push([key, value]);
    await new Promise((resolve) => release.push(() => resolve(undefined)));
  });
  const all = [1, 2, 3, 4].map((value) => sender.put('a', value));
  const other = sender.put('b', 9);
  assert.deepEqual(sent, [
    ['a', 1],
    ['b', 9],
  ]);
  release.splice(0).forEach((go) => go());
  await all[0];
  await other;
  await new Promise((resolve) => setImmediate(resolve));
  release.splice(0).forEach((go) => go());
  await Promise.all(all);
  assert.deepEqual(sent, [
    ['a', 1],
    ['b', 9],
    ['a', 4],
  ]);
});

test('a failed send does not hold up the next value', async () => {
  let fail = true;
  const sender = new LatestSender(async () => {
    if (!fail) return;
    fail = false;
    throw new Error('lost');
  });
  const first = sender.put('a', 1);
  const second = sender.put('a', 2);
  await assert.rejects(first, /lost/);
  await second;
});

test('every way to play has words, and a choice that is unknown is not kept', () => {
  assert.deepEqual(
    PLAYOUT_CHOICES.map(({ mode }) => mode),
    PLAYOUT_MODES,
  );
  assert.equal(
    playoutWords({ path: 'browser', reason: 'network' }),
    'Played by the browser, because the network is poor at the moment.',
  );
  const storage = (/** @type {string} */ playout) => () =>
    /** @type {any} */ ({ getItem: () => JSON.stringify({ playout, name: 'Ada' }) });
  assert.equal(readLikes(storage('browser')).playout, 'browser');
  assert.deepEqual(
    [readLikes(storage('fastest')).playout, readLikes(storage('fastest')).name],
    ['auto', 'Ada'],
  );
});

test('the next address is tried when a connection has failed or ended', () => {
  const addresses = new Addresses(['http://a:1', 'https://b/mixer/'], undefined, undefined);
  assert.deepEqual(addresses.current, { origin: 'http://a:1', path: '/socket.io/' });
  /** @type {Record<string, () => void>} */
  const handlers = {};
  const socket = {
    /** @param {string} event @param {() => void} handler */
    on: (event, handler) => (handlers[event] = handler),
    io: { uri: 'http://a:1', opts: { path: '/socket.io/' } },
  };
  addresses.follow(socket);
  handlers.connect_error?.();
  assert.deepEqual(socket.io, { uri: 'https://b', opts: { path: '/mixer/socket.io/' } });
  handlers.disconnect?.();
  assert.deepEqual(socket.io, { uri: 'http://a:1', opts: { path: '/socket.io/' } });
});

test('a single address is kept, and none at all is refused', () => {
  const addresses = new Addresses('/mixer', '/other/', 'http://a:1/page');
  assert.deepEqual(addresses.current, { origin: 'http://a:1', path: '/other/' });
  addresses.follow({
    on: () => assert.fail('there is nowhere else to go'),
    io: { uri: '', opts: {} },
  });
  assert.throws(() => new Addresses([], undefined, undefined), TypeError);
});
