import assert from 'node:assert/strict';
import test from 'node:test';

import { chainDb } from '../../../webrtc/static/app/studio/sections.js';
import {
  bandWords,
  draggedBand,
  hzAt,
  keyedBand,
  narrowed,
  pinched,
  sectionsOf,
  xOf,
  yOf,
} from '../../../webrtc/static/app/studio/eq_bands.js';

const VALUES = {
  ...Object.fromEntries(
    [1, 2, 3, 4, 5].flatMap((band) => [
      [`eq${band}Freq`, 1000],
      [`eq${band}Gain`, 0],
      [`eq${band}Q`, 1],
    ]),
  ),
  highPass: 20,
};

test('an octave is as wide everywhere, and 0 dB is in the middle', () => {
  assert.deepEqual([xOf(20), xOf(20_000)].map((x) => Number(x.toFixed(6))), [0, 1]);
  assert.ok(Math.abs(xOf(200) - xOf(100) - (xOf(8000) - xOf(4000))) < 1e-9);
  assert.ok(Math.abs(hzAt(xOf(440)) - 440) < 1e-9);
  assert.equal(yOf(0), 0.5);
  assert.ok(yOf(18) > 0 && yOf(18) < yOf(-18));
});

test('a drag moves frequency and gain from where the band stood, finely with Shift', () => {
  const octave = xOf(2000) - xOf(1000);
  const up = { dx: octave, dy: yOf(6) - yOf(0), fine: false };
  assert.deepEqual(draggedBand(2, VALUES, up), { eq2Freq: 2000, eq2Gain: 6 });
  const { eq2Freq, eq2Gain } = draggedBand(2, VALUES, { ...up, fine: true });
  assert.deepEqual([eq2Freq, eq2Gain], [1072, 0.6]);
  const far = draggedBand(2, VALUES, { dx: 5, dy: -5, fine: false });
  assert.deepEqual(far, { eq2Freq: 20_000, eq2Gain: 18 });
});

test('wheel and fingers change the quality within its range', () => {
  assert.ok(narrowed(3, VALUES, 1, false).eq3Q > 1);
  assert.ok(narrowed(3, VALUES, -1, false).eq3Q < 1);
  assert.ok(narrowed(3, VALUES, 1, true).eq3Q < narrowed(3, VALUES, 1, false).eq3Q);
  assert.deepEqual(narrowed(3, VALUES, 1000, false), { eq3Q: 10 });
  assert.deepEqual(pinched(3, VALUES, 2), { eq3Q: 0.5 });
  assert.deepEqual(pinched(3, VALUES, 0), { eq3Q: 10 });
});

test('keys move a band by a decibel and a semitone', () => {
  assert.deepEqual(keyedBand(1, VALUES, 'ArrowUp', false), { eq1Gain: 1 });
  assert.deepEqual(keyedBand(1, VALUES, 'ArrowDown', true), { eq1Gain: -0.1 });
  assert.deepEqual(keyedBand(1, VALUES, 'ArrowRight', false), { eq1Freq: 1059 });
  assert.deepEqual(keyedBand(1, VALUES, 'ArrowLeft', false), { eq1Freq: 944 });
  assert.ok((keyedBand(1, VALUES, 'PageUp', false)?.eq1Q ?? 0) > 1);
  assert.deepEqual(keyedBand(1, { ...VALUES, eq1Gain: 9 }, 'Delete', false), { eq1Gain: 0 });
  assert.deepEqual(keyedBand(1, { ...VALUES, eq1Gain: 17.5 }, 'ArrowUp', false), { eq1Gain: 18 });
  assert.equal(keyedBand(1, VALUES, 'a', false), null);
});

test('the curve leaves out what is passed by', () => {
  const busy = { ...VALUES, eq3Gain: 6, highPass: 400 };
  assert.equal(Math.round(chainDb(sectionsOf(busy), 1000)), 6);
  assert.ok(chainDb(sectionsOf(busy), 100) < -20);
  assert.ok(chainDb(sectionsOf({ ...busy, eqBypass: true }), 1000) < 0.1);
  assert.ok(chainDb(sectionsOf({ ...busy, highPassBypass: true }), 100) > -1);
});

test('a band says where it stands', () => {
  const values = { ...VALUES, eq4Freq: 3500, eq4Gain: -2.5 };
  assert.equal(bandWords(4, values), '3.5 kilohertz, −2.5 decibels, Q 1.00');
});
