import assert from 'node:assert/strict';
import test from 'node:test';

import { FLOOR_DB, REST, advance, lengthOf } from '../../webrtc/static/app/ballistics.js';

/** @param {number} db */
const tone = (db) => ({ peakDb: db, rmsDb: db - 3 });
const SILENCE = { peakDb: -Infinity, rmsDb: -Infinity };

/**
 * How long the peak takes from one level to another, after a loud tone has ended.
 * @param {number} fromDb
 * @param {number} toDb
 * @param {number} frameMs
 */
function fallMs(fromDb, toDb, frameMs) {
  let state = advance(REST, tone(fromDb), frameMs);
  let elapsedMs = 0;
  while (state.peakDb > toDb) {
    state = advance(state, SILENCE, frameMs);
    elapsedMs += frameMs;
  }
  return elapsedMs;
}

test('a peak is shown in the first frame, and falls by 20 dB in 1.7 s within a tenth', () => {
  for (const frameMs of [1, 16, 33]) {
    assert.equal(advance(REST, tone(-6), frameMs).peakDb, -6);
    const took = fallMs(0, -20, frameMs);
    assert.ok(took > 1700 * 0.9 && took < 1700 * 1.1, `${took} ms in frames of ${frameMs} ms`);
  }
});

test('the mean level takes 300 ms for 63 % of its way, up and down', () => {
  let state = { ...REST, rmsDb: -40 };
  state = advance(state, { peakDb: -20, rmsDb: -20 }, 300);
  assert.ok(Math.abs(state.rmsDb - (-40 + 20 * (1 - Math.exp(-1)))) < 1e-9);
  state = advance({ ...REST, rmsDb: -20 }, { peakDb: -40, rmsDb: -40 }, 300);
  assert.ok(Math.abs(state.rmsDb - (-20 - 20 * (1 - Math.exp(-1)))) < 1e-9);
});

test('the highest peak stands for a moment, then follows', () => {
  let state = advance(REST, tone(-6), 20);
  state = advance(state, SILENCE, 1400);
  assert.equal(state.holdDb, -6);
  assert.ok(state.peakDb < -20);
  state = advance(state, SILENCE, 300);
  assert.ok(state.holdDb < -6);
});

test('gain reduction is shown at once and let go of', () => {
  let state = advance(REST, { ...tone(-6), reductionDb: -12 }, 16);
  assert.equal(state.reductionDb, -12);
  state = advance(state, { ...tone(-6), reductionDb: 0 }, 100);
  assert.ok(Math.abs(state.reductionDb + 8) < 1e-9);
  assert.equal(advance(state, { ...tone(-6), reductionDb: 3 }, 1000).reductionDb, 0);
});

test('a meter shows the same at any frame rate', () => {
  let coarse = advance(advance(REST, tone(-6), 100), SILENCE, 400);
  let fine = REST;
  for (let frame = 0; frame < 10; frame += 1) fine = advance(fine, tone(-6), 10);
  for (let frame = 0; frame < 40; frame += 1) fine = advance(fine, SILENCE, 10);
  for (const name of /** @type {const} */ (['peakDb', 'rmsDb', 'holdDb'])) {
    assert.ok(Math.abs(coarse[name] - fine[name]) < 0.1, name);
  }
});

test('a meter comes to rest, and says so', () => {
  let state = advance(REST, { ...tone(-1), reductionDb: -20 }, 16);
  for (let frame = 0; frame < 1000; frame += 1) state = advance(state, SILENCE, 16);
  assert.deepEqual({ ...state, heldMs: 0 }, REST);
  assert.equal(advance(state, SILENCE, 16), state);
});

test('nothing is shown above full scale or below the floor, whatever comes', () => {
  const loud = advance(REST, { peakDb: 6, rmsDb: 3 }, 16);
  assert.ok(loud.peakDb === 0 && loud.rmsDb <= 0);
  const odd = advance(REST, { peakDb: NaN, rmsDb: NaN }, 16);
  assert.ok(odd.peakDb === FLOOR_DB && odd.rmsDb === FLOOR_DB);
});

test('the scale rises all the way, half of it for the upper 20 dB', () => {
  assert.equal(lengthOf(-60), 0);
  assert.ok(Math.abs(lengthOf(-20) - 0.49) < 1e-9);
  assert.equal(lengthOf(0), 1);
  assert.equal(lengthOf(6), 1);
  assert.equal(lengthOf(-200), 0);
  for (let db = -60; db < 0; db += 0.5) assert.ok(lengthOf(db + 0.5) > lengthOf(db), String(db));
});
