import assert from 'node:assert/strict';
import test from 'node:test';

import {
  FADER,
  PAN,
  dragged,
  keyed,
  linearScale,
  logScale,
  stepped,
} from '../../webrtc/static/app/desk/scale.js';
import { Store } from '../../webrtc/static/app/store.js';

const FREQUENCY = logScale({ min: 20, max: 20000, initial: 1000, unit: 'Hz', unitWord: 'hertz' });
const RATIO = linearScale({ min: 1, max: 20, digits: 1, step: 0.5 });

test('every value is found again at its position', () => {
  for (const scale of [FADER, PAN, FREQUENCY, RATIO]) {
    assert.equal(scale.positionOf(scale.min), 0);
    assert.equal(scale.positionOf(scale.max), 1);
    for (let position = 0; position <= 1; position += 0.01) {
      const there = scale.positionOf(scale.valueAt(position));
      assert.ok(Math.abs(there - position) < 0.02, `${scale.format(scale.max)} at ${position}`);
    }
  }
});

test('keys go by steps, finely with Shift, by pages, to the ends and back', () => {
  assert.equal(keyed(FADER, 0, 'ArrowUp', false), 1);
  assert.equal(keyed(FADER, 0, 'ArrowUp', true), 0.1);
  assert.equal(keyed(FADER, 0.4, 'ArrowDown', false), -1);
  assert.equal(keyed(FADER, 0, 'PageDown', false), -6);
  assert.equal(keyed(FADER, 3, 'Home', false), -60);
  assert.equal(keyed(FADER, 3, 'End', false), 12);
  assert.equal(keyed(FADER, 12, 'ArrowUp', false), 12);
  assert.equal(keyed(FADER, -7, 'Delete', false), 0);
  assert.equal(keyed(PAN, 0, 'ArrowLeft', false), -0.05);
  assert.equal(keyed(FADER, 0, 'm', false), null);
});

test('a key moves a low frequency by less than a high one', () => {
  const low = stepped(FREQUENCY, 100, 1) - 100;
  const high = stepped(FREQUENCY, 10000, 1) - 10000;
  assert.ok(low > 0 && high > 50 * low);
});

test('a coarse drag rests at unity, a fine one passes it', () => {
  const near = FADER.positionOf(0.3);
  assert.equal(dragged(FADER, near, false), 0);
  assert.equal(dragged(FADER, near, true), 0.3);
  assert.equal(dragged(FADER, FADER.positionOf(3), false), 3);
});

test('figures are read as people write them', () => {
  assert.equal(FREQUENCY.parse('2,5 kHz'), 2500);
  assert.equal(FREQUENCY.parse('440'), 440);
  assert.equal(FREQUENCY.parse('440 Hz'), 440);
  assert.equal(FREQUENCY.parse('high'), null);
  assert.equal(RATIO.parse('4'), 4);
  assert.equal(PAN.parse('L30'), -0.3);
  assert.equal(PAN.parse('40 r'), 0.4);
  assert.equal(PAN.parse('centre'), 0);
  assert.equal(PAN.parse('-50'), -0.5);
  assert.equal(PAN.parse('left'), null);
});

test('what is shown is also said', () => {
  assert.equal(FADER.words(-6.5), '−6.5 decibels');
  assert.equal(FADER.words(-60), 'silent');
  assert.equal(PAN.words(-0.3), '30 percent left');
  assert.equal(FREQUENCY.format(440), '440 Hz');
  assert.equal(FREQUENCY.words(440), '440 hertz');
});

test('listeners of a store are told once of many actions, and of none that change nothing', () => {
  /** @type {(() => void)[]} */
  const due = [];
  const store = new Store(
    (state, /** @type {number} */ add) => (add === 0 ? state : { sum: state.sum + add }),
    { sum: 0 },
    (tell) => due.push(tell),
  );
  /** @type {[number, number][]} */
  const told = [];
  const stop = store.subscribe((state, before) => told.push([state.sum, before.sum]));
  store.dispatch(0);
  assert.equal(due.length, 0);
  store.dispatch(1);
  store.dispatch(2);
  due.splice(0).forEach((tell) => tell());
  assert.deepEqual(told, [[3, 0]]);
  stop();
  store.dispatch(4);
  due.splice(0).forEach((tell) => tell());
  assert.deepEqual([store.state.sum, told.length], [7, 1]);
});
