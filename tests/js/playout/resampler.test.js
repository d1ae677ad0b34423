import assert from 'node:assert/strict';
import test from 'node:test';

import { Resampler } from '../../../webrtc/static/client/playout/resampler.js';
import { SampleLine } from '../../../webrtc/static/client/playout/sample_line.js';

const RATE = 48_000;

/**
 * Resample a tone; return the output after the filter has filled.
 *
 * @param {number} hz
 * @param {number} rateHz
 * @param {number} [speed]
 */
function resample(hz, rateHz, speed = 1) {
  const resampler = new Resampler(rateHz);
  const line = new SampleLine();
  const step = resampler.nominalStep * speed;
  const block = new Float32Array(128);
  /** @type {number[]} */
  const out = [];
  let position = 0;
  while (out.length < 24_000) {
    while (line.waiting < resampler.need(128, step)) {
      const at = line.room(480);
      for (let index = 0; index < 480; index += 1) {
        line.left[at + index] = Math.sin((2 * Math.PI * hz * position) / RATE);
        line.right[at + index] = 0;
        position += 1;
      }
      line.end += 480;
    }
    resampler.read(line, block, new Float32Array(128), step);
    out.push(...block);
  }
  return out.slice(1_024);
}

/**
 * Return the power of a tone in `sound`, and of all the rest, in dB of full scale.
 *
 * @param {number[]} sound
 * @param {number} hz
 * @param {number} rateHz
 */
function analyse(sound, hz, rateHz) {
  const turn = (2 * Math.PI * hz) / rateHz;
  // Least squares of sine and cosine, which are not quite orthogonal over any stretch.
  let [ss, sc, cc, sx, cx] = [0, 0, 0, 0, 0];
  sound.forEach((sample, index) => {
    const sine = Math.sin(turn * index);
    const cosine = Math.cos(turn * index);
    ss += sine * sine;
    sc += sine * cosine;
    cc += cosine * cosine;
    sx += sine * sample;
    cx += cosine * sample;
  });
  const determinant = ss * cc - sc * sc;
  const a = (sx * cc - cx * sc) / determinant;
  const b = (cx * ss - sx * sc) / determinant;
  let rest = 0;
  sound.forEach((sample, index) => {
    rest += (sample - a * Math.sin(turn * index) - b * Math.cos(turn * index)) ** 2;
  });
  return {
    toneDb: 10 * Math.log10(a * a + b * b),
    restDb: 10 * Math.log10((2 * rest) / sound.length + 1e-20),
  };
}

for (const rateHz of [44_100, 48_000, 96_000]) {
  for (const hz of [100, 1_000, 7_000, 15_000, 19_500]) {
    test(`a tone of ${hz} Hz stays itself at ${rateHz} Hz, in pitch and level`, () => {
      const speed = 1 + 137e-6;
      const { toneDb, restDb } = analyse(resample(hz, rateHz, speed), hz * speed, rateHz);
      assert.ok(Math.abs(toneDb) < 0.02, `level ${toneDb}`);
      assert.ok(restDb < -78, `rest ${restDb}`);
    });
  }
}

test('a headset of 16 kHz hears no aliases', () => {
  const kept = analyse(resample(4_000, 16_000), 4_000, 16_000);
  assert.ok(Math.abs(kept.toneDb) < 0.05);
  assert.ok(kept.restDb < -78);
  const { restDb } = analyse(resample(9_000, 16_000), 100, 16_000);
  assert.ok(restDb < -70, `alias ${restDb}`);
});

test('at the same rate and speed nothing is changed but the noise floor', () => {
  const { toneDb, restDb } = analyse(resample(997, RATE), 997, RATE);
  assert.ok(Math.abs(toneDb) < 0.001);
  assert.ok(restDb < -100);
});
