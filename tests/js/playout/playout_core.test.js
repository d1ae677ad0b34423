import assert from 'node:assert/strict';
import test from 'node:test';

import { MAX_TARGET_S, MIN_TARGET_S } from '../../../webrtc/static/client/playout/playout_core.js';
import {
  AMPLITUDE,
  DTX,
  EPOCH_MS,
  RATE,
  TONE_HZ,
  TONE_STEP,
  ToneDecoder,
  World,
  greatestStep,
  jittered,
  payloadOf,
  peak,
  phaseOf,
  play,
  seeded,
  stream,
} from './world.js';

const EDGES = [0, 1, 32_767, 65_534, 65_535];
/** What blending two pieces of the tone in any phase may add to its steps. */
const UNHEARD_STEP = 1.4 * TONE_STEP;

/** @param {World} world */
const decoderOf = (world) => /** @type {ToneDecoder} */ (world.decoder);

/**
 * Without the frames at some places.
 *
 * @template T
 * @param {T[]} frames
 * @param {(index: number) => boolean} isLost
 */
const without = (frames, isLost) => frames.filter((_, index) => !isLost(index));

// ---- a clean network -----------------------------------------------------------------------------

for (const samples of [120, 240, 480, 960]) {
  for (const batch of [1, 4]) {
    test(`frames of ${samples} samples are played once, in order, ${batch} blocks at once`, () => {
      const world = play(stream(288_000 / samples, { samples }), { batch });
      const { decoded } = decoderOf(world);
      assert.deepEqual(decoded, [...new Set(decoded)].sort((one, other) => one - other));
      const { stats } = world;
      assert.deepEqual([stats.lost, stats.late, stats.resets, stats.concealedSamples], [0, 0, 0, 0]);
      assert.ok(greatestStep(world.sound) < UNHEARD_STEP);
      assert.ok(stats.targetMs >= MIN_TARGET_S * 1000);
      assert.ok(stats.targetMs < 13 * batch);
    });
  }
}

test('what is heard is the tone that was sent', () => {
  const world = play(stream(800));
  const settled = world.sound.slice(-4 * RATE, -RATE);
  assert.ok(Math.abs(peak(settled) - AMPLITUDE) < 1e-3);
  const half = settled.length / 2;
  const turn = phaseOf(settled.slice(half), TONE_HZ, RATE, half) - phaseOf(settled.slice(0, half), TONE_HZ, RATE);
  assert.ok(Math.abs(turn - Math.round(turn)) < 0.01);
});

test('the delay on a quiet network comes down to the least of 5 ms', () => {
  const { stats } = play(stream(3_000));
  assert.ok(stats.delayMs < MIN_TARGET_S * 1000 + 1);
  assert.ok(stats.delayMs > 2);
  assert.equal(stats.underruns, 0);
  assert.ok(Math.abs(stats.driftPpm) < 10, 'the start is not taken for drift');
  // The clock of the worker and that of the output differ by the epoch alone here.
  const offsetMs = (stats.playoutOffsetMs ?? NaN) + EPOCH_MS;
  assert.ok(offsetMs >= stats.delayMs && offsetMs < stats.delayMs + 3);
});

test('before the first frame, and long after the last, there is silence', () => {
  const world = new World();
  world.run([], 1);
  assert.equal(peak(world.sound), 0);
  world.run(
    stream(100).map((frame) => ({ ...frame, atS: frame.atS + 1 })),
    4,
  );
  assert.equal(peak(world.sound.slice(-RATE)), 0);
  assert.equal(world.stats.state, 'idle');
  assert.ok(greatestStep(world.sound) < UNHEARD_STEP);
});

for (const rateHz of [16_000, 44_100, 96_000]) {
  test(`an output of ${rateHz} Hz plays the same pitch`, () => {
    const world = play(stream(800), { rateHz });
    const settled = world.sound.slice(-4 * rateHz, -rateHz);
    const half = Math.floor(settled.length / 2);
    const turn =
      phaseOf(settled.slice(half), TONE_HZ, rateHz, half) -
      phaseOf(settled.slice(0, half), TONE_HZ, rateHz);
    const hz = (turn - Math.round(turn)) / (half / rateHz);
    assert.ok(Math.abs(hz) < TONE_HZ * 300e-6);
    assert.deepEqual([world.stats.lost, world.stats.underruns], [0, 0]);
  });
}

