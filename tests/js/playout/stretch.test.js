import assert from 'node:assert/strict';
import test from 'node:test';

import { HISTORY, SampleLine } from '../../../webrtc/static/client/playout/sample_line.js';
import {
  LONGEST_PERIOD,
  OVERLAP,
  SHORTEST_PERIOD,
  Stretcher,
} from '../../../webrtc/static/client/playout/stretch.js';
import { greatestStep, seeded } from './world.js';

/**
 * A line that holds `count` samples, of which `played` are before the head.
 *
 * @param {(index: number) => number} wave
 * @param {number} count
 * @param {number} [played]
 */
function lineOf(wave, count, played = 0) {
  const line = new SampleLine();
  for (let index = 0; index < count; index += 1) {
    line.left[line.end] = wave(index);
    line.right[line.end] = wave(index);
    line.end += 1;
  }
  line.head += played;
  return line;
}

/** @param {number} period */
const sine = (period) => (/** @type {number} */ index) => Math.sin((2 * Math.PI * index) / period);

/** @param {SampleLine} line */
const sound = (line) => line.left.slice(HISTORY, line.end);

for (const period of [120, 131, 240, 317, 480, 590]) {
  test(`a period of ${period} samples is found and goes unheard`, () => {
    const line = lineOf(sine(period), 1_200);
    const stretcher = new Stretcher();
    assert.ok(stretcher.findPeriod(line, line.head, LONGEST_PERIOD));
    assert.ok(stretcher.similarity > 0.98);
    const rest = stretcher.samples % period;
    assert.ok(Math.min(rest, period - rest) <= 1);
    stretcher.compress(line, line.head, stretcher.samples);
    assert.equal(line.waiting, 1_200 - stretcher.samples);
    assert.ok(greatestStep(sound(line)) < ((2 * Math.PI) / period) * 1.1);
  });

  test(`a period of ${period} samples is said again unheard`, () => {
    const line = lineOf(sine(period), 1_600, 1_000);
    const stretcher = new Stretcher();
    assert.ok(stretcher.findRepeat(line, line.head, LONGEST_PERIOD / 2));
    const rest = stretcher.samples % period;
    assert.ok(Math.min(rest, period - rest) <= 1, `${stretcher.samples}`);
    stretcher.expand(line, line.head, stretcher.samples);
    assert.equal(line.waiting, 600 + stretcher.samples);
    assert.ok(greatestStep(sound(line)) < ((2 * Math.PI) / period) * 1.1);
  });
}

test('a cut of any length is a blend: what was before and what comes later stay as they were', () => {
  const random = seeded(3);
  const noise = Array.from({ length: 1_200 }, () => random() - 0.5);
  for (const samples of [1, 100, 239, 240, 241, 600]) {
    const line = lineOf((index) => noise[index] ?? 0, 1_200);
    new Stretcher().compress(line, line.head + 50, samples);
    const out = sound(line);
    for (let index = 0; index < out.length; index += 1) {
      const plain = noise[index < 50 ? index : index + samples] ?? 0;
      const blend = index >= 50 && index < 50 + OVERLAP;
      const before = noise[index] ?? 0;
      const rise = 0.5 - 0.5 * Math.cos((Math.PI * (index - 50 + 0.5)) / OVERLAP);
      const expected = blend ? plain * rise + before * (1 - rise) : plain;
      assert.ok(Math.abs((out[index] ?? 0) - expected) < 1e-6);
    }
  }
});

test('in a pause any length goes, and exactly what is wanted comes', () => {
  const line = lineOf(() => 1e-4, 1_200, 600);
  const stretcher = new Stretcher();
  assert.ok(stretcher.findPeriod(line, line.head, 37));
  assert.deepEqual([stretcher.samples, stretcher.similarity], [37, 1]);
  assert.ok(stretcher.findRepeat(line, line.head, 77));
  assert.deepEqual([stretcher.samples, stretcher.similarity], [77, 1]);
});

test('noise resembles nothing', () => {
  const random = seeded(1);
  const line = lineOf(() => random() - 0.5, 1_400, 700);
  const stretcher = new Stretcher();
  assert.ok(stretcher.findPeriod(line, line.head, LONGEST_PERIOD));
  assert.ok(stretcher.similarity < 0.5);
});

test('there is nothing to find without room for the shortest period', () => {
  const stretcher = new Stretcher();
  const short = lineOf(sine(200), SHORTEST_PERIOD + OVERLAP - 1);
  assert.ok(!stretcher.findPeriod(short, short.head, LONGEST_PERIOD));
  assert.ok(!stretcher.findRepeat(short, short.head, 100));
});
