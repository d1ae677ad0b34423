/**
 * Half an hour of virtual time between two clocks that differ by 200 ppm, which is more than any
 * two sound cards do. One test file for each direction, so that they run side by side.
 */

import assert from 'node:assert/strict';

import { TONE_HZ, World, phaseOf, stream } from './world.js';

const MINUTES = 30;
const WINDOW_BLOCKS = 96;
const EVERY_BLOCKS = 480; // every 1.3 s at 48 kHz

/**
 * Play half an hour; return the worst pitch error in cents, once sound is there.
 *
 * @param {World} world
 * @param {number} ppm
 */
function worstCents(world, ppm) {
  const frames = stream(MINUTES * 60 * 100, { ppm });
  /** @type {number[]} */
  let window = [];
  let block = 0;
  let worst = 0;
  world.run(frames, (MINUTES * 60) / (1 + ppm * 1e-6), (_, left) => {
    if (block % EVERY_BLOCKS < WINDOW_BLOCKS && block > EVERY_BLOCKS) window.push(...left);
    block += 1;
    if (window.length < WINDOW_BLOCKS * left.length) return;
    const half = window.length / 2;
    const turn =
      phaseOf(window.slice(half), TONE_HZ, world.rateHz, half) -
      phaseOf(window.slice(0, half), TONE_HZ, world.rateHz);
    const hz = TONE_HZ + (turn - Math.round(turn)) / (half / world.rateHz);
    worst = Math.max(worst, Math.abs(1200 * Math.log2(hz / (TONE_HZ * (1 + ppm * 1e-6)))));
    window = [];
  });
  return worst;
}

/**
 * Play half an hour from a sender whose clock runs faster by `ppm`, and hold what came of it
 * against what was asked.
 *
 * @param {number} ppm
 * @param {number} rateHz Of the output.
 */
export function followsClock(ppm, rateHz) {
  const world = new World({ rateHz, keep: false });
  const cents = worstCents(world, ppm);
  const { stats } = world;
  assert.ok(cents < 1, `${cents} cents`);
  assert.deepEqual(
    [stats.underruns, stats.late, stats.dropped, stats.skippedSamples, stats.concealedSamples],
    [0, 0, 0, 0, 0],
  );
  assert.ok(stats.compressedSamples + stats.expandedSamples <= 1_200, 'but for the start');
  assert.ok(Math.abs(stats.driftPpm - ppm) < 30, `${stats.driftPpm} ppm`);
  assert.ok(stats.delayMs > 2 && stats.delayMs < 7, `${stats.delayMs} ms`);
}