for (const edge of EDGES) {
  test(`numbers that wrap around from ${edge} change nothing`, () => {
    const options = { delayMs: jittered(edge, 15) };
    const plain = play(stream(300, options));
    const turned = play(
      stream(300, { delayMs: jittered(edge, 15), sequence: edge, timestamp: 2 ** 32 - 480 * 100 }),
    );
    assert.deepEqual(decoderOf(turned).decoded, decoderOf(plain).decoded);
    const counted = (/** @type {World} */ { stats }) => [stats.lost, stats.late, stats.reordered, stats.duplicates];
    assert.deepEqual(counted(turned), counted(plain));
    assert.equal(turned.stats.resets, 0);
  });
}

// ---- jitter --------------------------------------------------------------------------------------

for (const spreadMs of [5, 20, 40]) {
  test(`jitter of ${spreadMs} ms is waited for, and not much more`, () => {
    const world = new World({ keep: false });
    const frames = stream(6_000, { delayMs: jittered(spreadMs, spreadMs) });
    world.run(frames, 30);
    const { stats: early } = world;
    world.run(frames, 60);
    const { stats } = world;
    assert.ok(stats.underruns - early.underruns <= 1);
    assert.ok(stats.late <= 6, `${stats.late} late`);
    assert.ok(stats.targetMs < spreadMs + MIN_TARGET_S * 1000 + 2);
    assert.ok(stats.delayMs < spreadMs / 2 + MIN_TARGET_S * 1000 + 2);
    assert.ok(stats.jitterMs > spreadMs / 8 && stats.jitterMs < spreadMs);
  });
}

test('the target follows jitter up within a second, and down again', () => {
  const world = new World();
  const random = seeded(11);
  const frames = stream(15_000, {
    delayMs: (index) => 20 + (index >= 1_000 && index < 2_000 ? random() * 30 : 0),
  });
  const until = (/** @type {number} */ seconds) => {
    world.run(frames, seconds);
    return world.stats.targetMs;
  };
  assert.ok(until(9.9) < 7);
  assert.ok(until(11.5) > 25);
  assert.ok(until(20) > 25);
  assert.ok(until(149) < 7);
  assert.ok(world.stats.delayMs < 7);
  assert.ok(world.stats.expandedSamples > 0, 'sound was repeated while the delay grew');
  assert.ok(greatestStep(world.sound) < UNHEARD_STEP);
});

test('no more is taken out than was too much', () => {
  const frames = stream(3_000, { delayMs: (index) => (index < 1_000 ? 60 : 20) });
  const world = new World({ keep: false }).run(frames, 9);
  const { stats: before } = world;
  let drift = 0;
  world.run(frames, 30, ({ stats }) => {
    drift = Math.max(drift, Math.abs(stats.driftPpm));
  });
  const { stats } = world;
  assert.ok(drift < 90, 'a change of the target is not taken for drift');
  const taken = stats.compressedSamples - before.compressedSamples;
  assert.ok(taken > 30 * 48 && taken < 42 * 48, `${taken} samples`);
  assert.equal(stats.expandedSamples, before.expandedSamples);
});

test('beyond 75 ms nothing more is waited for, and it says what it would want', () => {
  const { stats } = play(stream(2_000, { delayMs: jittered(2, 120) }));
  assert.equal(stats.targetMs, MAX_TARGET_S * 1000);
  assert.ok(stats.wantedMs > 90);
  assert.ok(stats.delayMs < 80);
});

for (let seed = 1; seed <= 12; seed += 1) {
  test(`under jitter, loss and reordering nothing clicks and nothing comes twice (${seed})`, () => {
    const random = seeded(seed);
    const spreadMs = random() * 60;
    const share = random() * 0.1;
    const batch = 1 + Math.floor(random() * 4);
    const frames = stream(2_000, { delayMs: jittered(seed, spreadMs) });
    const world = play(without(frames, () => random() < share), { batch });
    const { decoded } = decoderOf(world);
    assert.ok(decoded.every((position, index) => position > (decoded[index - 1] ?? -1)));
    assert.ok(greatestStep(world.sound) < UNHEARD_STEP);
    assert.ok(peak(world.sound) < AMPLITUDE * 1.001);
    assert.equal(world.stats.resets, 0);
  });
}

