import assert from 'node:assert/strict';
import test from 'node:test';

import { RarePeaks } from '../../../webrtc/static/client/playout/rare_peaks.js';

/**
 * @param {RarePeaks} peaks
 * @param {number} fromS
 * @param {number} untilS
 * @param {number} everyS A peak so often.
 * @param {number} heightS
 */
function hear(peaks, fromS, untilS, everyS, heightS) {
  for (let tick = Math.round(fromS * 10); tick < untilS * 10; tick += 1) {
    peaks.add(tick % Math.round(everyS * 10) === 0 ? heightS : 0, tick / 10);
  }
}

test('the more often peaks come, the more is waited for them', () => {
  for (const [everyS, worthMs] of /** @type {[number, number][]} */ ([
    [60, 3],
    [30, 7],
    [15, 15],
    [5, 45],
  ])) {
    const within = new RarePeaks();
    hear(within, 0, 120, everyS, worthMs / 1000);
    assert.equal(within.worthwhileS, worthMs / 1000);
    const beyond = new RarePeaks();
    hear(beyond, 0, 120, everyS, (3 * worthMs) / 1000);
    assert.equal(beyond.worthwhileS, 0);
  }
});

test('after a minute they are forgotten', () => {
  const peaks = new RarePeaks();
  hear(peaks, 0, 30, 5, 0.01);
  assert.equal(peaks.worthwhileS, 0.01);
  hear(peaks, 30, 100, 1_000, 0);
  assert.equal(peaks.worthwhileS, 0);
});

test('they stand less high when the fastest frame comes later, and as high again, but no higher', () => {
  const peaks = new RarePeaks();
  hear(peaks, 0, 60, 5, 0.02);
  for (const [byMs, worthMs] of /** @type {[number, number][]} */ ([
    [8, 12],
    [-8, 20],
    [-8, 20],
    [50, 8],
  ])) {
    peaks.lower(byMs / 1000);
    assert.ok(Math.abs(peaks.worthwhileS * 1000 - worthMs) < 1e-9);
  }
  hear(peaks, 60, 130, 5, 0.02);
  assert.equal(peaks.worthwhileS, 0.02);
});
