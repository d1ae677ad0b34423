import assert from 'node:assert/strict';
import test from 'node:test';

import { LoudnessMeter, Weighting, kWeighting } from '../../webrtc/static/app/desk/loudness.js';

/**
 * Measure a stereo sine as the worklet does: in parts of 100 ms.
 * @param {LoudnessMeter} meter
 * @param {{ hertz?: number, dbfs: number, seconds: number, rateHz?: number }} tone
 */
function play(meter, { hertz = 1000, dbfs, seconds, rateHz = 48000 }) {
  const sides = [new Weighting(rateHz), new Weighting(rateHz)];
  const amplitude = 10 ** (dbfs / 20);
  const length = rateHz / 10;
  for (let part = 0; part < seconds * 10; part += 1) {
    const samples = Float32Array.from(
      { length },
      (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * (part * length + i)) / rateHz),
    );
    meter.put(sides.reduce((sum, side) => sum + side.energyOf(samples), 0) / length);
  }
}

/** @param {number} measured @param {number} expected */
const isNear = (measured, expected) =>
  assert.ok(Math.abs(measured - expected) < 0.1, `${measured} instead of ${expected} LUFS`);

test('the filters are those that BS.1770 lists for 48 kHz', () => {
  const [shelf, highPass] = kWeighting(48000);
  for (const [found, listed] of /** @type {const} */ ([
    [shelf.b, [1.53512485958697, -2.69169618940638, 1.19839281085285]],
    [shelf.a, [-1.69065929318241, 0.73248077421585]],
    [highPass.b, [1, -2, 1]],
    [highPass.a, [-1.99004745483398, 0.99007225036621]],
  ])) {
    found.forEach((value, index) => assert.ok(Math.abs(value - (listed[index] ?? NaN)) < 1e-6));
  }
});

test('a stereo sine of 1 kHz at -23 dBFS has -23 LUFS, by all three measures and at any rate', () => {
  for (const rateHz of [44100, 48000]) {
    const meter = new LoudnessMeter();
    play(meter, { dbfs: -23, seconds: 4, rateHz });
    isNear(meter.momentary, -23);
    isNear(meter.shortTerm, -23);
    isNear(meter.integrated, -23);
  }
});

test('quiet parts do not count into the whole (EBU Tech 3341, case 3)', () => {
  const meter = new LoudnessMeter();
  play(meter, { dbfs: -36, seconds: 10 });
  play(meter, { dbfs: -23, seconds: 60 });
  play(meter, { dbfs: -36, seconds: 10 });
  isNear(meter.integrated, -23);
  isNear(meter.shortTerm, -36);
});

test('silence has no loudness, and a reset begins anew', () => {
  const meter = new LoudnessMeter();
  assert.equal(meter.momentary, -Infinity);
  play(meter, { dbfs: -23, seconds: 4 });
  meter.reset();
  assert.equal(meter.integrated, -Infinity);
  for (let part = 0; part < 40; part += 1) meter.put(0);
  assert.equal(meter.integrated, -Infinity);
  assert.equal(meter.momentary, -Infinity);
});