test('duplicates are played once', () => {
  const frames = stream(500);
  const again = frames.map((frame) => ({ ...frame, atS: frame.atS + 0.003 }));
  const world = play([...frames, ...again]);
  assert.equal(world.stats.duplicates, 499); // the last one comes after the end
  const { sound } = play(frames);
  assert.deepEqual(world.sound.slice(0, sound.length), sound);
});

// ---- loss ----------------------------------------------------------------------------------------

test('a lost frame is concealed for as long as it was', () => {
  const world = play(without(stream(500), (index) => index % 50 === 25));
  const { stats } = world;
  assert.equal(stats.lost, 10);
  assert.equal(stats.concealedSamples, 10 * 480);
  assert.equal(stats.underruns, 0, 'loss is not starvation');
  assert.ok(greatestStep(world.sound) < UNHEARD_STEP);
});

test('a frame that comes late counts as an underrun, and the delay is kept for it', () => {
  const frames = stream(1_000, { delayMs: (index) => (index === 500 ? 28 : 20) });
  const { stats } = play(frames);
  assert.equal(stats.underruns, 1);
  assert.equal(stats.concealedSamples, 480);
  assert.equal(stats.lost, 0);
});

test('copies inside later frames fill the holes, once it was seen that it pays to wait', () => {
  const frames = stream(1_500, { samples: 960, fec: true });
  const world = play(without(frames, (index) => index % 20 === 10));
  assert.ok(decoderOf(world).repaired.length > 60);
  const repaired = decoderOf(world).repaired.length * 960;
  assert.ok(world.stats.fecSamples > repaired - 960 && world.stats.fecSamples <= repaired);
  assert.ok(world.stats.targetMs > 20);
  assert.ok(greatestStep(world.sound) < UNHEARD_STEP);
});

test('a frame that the decoder refuses is concealed and counted', () => {
  const frames = stream(300, {
    payload: (index) => payloadOf(index === 100 ? NaN : index * 480, 480),
  });
  const world = play(frames);
  assert.equal(world.stats.decodeErrors, 1);
  assert.equal(world.stats.concealedSamples, 480);
  assert.ok(greatestStep(world.sound) < UNHEARD_STEP);
});

test('rubbish is counted and dropped', () => {
  const rubbish = stream(101, { payload: () => new ArrayBuffer(0), sequence: 7_000 });
  const huge = stream(1, { payload: () => Uint8Array.of(0xf4, ...new Uint8Array(5_000)).buffer });
  const { stats } = play([...rubbish, ...huge]);
  assert.equal(stats.malformed, 101);
  assert.equal(stats.state, 'idle');
});

// ---- silence, stalls, jumps ----------------------------------------------------------------------

test('a silence that the sender left out is neither loss nor underrun', () => {
  const frames = stream(600, {
    payload: (index) => (index >= 200 && index < 400 ? DTX : payloadOf(index * 480, 480)),
  });
  const kept = without(frames, (index) => index > 202 && index < 400 && index % 40 !== 0).map(
    (frame, index) => ({ ...frame, sequence: index }),
  );
  const world = play(kept);
  const { stats } = world;
  assert.deepEqual([stats.lost, stats.underruns, stats.concealedSamples, stats.resets], [0, 0, 0, 0]);
  assert.ok(decoderOf(world).decoded.includes(590 * 480));
  assert.ok(greatestStep(world.sound) < UNHEARD_STEP);
});

