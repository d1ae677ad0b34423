import assert from 'node:assert/strict';
import test from 'node:test';

import { inSight, pitchOf, stayingPut } from '../../webrtc/static/app/desk/bank.js';
import { MeterBoard } from '../../webrtc/static/app/desk/meter_board.js';
import { networkOf, networkWords } from '../../webrtc/static/app/desk/network_words.js';
import { EMPTY_ROOM, movesRoom, reduceRoom } from '../../webrtc/static/app/desk/room_state.js';
import { genreWords, profileWords } from '../../webrtc/static/app/desk/content_words.js';
import { Roster } from '../../webrtc/static/client/roster.js';
import {
  initialsOf,
  rankOf,
  stateWords,
} from '../../webrtc/static/app/desk/strip_words.js';

/**
 * @typedef {import('../../webrtc/static/client/roster.js').Participant} Participant
 * @typedef {import('../../webrtc/static/app/desk/room_state.js').RoomAction} RoomAction
 * @typedef {import('../../webrtc/static/app/desk/room_state.js').RoomState} RoomState
 */

const ENGINEER = ['publish', 'edit_own_strip', 'edit_any_strip', 'choose_speakers', 'run_desk'];

/**
 * @param {string} participantId
 * @param {Partial<Participant>} [change]
 * @returns {Participant}
 */
const person = (participantId, change = {}) => ({
  participantId,
  name: participantId,
  role: 'both',
  rights: ['publish', 'edit_own_strip'],
  kind: 'webrtc',
  muted: false,
  deafened: false,
  priority: false,
  pinned: false,
  speaking: false,
  csrc: 1,
  joinedAt: 0,
  tracks: [],
  settings: { fader: 0, pan: 0 },
  genre: null,
  profileChange: null,
  network: null,
  quality: null,
  isMe: false,
  levelDbov: -127,
  mix: { gainDb: 0, pan: 0, muted: false, solo: false },
  ...change,
});

/**
 * @param {RoomState} state
 * @param {...RoomAction} actions
 */
const after = (state, ...actions) => actions.reduce(reduceRoom, state);

/** @param {readonly string[]} [rights] */
const roomOfThree = (rights = []) =>
  after(EMPTY_ROOM, {
    type: 'entered',
    rights,
    people: [
      person('ada', { joinedAt: 1 }),
      person('grace', { joinedAt: 2 }),
      person('me', { joinedAt: 3, isMe: true }),
    ],
  });

test('oneself comes first, then the others as they came', () => {
  const state = roomOfThree();
  assert.deepEqual(state.sequence, ['me', 'ada', 'grace']);
  const later = after(state, { type: 'put', participant: person('alan', { joinedAt: 4 }) });
  assert.deepEqual(later.sequence, ['me', 'ada', 'grace', 'alan']);
  assert.deepEqual(after(later, { type: 'gone', participantId: 'ada' }).sequence, [
    'me',
    'grace',
    'alan',
  ]);
  assert.equal(after(later, { type: 'left' }).sequence.length, 0);
});

test('the loudest come first, and nobody moves under the hand', () => {
  const loudness = new Map([
    ['ada', -60],
    ['grace', -20],
  ]);
  const byLoudness = after(roomOfThree(), { type: 'order', order: 'loudest' });
  const moved = after(byLoudness, { type: 'loudness', loudness });
  assert.deepEqual(moved.sequence, ['me', 'grace', 'ada']);
  const held = after(
    byLoudness,
    { type: 'held', held: true },
    { type: 'loudness', loudness },
    { type: 'put', participant: person('alan', { joinedAt: 0 }) },
  );
  assert.deepEqual(held.sequence, ['me', 'ada', 'grace', 'alan']);
  assert.deepEqual(after(held, { type: 'held', held: false }).sequence, [
    'me',
    'grace',
    'ada',
    'alan',
  ]);
});

test('a sequence that is the same is the same object', () => {
  const state = roomOfThree();
  const next = after(state, { type: 'put', participant: person('ada', { muted: true, joinedAt: 1 }) });
  assert.equal(next.sequence, state.sequence);
  assert.notEqual(next.people, state.people);
});

test('people are found by any part of their names', () => {
  const state = after(roomOfThree(), { type: 'query', query: ' RAC ' });
  assert.deepEqual(state.sequence, ['grace']);
  assert.equal(state.people.size, 3);
  assert.deepEqual(after(state, { type: 'query', query: 'x' }).sequence, []);
  assert.equal(after(state, { type: 'query', query: '' }).sequence.length, 3);
});

