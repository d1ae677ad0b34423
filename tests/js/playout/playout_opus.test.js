/**
 * The playout with the real libopus: what a listener hears of a tone, and of a voice-like sound.
 */

import assert from 'node:assert/strict';
import test from 'node:test';

import { OpusDecoder } from '../../../webrtc/static/client/playout/decoder.js';
import { encoded, libopus } from './libopus.js';
import { World, greatestStep, jittered, play, seeded, stream } from './world.js';

const HZ = 440;
const AMPLITUDE = 0.4;
const TONE_STEP = (AMPLITUDE * 2 * Math.PI * HZ) / 48_000;
const SECONDS = 20;

const library = await libopus();
const tone = (/** @type {number} */ index) => AMPLITUDE * Math.sin((2 * Math.PI * HZ * index) / 48_000);
const packets = await encoded(SECONDS * 100, 480, tone, tone);
const payload = (/** @type {number} */ index) => /** @type {ArrayBuffer} */ (packets[index]?.buffer);

for (const rateHz of [44_100, 48_000]) {
  test(`a tone is heard without a click at ${rateHz} Hz, delay adjusted meanwhile`, () => {
    const frames = stream(packets.length, {
      payload,
      ppm: 150,
      delayMs: (index) => 20 + (index > 800 ? (index * 7_919) % 25 : 0),
    });
    const world = play(frames, { rateHz, batch: 3, decoder: new OpusDecoder(library) });
    const { stats } = world;
    assert.ok(stats.compressedSamples + stats.expandedSamples > 200, 'nothing was adjusted');
    assert.equal(stats.decodeErrors, 0);
    assert.ok(stats.underruns <= 5, `${stats.underruns} until the jitter was known`);
    const settled = world.sound.slice(rateHz);
    assert.ok(greatestStep(settled) < ((TONE_STEP * 48_000) / rateHz) * 1.3);
  });
}

test('what gets lost is made up so that a tone goes on', () => {
  const random = seeded(4);
  const frames = stream(packets.length, { payload, delayMs: jittered(9, 30) });
  const world = play(
    frames.filter(() => random() >= 0.05),
    { decoder: new OpusDecoder(library) },
  );
  const { stats } = world;
  assert.ok(stats.lost > 50 && stats.concealedSamples >= stats.lost * 480);
  /** @type {number[]} */
  const levels = [];
  for (let start = 48_000; start + 960 < world.sound.length; start += 960) {
    levels.push(Math.max(...world.sound.slice(start, start + 960).map(Math.abs)));
  }
  const kept = levels.filter((level) => level > AMPLITUDE / 2).length;
  assert.ok(kept > levels.length * 0.99, `${levels.length - kept} of ${levels.length} are gaps`);
  assert.ok(Math.max(...levels) < AMPLITUDE * 1.5);
});

test('a block costs the same however much happens in it', () => {
  const counted = { calls: 0 };
  const decoder = new OpusDecoder(library);
  const counting = new Proxy(decoder, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (/** @type {unknown[]} */ ...given) => {
        counted.calls += name === 'decode' || name === 'conceal' || name === 'decodeFec' ? 1 : 0;
        return Reflect.apply(value, target, given);
      };
    },
  });
  const random = seeded(8);
  const frames = stream(packets.length, { payload, delayMs: jittered(5, 60) });
  let most = 0;
  new World({ decoder: counting, keep: false }).run(
    frames.filter(() => random() >= 0.1),
    SECONDS,
    () => {
      most = Math.max(most, counted.calls);
      counted.calls = 0;
    },
  );
  assert.ok(most <= 5, `${most} packets decoded in one block`);
});