test('a silence with comfort noise keeps the delay that it had', () => {
  const isSpoken = (/** @type {number} */ index) => index < 300 || index % 200 >= 100;
  const frames = stream(2_000, {
    payload: (index) => (isSpoken(index) ? payloadOf(index * 480, 480) : DTX),
  })
    .filter((_, index) => isSpoken(index) || index % 8 === 0)
    .map((frame, index) => ({ ...frame, sequence: index }));
  const world = new World({ keep: false }).run(frames, 2.9);
  const { stats: before } = world;
  world.run(frames, 20);
  const { stats } = world;
  assert.deepEqual([stats.lost, stats.underruns, stats.concealedSamples], [0, 0, 0]);
  assert.equal(stats.expandedSamples, before.expandedSamples);
  assert.ok(Math.abs(stats.delayMs - before.delayMs) < 3);
});

test('frames that overlap are laid over each other', () => {
  const frames = stream(600, { samples: 240, payload: (index) => payloadOf(index * 240, 480) });
  const world = play(frames);
  const { stats } = world;
  assert.deepEqual([stats.lost, stats.underruns, stats.skippedSamples], [0, 0, 0]);
  assert.ok(stats.compressedSamples < 960);
  assert.ok(greatestStep(world.sound) < UNHEARD_STEP);
});

test('what had queued up before the start is dropped', () => {
  const frames = stream(400, { delayMs: (index) => 20 + Math.max(0, 30 - index) * 9.9 });
  const world = play(frames);
  assert.ok(world.stats.dropped > 20);
  assert.ok(!decoderOf(world).decoded.includes(0));
  assert.ok(world.stats.delayMs < 7);
  assert.ok(world.stats.compressedSamples < 960);
});

test('after a stall of a second the sound is back at once, at the delay it had', () => {
  const frames = stream(1_500, {
    delayMs: (index) => (index >= 500 && index < 600 ? 1_020 - (index - 500) * 10 : 20),
  });
  const world = play(frames);
  const { stats } = world;
  assert.equal(stats.underruns, 1);
  assert.ok(stats.concealedSamples <= 5_280, 'faded out after 100 ms');
  assert.ok(stats.delayMs < 20);
  assert.equal(peak(world.sound.slice(Math.round(5.3 * RATE), Math.round(5.9 * RATE))), 0);
  assert.ok(peak(world.sound.slice(Math.round(6.1 * RATE), Math.round(6.2 * RATE))) > 0.4);
  assert.ok(greatestStep(world.sound) < UNHEARD_STEP);
});

test('a longer path is followed, and a shorter one', () => {
  const longer = play(stream(3_000, { delayMs: (index) => (index < 1_000 ? 20 : 90) }));
  assert.ok(longer.stats.delayMs < 12);
  assert.ok(longer.stats.underruns <= 2);
  assert.ok(greatestStep(longer.sound) < UNHEARD_STEP);
  const shorter = play(stream(3_000, { delayMs: (index) => (index < 1_000 ? 90 : 20) }));
  assert.ok(shorter.stats.delayMs < 12);
  assert.equal(shorter.stats.underruns, 0);
  assert.ok(greatestStep(shorter.sound) < UNHEARD_STEP);
});

test('after the output paused for 140 ms the excess is skipped, blended over', () => {
  const frames = stream(1_500, {
    delayMs: (index) => 160 - Math.max(0, Math.min(14, index - 499)) * 9.99,
  });
  const world = play(frames);
  assert.ok(world.stats.skippedSamples > 100 * 48);
  assert.ok(world.stats.delayMs < 7);
  assert.deepEqual([world.stats.underruns, world.stats.late], [0, 0]);
  assert.ok(greatestStep(world.sound) < UNHEARD_STEP);
});

test('a jump of the media clock starts afresh', () => {
  const before = stream(300);
  const after = stream(600, { timestamp: 1_000_000_000, sequence: 300 }).filter(
    (_, index) => index >= 300,
  );
  const world = play([...before, ...after]);
  assert.equal(world.stats.resets, 1);
  assert.equal(decoderOf(world).resets, 1);
  assert.ok(peak(world.sound.slice(-RATE / 2)) > 0.4);
});

test('one call can be made between any others, and numbers stay finite', () => {
  const { playout } = new World();
  const figures = [...Object.values(playout.stats())].filter((value) => typeof value === 'number');
  assert.ok(figures.every(Number.isFinite));
  playout.reset();
  const block = new Float32Array(128).fill(7);
  playout.pull(block, new Float32Array(128), 1);
  assert.equal(peak(block), 0);
});