test('faders move what everybody hears for engineers only, until they choose their own mix', () => {
  const guest = roomOfThree();
  const [ada, me] = [guest.people.get('ada'), guest.people.get('me')];
  assert.ok(ada && me);
  assert.equal(movesRoom(guest, ada), false);
  assert.equal(movesRoom(guest, me), true, 'nobody hears themselves');
  const engineer = after(guest, { type: 'rights', rights: ENGINEER });
  assert.equal(movesRoom(engineer, ada), true);
  const own = after(engineer, { type: 'layer', layer: 'mine' });
  assert.equal(movesRoom(own, ada), false);
  assert.equal(after(own, { type: 'rights', rights: [...ENGINEER, 'x'] }).layer, 'mine');
  assert.equal(after(engineer, { type: 'rights', rights: [] }).layer, 'mine');
  assert.equal(movesRoom(engineer, person('ear', { role: 'subscriber' })), false);
});

test('a studio closes when its owner goes', () => {
  const open = after(roomOfThree(ENGINEER), { type: 'opened', participantId: 'ada' });
  assert.equal(after(open, { type: 'gone', participantId: 'grace' }).opened, 'ada');
  assert.equal(after(open, { type: 'gone', participantId: 'ada' }).opened, null);
});

test('of hundreds of strips those in sight are made, and a few beside them', () => {
  assert.equal(pitchOf(500, 1000), 118);
  assert.equal(pitchOf(7, 1000), 143);
  assert.equal(pitchOf(2, 1000), 150);
  for (let scrollPx = 0; scrollPx <= 500 * 118; scrollPx += 50) {
    const { first, end } = inSight({ count: 500, pitchPx: 118, scrollPx, viewPx: 1000 });
    assert.ok(end - first <= 14);
    assert.ok(first * 118 <= scrollPx && end * 118 >= Math.min(500 * 118, scrollPx + 1000));
  }
  assert.deepEqual(inSight({ count: 0, pitchPx: 118, scrollPx: 0, viewPx: 1000 }), { first: 0, end: 0 });
  const shrunk = inSight({ count: 3, pitchPx: 118, scrollPx: 5000, viewPx: 1000 });
  assert.ok(shrunk.first <= 2 && shrunk.end === 3);
});

test('to put a row in order as few as possible are moved', () => {
  assert.deepEqual([...stayingPut([...'abcd'], [...'abcd'])].sort(), [...'abcd']);
  assert.deepEqual([...stayingPut([...'abcd'], [...'bcda'])].sort(), [...'bcd']);
  assert.deepEqual([...stayingPut([...'abcd'], [...'dabc'])].sort(), [...'abc']);
  assert.equal(stayingPut([...'abcd'], [...'dcba']).size, 1);
  assert.deepEqual([...stayingPut([...'xaby'], [...'ab'])].sort(), [...'ab']);
  assert.equal(stayingPut([], ['a']).size, 0);
});

test('who has the focus stays where they are', () => {
  for (const focused of 'abcd') {
    const kept = stayingPut([...'abcd'], [...'dcab'], focused);
    assert.ok(kept.has(focused));
    assert.deepEqual([...'ab'].every((one) => kept.has(one)), 'ab'.includes(focused));
  }
  assert.deepEqual([...stayingPut([...'abcd'], [...'bcda'], 'x')].sort(), [...'bcd']);
});

test('what the server measures wins over what it tells everybody, while it comes', () => {
  let now = 0;
  const board = new MeterBoard(() => now);
  board.putLevels([{ participantId: 'ada', levelDbov: -30 }]);
  assert.deepEqual(board.readingOf('ada'), { peakDb: -30, rmsDb: -30, reductionDb: 0 });
  assert.equal(board.metersOf('ada'), null);
  const meters = /** @type {any} */ ({
    participantId: 'ada',
    outPeakDb: -6,
    outRmsDb: -12,
    compDb: -3,
    limiterDb: -1,
    gateDb: 0,
  });
  board.putMeters([meters]);
  assert.deepEqual(board.readingOf('ada'), { peakDb: -6, rmsDb: -12, reductionDb: -4 });
  now = 2500;
  assert.equal(board.readingOf('ada').peakDb, -30);
  board.forget('ada');
  assert.equal(board.readingOf('ada').peakDb, -Infinity);
});

test('the limiter is known while somebody measures', () => {
  let now = 0;
  const board = new MeterBoard(() => now);
  assert.equal(board.limiterDb, null);
  board.putLimiter(-2);
  assert.equal(board.limiterDb, -2);
  now = 2500;
  assert.equal(board.limiterDb, null);
});

