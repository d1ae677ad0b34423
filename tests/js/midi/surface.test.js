import assert from 'node:assert/strict';
import test from 'node:test';

import { stripHands } from '../../../webrtc/static/app/midi/strip_hands.js';
import { Surface } from '../../../webrtc/static/app/midi/surface.js';

/** A desk of a few positions, a device with a fader of each kind, and a clock that stands still. */
function setUp() {
  /** @type {Map<string, number>} */
  const places = new Map([
    ['fader/1', 0.75],
    ['fader/2', 0.75],
    ['mute/2', 0],
  ]);
  /** @type {string[]} */
  const pressed = [];
  /** @type {number[][]} */
  const told = [];
  /** @type {(() => void)[]} */
  const timers = [];
  let now = 0;
  const surface = new Surface({
    hands: {
      read: (target) => places.get(target) ?? null,
      move: (target, position) => places.set(target, position),
      press: (target) => pressed.push(target),
    },
    changed: () => {},
    now: () => now,
    setTimer: (callback) => timers.push(callback),
  });
  const input = { name: 'Desk 8', state: 'connected', onmidimessage: /** @type {any} */ (null) };
  const output = {
    name: 'Desk 8',
    state: 'connected',
    send: (/** @type {number[]} */ message) => told.push(message),
  };
  const access = /** @type {MIDIAccess} */ (
    /** @type {unknown} */ ({
      inputs: new Map([['in', input]]),
      outputs: new Map([['out', output]]),
    })
  );
  surface.connect(access);
  const say = (/** @type {number[]} */ ...message) => input.onmidimessage({ data: message });
  /** @param {string} target @param {...number[]} messages */
  const bind = (target, ...messages) => {
    surface.learn(true);
    for (const message of messages) say(...message);
    surface.offer(target);
    surface.learn(false);
  };
  const wait = (/** @type {number} */ ms) => {
    now += ms;
    for (const callback of timers.splice(0)) callback();
  };
  return { surface, places, pressed, told, access, input, say, bind, wait };
}

test('a fader moved there and one moved here belong together from then on', () => {
  const { surface, places, say, bind } = setUp();
  surface.offer('fader/1');
  assert.deepEqual(surface.bindings, [], 'nobody is learning');
  bind('fader/1', [0xb0, 7, 90]);
  const binding = { device: 'Desk 8', control: 'cc/0/7', target: 'fader/1' };
  assert.deepEqual(surface.bindings, [{ ...binding, mode: 'absolute', fine: false }]);
  say(0xb0, 7, 95); // 0.748: near 0.75
  say(0xb0, 7, 60);
  assert.equal(places.get('fader/1'), 60 / 127);
  say(0xb0, 8, 0);
  assert.equal(places.get('fader/1'), 60 / 127, 'another control');
  bind('fader/2', [0xb0, 7, 90]);
  assert.equal(surface.bindings.length, 1, 'one control moves one thing');
  surface.forget('fader/2');
  assert.deepEqual(surface.bindings, []);
});

test('a fader that stands elsewhere moves nothing until it has come to the one on the screen', () => {
  const { places, say, bind, wait } = setUp();
  bind('fader/1', [0xb0, 7, 10]);
  say(0xb0, 7, 10);
  say(0xb0, 7, 40);
  assert.equal(places.get('fader/1'), 0.75);
  say(0xb0, 7, 110); // past it, in one bound
  assert.equal(places.get('fader/1'), 110 / 127);
  wait(5000);
  places.set('fader/1', 0.2); // somebody else
  say(0xb0, 7, 112);
  assert.equal(places.get('fader/1'), 0.2);
  say(0xb0, 7, 20);
  assert.equal(places.get('fader/1'), 20 / 127);
});

test('while the hand is on it, a screen that lags behind takes nothing away', () => {
  const { places, say, bind } = setUp();
  bind('fader/1', [0xb0, 7, 95]);
  say(0xb0, 7, 95);
  say(0xb0, 7, 60);
  places.set('fader/1', 95 / 127); // what the server said of the message before
  say(0xb0, 7, 50);
  assert.equal(places.get('fader/1'), 50 / 127);
});

test('motors and lamps follow the screen, but not against the hand', () => {
  const { surface, places, told, say, bind, wait } = setUp();
  bind('fader/1', [0xe0, 0, 90]);
  assert.deepEqual(told.splice(0), [[0xe0, 12_287 & 0x7f, 12_287 >> 7]], 'it comes to where the screen is');
  places.set('fader/1', 1);
  surface.show();
  assert.deepEqual(told.splice(0), [[0xe0, 0x7f, 0x7f]]);
  surface.show();
  assert.deepEqual(told.splice(0), [], 'no news');
  say(0xe0, 0x7f, 0x7f);
  say(0xe0, 0, 64);
  surface.show();
  assert.deepEqual(told.splice(0), [], 'the hand is on it, and it is there already');
  places.set('fader/1', 0.25);
  surface.show();
  assert.deepEqual(told.splice(0), []);
  wait(1000);
  assert.equal(told.splice(0).length, 1, 'the hand has let go');
  bind('mute/2', [0x90, 16, 127]);
  assert.deepEqual(told.splice(0), [[0x90, 16, 0]]);
  places.set('mute/2', 1);
  surface.show();
  assert.deepEqual(told.splice(0), [[0x90, 16, 127]]);
});

