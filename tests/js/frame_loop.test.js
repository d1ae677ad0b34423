import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { eachFrame } from '../../webrtc/static/app/frame_loop.js';

const FRAME_MS = 1000 / 60;

/** A screen of 60 frames a second in virtual time, which counts the frames that are asked for. */
class Screen {
  now = 0;
  frames = 0;
  /** @type {((now: number) => void)[]} */
  #asked = [];
  /** @type {Map<number, { at: number, call: () => void }>} */
  #timers = new Map();
  #handles = 0;

  install() {
    Object.assign(globalThis, {
      performance: { now: () => this.now },
      requestAnimationFrame: (/** @type {(now: number) => void} */ call) => this.#asked.push(call),
      setTimeout: (/** @type {() => void} */ call, /** @type {number} */ ms) => {
        this.#timers.set((this.#handles += 1), { at: this.now + ms, call });
        return this.#handles;
      },
      clearTimeout: (/** @type {number} */ handle) => this.#timers.delete(handle),
    });
  }

  /** @param {number} ms */
  run(ms) {
    const count = Math.round(ms / FRAME_MS);
    for (let i = 0; i < count; i += 1) {
      this.now += FRAME_MS;
      for (const [handle, { at, call }] of this.#timers) {
        if (at > this.now) continue;
        this.#timers.delete(handle);
        call();
      }
      const asked = this.#asked.splice(0);
      if (asked.length > 0) this.frames += 1;
      for (const call of asked) call(this.now);
    }
  }
}

const screen = new Screen();
/** @type {(() => void)[]} */
let stops = [];

beforeEach(() => {
  screen.install();
  for (const stop of stops.splice(0)) stop();
  screen.run(100);
  screen.frames = 0;
});

/** @param {{ everyMs?: number }} [options] */
function paint(options) {
  const painted = { times: 0, elapsedMs: 0 };
  stops.push(
    eachFrame((elapsedMs) => {
      painted.times += 1;
      painted.elapsedMs += elapsedMs;
    }, options),
  );
  return painted;
}

test('meters take every second frame of a usual screen, and ask for no more', () => {
  const meters = [paint()];
  screen.run(50);
  meters.push(paint());
  screen.run(20);
  meters.push(paint());
  screen.run(10_000);
  for (const { times } of meters) assert.ok(times > 295 && times < 305, `${times}`);
  assert.ok(screen.frames < 310, `${screen.frames}`);
});

test('dozens of meters take every third frame, and a plot beside them all', () => {
  const meters = Array.from({ length: 45 }, () => paint());
  screen.run(6000);
  for (const { times } of meters) assert.ok(times > 115 && times < 125, `${times}`);
  assert.ok(screen.frames < 130, `${screen.frames}`);
  const plot = paint({ everyMs: 0 });
  screen.run(3000);
  assert.ok(plot.times > 175, `${plot.times}`);
});

test('a plot has every frame, and meters beside it stay as they are', () => {
  const [meter, plot] = [paint(), paint({ everyMs: 0 })];
  screen.run(5000);
  assert.ok(plot.times > 295, `${plot.times}`);
  assert.ok(meter.times > 145 && meter.times < 155, `${meter.times}`);
});

test('painters are told all the time that passes', () => {
  const meter = paint();
  screen.run(3000);
  assert.ok(Math.abs(meter.elapsedMs - 3000) < 40, `${meter.elapsedMs}`);
});

test('who stops has no frame any more, and nobody asks for one', () => {
  const meter = paint();
  screen.run(200);
  for (const stop of stops.splice(0)) stop();
  screen.run(100);
  const { times } = meter;
  screen.frames = 0;
  screen.run(1000);
  assert.equal(meter.times, times);
  assert.equal(screen.frames, 0);
});