test('the order follows loudness slowly', () => {
  const board = new MeterBoard(() => 0);
  board.putLevels([{ participantId: 'ada', levelDbov: -20 }]);
  const first = board.settle().get('ada') ?? 0;
  const second = board.settle().get('ada') ?? 0;
  assert.ok(first > -127 && first < second && second < -20);
});

test('a strip says what matters most', () => {
  const mix = { gainDb: 0, pan: 0, muted: true, solo: false };
  assert.equal(stateWords(person('ada'), true), 'speaking');
  assert.equal(stateWords(person('ada', { muted: true }), true), 'microphone off');
  assert.equal(stateWords(person('ada', { mix }), true), 'muted by you');
  assert.equal(stateWords(person('ada', { mix: { ...mix, solo: true } }), true), 'speaking');
  assert.equal(stateWords(person('ada', { role: 'subscriber' }), false), 'listening');
  assert.equal(rankOf(person('ada', { rights: ENGINEER })), 'Engineer');
  assert.equal(rankOf(person('ada', { rights: [...ENGINEER, 'set_roles'] })), 'Host');
  assert.equal(genreWords({ label: 'jazz', confidence: 0.917 }), 'Jazz 92 %');
  assert.equal(genreWords(null), '');
  assert.equal(genreWords({ label: 'silence', confidence: 1 }), '');
});

test('initials come from any name', () => {
  assert.equal(initialsOf('Ada Lovelace'), 'AL');
  assert.equal(initialsOf('grace'), 'G');
  assert.equal(initialsOf('  '), '?');
  assert.equal(initialsOf('🎸 jam band'), '🎸B');
});

test('a strip that follows what is heard says what changed, and why', () => {
  const jazz = { label: 'jazz', confidence: 0.7 };
  /** @param {Record<string, unknown>} settings @param {Partial<Participant>} [change] */
  const words = (settings, change = {}) => profileWords(person('ada', { settings, genre: jazz, ...change }));
  assert.equal(words({ genre: 'auto', profile: 'none' }), '');
  assert.equal(words({}, { settings: null }), '');
  const profileChange = {
    from: 'neutral',
    to: 'jazz',
    settings: ['profile', 'compRatio', 'compKnee', 'reverbMix', 'sidechainHighPass'],
  };
  assert.equal(
    words({ genre: 'auto', profile: 'jazz' }, { profileChange }),
    'Sounds like jazz, 70 % sure. So the strip follows with the profile Jazz. It changed compressor, reverb.',
  );
  assert.match(words({ genre: 'auto', profile: 'rock' }, { profileChange }), /Rock stays until .*quiet\.$/);
  assert.match(words({ genre: 'rock', profile: 'rock' }), /Rock was chosen by hand/);
  assert.match(words({ genre: 'auto', profile: 'neutral' }), /takes firm evidence/);
  assert.match(
    words({ genre: 'auto', profile: 'speech' }, { genre: { label: 'silence', confidence: 1 } }),
    /^Nothing is recognised .*Speech stays/,
  );
});

test('which values a strip changed with its profile is remembered', () => {
  const roster = new Roster();
  const raw = { participant_id: 'ada', settings: { profile: 'neutral', denoise: 'off', fader: 0 } };
  assert.equal(roster.put(raw).profileChange, null);
  const followed = { ...raw, settings: { profile: 'speech', denoise: 'webrtc', fader: 0 } };
  const change = { from: 'neutral', to: 'speech', settings: ['profile', 'denoise'] };
  assert.deepEqual(roster.put(followed).profileChange, change);
  const faded = { ...raw, settings: { ...followed.settings, fader: -6 } };
  assert.deepEqual(roster.put(faded).profileChange, change);
});

test('a simulated network is told in one line, and the form in what the server takes', () => {
  assert.equal(networkWords(null, [person('ada')]), '');
  const mobile = { conditions: 'mobile', seed: 1 };
  assert.equal(
    networkWords({ conditions: '50%', seed: 0 }, [person('ada', { network: mobile }), person('grace')]),
    'Simulated network – everybody: 50% · ada: mobile',
  );
  const form = { kind: 'quality', quality: '35', figures: ' loss=5 ' };
  assert.equal(networkOf(form), '35%');
  assert.equal(networkOf({ ...form, kind: 'figures' }), 'loss=5');
  assert.equal(networkOf({ ...form, kind: 'figures', figures: ' ' }), 'clean');
  assert.equal(networkOf({ ...form, kind: 'off' }), 'off');
});