test('a knob that turns for ever moves on from where the screen is', () => {
  const { places, told, say, bind, wait } = setUp();
  bind('fader/1', [0xb0, 20, 1], [0xb0, 20, 1], [0xb0, 20, 1]);
  say(0xb0, 20, 127);
  assert.ok(Math.abs((places.get('fader/1') ?? 0) - 0.74) < 1e-9);
  wait(5000);
  places.set('fader/1', 0.1);
  say(0xb0, 20, 2);
  assert.ok(Math.abs((places.get('fader/1') ?? 0) - 0.12) < 1e-9);
  for (let turn = 0; turn < 100; turn += 1) say(0xb0, 20, 120);
  assert.equal(places.get('fader/1'), 0);
  assert.deepEqual(told, [], 'it stands nowhere');
});

test('keys press once each time they go down, whether they are notes or controllers', () => {
  const { pressed, say, bind } = setUp();
  bind('mute/2', [0x90, 16, 127], [0x80, 16, 0]);
  say(0x90, 16, 127);
  say(0x90, 16, 0);
  say(0x90, 16, 100);
  assert.deepEqual(pressed.splice(0), ['mute/2', 'mute/2']);
  bind('mute/2', [0xb0, 50, 127], [0xb0, 50, 0]);
  for (const value of [127, 127, 0, 127]) say(0xb0, 50, value);
  assert.deepEqual(pressed, ['mute/2', 'mute/2']);
});

test('nobody is at that place: nothing happens', () => {
  const { surface, places, say, bind } = setUp();
  bind('fader/9', [0xb0, 7, 10]);
  say(0xb0, 7, 100);
  surface.show();
  assert.equal(places.has('fader/9'), false);
});

test('what is plugged in later is listened to', () => {
  const { surface, access, bind, say } = setUp();
  const late = { name: 'Second', state: 'connected', onmidimessage: /** @type {any} */ (null) };
  /** @type {Map<string, any>} */ (/** @type {unknown} */ (access.inputs)).set('late', late);
  access.onstatechange?.call(access, /** @type {any} */ ({}));
  assert.deepEqual(surface.devices, ['Desk 8', 'Second']);
  bind('fader/1', [0xb0, 7, 10]);
  surface.learn(true);
  late.onmidimessage({ data: [0xb0, 7, 10] });
  assert.equal(surface.moved?.device, 'Second');
  say(0xf8);
  assert.equal(surface.moved?.device, 'Second', 'a clock is no control');
});

test('hands on strips do what the strip would do, for everybody or for oneself', () => {
  const mix = { gainDb: -12, pan: -1, muted: false, solo: true };
  const person = (/** @type {string} */ participantId, /** @type {object} */ rest) =>
    /** @type {any} */ ({ participantId, role: 'both', mix, settings: { fader: 0, pan: 0 }, ...rest });
  const state = /** @type {any} */ ({
    people: new Map([
      ['me', person('me', { isMe: true })],
      ['ada', person('ada', { isMe: false })],
    ]),
    sequence: ['me', 'ada'],
    layer: 'mine',
    rights: ['edit_own_strip'],
  });
  /** @type {unknown[]} */
  const done = [];
  const hands = stripHands(() => state, {
    mix: (id, change) => done.push(['mix', id, change]),
    strip: (id, change) => done.push(['strip', id, change]),
  });
  assert.equal(hands.read('fader/1'), 0.75);
  assert.equal(hands.read('fader/2'), 0.5);
  assert.equal(hands.read('pan/2'), 0);
  assert.equal(hands.read('solo/2'), 1);
  assert.equal(hands.read('fader/3'), null);
  hands.move('fader/1', 0.5);
  hands.move('fader/2', 0.75);
  hands.move('pan/2', 1);
  hands.move('fader/3', 1);
  hands.press('mute/1');
  hands.press('mute/2');
  hands.press('solo/2');
  assert.deepEqual(done, [
    ['strip', 'me', { fader: -12 }],
    ['mix', 'ada', { gainDb: 0 }],
    ['mix', 'ada', { pan: 1 }],
    ['mix', 'ada', { muted: true }],
    ['mix', 'ada', { solo: false }],
  ]);
});
