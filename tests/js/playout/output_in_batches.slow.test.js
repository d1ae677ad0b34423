/**
 * An output that asks for 10 ms at once, as those of most machines do, and packets of 10 ms: where
 * they fall between two of its requests decides what they may be late by.
 */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Playout } from '../../../webrtc/static/client/playout/playout_core.js';
import { QUANTUM, RATE, ToneDecoder, seeded, stream } from './world.js';

const BATCH = 480;
const BATCH_S = BATCH / RATE;
const START_S = 1_000; // as in `stream`
const LEARNED_S = 10;
const SECONDS = 60;
const CLOSE_MS = 2; // as in `worklet.js`

/**
 * Play `SECONDS` of packets that arrive `phaseMs` after one of the output's requests, on a machine
 * where a timer in a hundred is late by half a millisecond and more.
 *
 * @param {number} phaseMs
 * @param {number} ppm How much faster the sender's clock runs.
 */
function playAt(phaseMs, ppm) {
  const random = seeded(100 + phaseMs);
  const exponential = (/** @type {number} */ mean) => -mean * Math.log(1 - random());
  const late = () => 0.05 + exponential(0.05) + (random() < 0.01 ? exponential(0.5) : 0);
  const frames = stream(SECONDS * 100, { ppm, delayMs: () => 20 + phaseMs + late() });
  const playout = new Playout(new ToneDecoder(), RATE);
  const [left, right] = [new Float32Array(QUANTUM), new Float32Array(QUANTUM)];
  let rendered = START_S * RATE;
  let next = 0;
  let stretchedWhenLearned = 0;
  for (let batch = 0; batch < SECONDS * 100; batch += 1) {
    const asksS = START_S + batch * BATCH_S + late() / 1000;
    for (let frame = frames[next]; frame && frame.atS <= asksS; frame = frames[next]) {
      const waitedMs = Math.floor(asksS * 1000) - Math.floor(frame.atS * 1000);
      playout.push(frame, rendered / RATE, waitedMs < CLOSE_MS ? BATCH_S : 0);
      next += 1;
    }
    for (; rendered < START_S * RATE + (batch + 1) * BATCH; rendered += QUANTUM) {
      playout.pull(left, right, rendered / RATE);
    }
    if (batch === LEARNED_S * 100) stretchedWhenLearned = stretched(playout);
  }
  return { ...playout.stats(), stretchedMs: (stretched(playout) - stretchedWhenLearned) / 48 };
}

/** @param {Playout} playout */
function stretched(playout) {
  const { compressedSamples, expandedSamples } = playout.stats();
  return compressedSamples + expandedSamples;
}

/** Ten minutes, six at each millisecond between two requests. @param {number} ppm */
const everyPhase = (ppm) => Array.from({ length: 10 }, (_, phaseMs) => playAt(phaseMs + 0.5, ppm));

const sum = (/** @type {number[]} */ values) => values.reduce((all, one) => all + one, 0);

test('wherever packets fall between two requests, there is sound, and it is left alone', () => {
  const found = everyPhase(0);
  assert.ok(sum(found.map(({ underruns }) => underruns)) <= 1);
  for (const { stretchedMs, driftPpm, delayMs } of found) {
    assert.ok(stretchedMs < 5, `${stretchedMs} ms repeated or cut`);
    assert.ok(Math.abs(driftPpm) < 20, `${driftPpm} ppm between two clocks that agree`);
    assert.ok(delayMs < 16, `${delayMs} ms`);
  }
  assert.ok(sum(found.map(({ delayMs }) => delayMs)) / found.length < 8);
});

test('the edge of a request is crossed in time when clocks differ', () => {
  const found = [-50, 50].flatMap((ppm) => everyPhase(ppm));
  assert.ok(sum(found.map(({ underruns }) => underruns)) <= 3);
  assert.ok(sum(found.map(({ stretchedMs }) => stretchedMs)) < 100);
});
