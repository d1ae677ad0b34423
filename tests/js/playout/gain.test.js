import assert from 'node:assert/strict';
import test from 'node:test';

import { Fader, fadeCurve } from '../../../webrtc/static/client/playout/gain.js';

/**
 * @param {Fader} fader
 * @param {number} frame
 */
function block(fader, frame) {
  const left = new Float32Array(128).fill(1);
  const right = new Float32Array(128).fill(-1);
  fader.apply(left, right, frame);
  left.forEach((value, index) => assert.equal(right[index], -value));
  return left;
}

/**
 * @param {Fader} fader
 * @param {number} blocks
 */
const run = (fader, blocks) =>
  Array.from({ length: blocks }, (_, index) => [...block(fader, index * 128)]).flat();

test('it begins silent', () => {
  assert.ok(run(new Fader(), 2).every((value) => value === 0));
});

test('a fade begins at its frame, takes its time, and steps nowhere', () => {
  const fader = new Fader();
  fader.fadeTo(1, 200, 960);
  const gains = run(fader, 12);
  assert.ok(gains.slice(0, 201).every((value) => value === 0));
  assert.ok(gains.slice(1_160).every((value) => value === 1));
  gains.forEach((value, index) => {
    const step = value - (gains[index - 1] ?? 0);
    assert.ok(step >= 0 && step < Math.PI / 2 / 960 + 1e-6);
  });
});

test('in and out sum to one at every sample', () => {
  const coming = new Fader();
  const going = new Fader();
  going.fadeTo(1, 0, 0);
  block(going, -128);
  block(going, 0);
  coming.fadeTo(1, 130, 960);
  going.fadeTo(0, 130, 960);
  const other = run(going, 10);
  run(coming, 10).forEach((value, index) => {
    assert.ok(Math.abs(value + (other[index] ?? NaN) - 1) < 1e-6);
  });
});

test('a fade that is overtaken goes on from where it stands', () => {
  const fader = new Fader();
  fader.fadeTo(1, 0, 1_280);
  const first = run(fader, 5);
  fader.fadeTo(0, 640, 640);
  const second = Array.from({ length: 6 }, (_, index) => [...block(fader, 640 + index * 128)]).flat();
  const all = [...first, ...second];
  all.forEach((value, index) => {
    assert.ok(Math.abs(value - (all[index - 1] ?? 0)) < 0.01);
  });
  assert.equal(all.at(-1), 0);
});

test('the curve for the other path has the same shape', () => {
  const fader = new Fader();
  fader.fadeTo(1, 0, 640);
  const gains = run(fader, 5);
  const curve = fadeCurve(0, 1);
  const spacing = 640 / (curve.length - 1);
  curve.forEach((value, index) => {
    assert.ok(Math.abs(value - (gains[index * spacing] ?? 1)) < 1e-6);
  });
});
