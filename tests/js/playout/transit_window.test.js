import assert from 'node:assert/strict';
import test from 'node:test';

import { TransitWindow } from '../../../webrtc/static/client/playout/transit_window.js';
import { seeded } from './world.js';

const SPACING_S = 0.01;

/**
 * Feed frames every 10 ms, each with its own delay.
 *
 * @param {TransitWindow} window
 * @param {number} first
 * @param {number} count
 * @param {(index: number) => number} delayS
 */
function feed(window, first, count, delayS) {
  for (let index = first; index < first + count; index += 1) {
    const delay = delayS(index);
    assert.ok(window.add(100 + delay, index * SPACING_S + delay));
  }
}

/** @param {TransitWindow} window */
const targetMs = (window) => (window.deadlineS - window.floorS) * 1000;

test('even frames are waited for no longer than they take', () => {
  const window = new TransitWindow();
  feed(window, 0, 500, () => 0.02);
  assert.ok(targetMs(window) < 0.001);
});

test('the start is generous, until an eighth of a window was seen', () => {
  const window = new TransitWindow();
  feed(window, 0, 10, () => 0.02);
  const early = targetMs(window);
  assert.ok(early > 6 && early < 12);
  feed(window, 10, 60, () => 0.02);
  assert.ok(targetMs(window) < 0.001);
});

test('jitter that repeats is waited for in full, and forgotten after a minute', () => {
  const window = new TransitWindow();
  const random = seeded(5);
  feed(window, 0, 4_000, () => 0.02 + random() * 0.03);
  assert.ok(targetMs(window) > 28 && targetMs(window) <= 30);
  feed(window, 4_000, 450, () => 0.02);
  assert.ok(targetMs(window) > 25, 'the window is over, what comes back now and then is not');
  feed(window, 4_450, 6_500, () => 0.02);
  assert.ok(targetMs(window) < 0.001);
});

test('a lone hiccup of 30 ms delays nothing that follows', () => {
  const window = new TransitWindow();
  feed(window, 0, 2000, (index) => (index === 1000 ? 0.05 : 0.02));
  assert.ok(targetMs(window) < 1);
});

test('small hiccups that come back every ten seconds are waited for', () => {
  const window = new TransitWindow();
  feed(window, 0, 6_000, (index) => (index % 1000 === 500 ? 0.03 : 0.02));
  assert.ok(targetMs(window) > 9);
});

test('a longer path starts the window afresh', () => {
  const window = new TransitWindow();
  feed(window, 0, 500, () => 0.02);
  feed(window, 500, 100, () => 0.1);
  assert.ok(Math.abs(window.floorS - 100.1) < 1e-9);
  assert.ok(targetMs(window) < 1);
});

test('a much shorter path starts the window afresh, a single early frame does not', () => {
  const window = new TransitWindow();
  feed(window, 0, 500, () => 0.1);
  feed(window, 500, 1, () => 0.06);
  feed(window, 501, 20, () => 0.1);
  assert.ok(targetMs(window) > 39);
  feed(window, 521, 600, () => 0.1);
  feed(window, 1_121, 6, () => 0.02);
  assert.ok(Math.abs(window.floorS - 100.02) < 1e-9);
  assert.ok(targetMs(window) < 11);
});

test('wide jitter is no shorter path', () => {
  const window = new TransitWindow();
  const random = seeded(7);
  feed(window, 0, 5_000, () => 0.02 + random() * 0.075);
  assert.ok(targetMs(window) > 70);
});

test('a path that flips by 10 ms and back is waited for at its longer', () => {
  const window = new TransitWindow();
  feed(window, 0, 500, () => 0.03);
  feed(window, 500, 100, () => 0.02);
  assert.ok(targetMs(window) > 9.9);
});

test('a path that goes on flipping is waited for as before, wherever it is', () => {
  const window = new TransitWindow();
  for (let turn = 0; turn < 10; turn += 1) {
    feed(window, turn * 600, 600, () => (turn % 2 === 0 ? 0.02 : 0.03));
    if (turn > 3) assert.ok(Math.abs(window.deadlineS - 100.03) < 1e-9, `${window.deadlineS} s`);
  }
});

test('a frame that came just before an edge counts as if it had come after it', () => {
  const window = new TransitWindow();
  feed(window, 0, 500, () => 0.02);
  for (let index = 500; index < 510; index += 1) {
    assert.ok(window.add(100.02, index * SPACING_S + 0.02, 0.01));
  }
  assert.ok(Math.abs(targetMs(window) - 10) < 1e-6);
});

test('jitter beyond an edge is waited for as it is, however close frames come', () => {
  const random = seeded(4);
  const window = new TransitWindow();
  for (let index = 0; index < 2_000; index += 1) {
    const delayS = 0.02 + random() * 0.02;
    const riskS = random() < 0.2 ? 0.01 : 0;
    assert.ok(window.add(100 + delayS, index * SPACING_S + delayS, riskS));
  }
  assert.ok(targetMs(window) < 20);
});

test('the few frames that had queued up before we came say nothing', () => {
  const window = new TransitWindow();
  feed(window, 0, 3, (index) => 0.05 - index * SPACING_S); // all at once
  feed(window, 3, 60, () => 0.02);
  assert.ok(targetMs(window) < 1);
});

test('what queued behind a stall is one event, not a hundred late frames', () => {
  const window = new TransitWindow();
  feed(window, 0, 100, () => 0.02);
  feed(window, 100, 100, (index) => 1.02 - (index - 100) * SPACING_S); // all at once
  feed(window, 200, 20, () => 0.02);
  assert.ok(targetMs(window) < 1);
});

test('a jump of the media clock is told', () => {
  const window = new TransitWindow();
  feed(window, 0, 100, () => 0.02);
  assert.ok(!window.add(105, 1.02));
  assert.ok(!window.add(99.5, 1.02));
  window.reset();
  assert.ok(window.add(105, 1.02));
  assert.equal(window.floorS, 105);
});
