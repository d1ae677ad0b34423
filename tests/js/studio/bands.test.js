import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import {
  BANDS,
  SILENCE_DB,
  centreHz,
  correlationOf,
  fillBands,
  follow,
} from '../../../webrtc/static/app/studio/bands.js';
import { Timeline } from '../../../webrtc/static/app/studio/timeline.js';

const golden = JSON.parse(readFileSync(new URL('../golden/studio.json', import.meta.url), 'utf8'));
const RATE = 48_000;
const SIZE = 4096;

/**
 * What an AnalyserNode gives for a sine (Web Audio API, 1.8.6), by the definition.
 * @param {number} hz
 * @param {number} amplitude
 */
function analysed(hz, amplitude) {
  const bins = new Float32Array(SIZE / 2);
  const near = Math.round((hz * SIZE) / RATE);
  bins.fill(-200);
  for (let bin = Math.max(0, near - 20); bin < Math.min(bins.length, near + 20); bin += 1) {
    let real = 0;
    let imaginary = 0;
    for (let at = 0; at < SIZE; at += 1) {
      const turn = (2 * Math.PI * at) / SIZE;
      const window = 0.42 - 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn);
      const sample = amplitude * Math.sin((2 * Math.PI * hz * at) / RATE) * window;
      real += sample * Math.cos(turn * bin);
      imaginary += sample * Math.sin(turn * bin);
    }
    bins[bin] = 20 * Math.log10(Math.hypot(real, imaginary) / SIZE);
  }
  return bins;
}

test('bands lie where the server’s do', () => {
  assert.equal(golden.centres_hz.length, BANDS);
  golden.centres_hz.forEach((/** @type {number} */ hz, /** @type {number} */ band) => {
    assert.ok(Math.abs(centreHz(band) / hz - 1) < 1e-4);
  });
});

test('a sine shows its peak level in its band, as on the server', () => {
  for (const [hz, amplitude] of /** @type {const} */ ([[440, 0.5], [1000, 0.25], [9000, 1]])) {
    const bands = new Float32Array(BANDS);
    fillBands(analysed(hz, amplitude), RATE, bands);
    const loudest = bands.indexOf(Math.max(...bands));
    assert.ok(Math.abs(Math.log2(centreHz(loudest) / hz)) < 1 / 12, `${hz}`);
    assert.ok(Math.abs((bands[loudest] ?? 0) - 20 * Math.log10(amplitude)) < 1, `${bands[loudest]}`);
  }
});

test('silence is silent', () => {
  const bands = new Float32Array(BANDS);
  fillBands(new Float32Array(SIZE / 2).fill(-Infinity), RATE, bands);
  assert.ok(bands.every((db) => db === SILENCE_DB));
});

test('what is shown goes up faster than down, arrives, and then stands', () => {
  const shown = new Float32Array(2).fill(-60);
  assert.ok(follow(shown, [-20, -100], 16));
  assert.ok((shown[0] ?? 0) + 60 > 3 * (-60 - (shown[1] ?? 0)));
  let frames = 0;
  while (follow(shown, [-20, -100], 16)) frames += 1;
  assert.deepEqual([...shown], [-20, -100]);
  assert.ok(frames < 120);
  assert.equal(follow(new Float32Array(1).fill(-90), [-10], Infinity), true);
});

test('any frame rate leads to the same', () => {
  const [often, seldom] = [new Float32Array(1).fill(-80), new Float32Array(1).fill(-80)];
  for (let frame = 0; frame < 10; frame += 1) follow(often, [-20], 5);
  follow(seldom, [-20], 50);
  assert.ok(Math.abs((often[0] ?? 0) - (seldom[0] ?? 0)) < 0.5);
});

test('correlation tells the same from the unrelated and from the inverted', () => {
  const wave = Array.from({ length: 960 }, (_, at) => 0.3 * Math.sin(at / 7));
  const other = Array.from({ length: 960 }, (_, at) => 0.3 * Math.sin(at / 3.1));
  const inverted = wave.map((sample) => -sample);
  const nothing = wave.map(() => 0);
  assert.ok(correlationOf(wave, wave) > 0.999);
  assert.ok(correlationOf(wave, inverted) < -0.999);
  assert.ok(Math.abs(correlationOf(wave, other)) < 0.1);
  assert.equal(correlationOf(wave, nothing), 0);
  assert.equal(correlationOf(nothing, nothing), 1);
});

test('a timeline keeps the last moments, oldest first', () => {
  const line = new Timeline(3, ['peakDb', 'lufs'], -60);
  for (const peakDb of [-1, -2, -3, -4]) line.push({ peakDb, lufs: peakDb - 10 });
  assert.deepEqual([0, 1, 2].map((at) => line.value('peakDb', at)), [-2, -3, -4]);
  assert.equal(line.value('lufs', 2), -14);
  line.push({});
  assert.equal(line.value('peakDb', 2), -60);
  line.clear();
  assert.equal(line.value('lufs', 0), -60);
});
