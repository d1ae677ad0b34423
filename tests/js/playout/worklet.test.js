/**
 * The processor in a global scope like that of the audio thread, with the real decoder.
 */

import assert from 'node:assert/strict';
import { register } from 'node:module';
import test from 'node:test';

import { FrameRing } from '../../../webrtc/static/client/playout/frame_ring.js';
import { encoded } from './libopus.js';

const RATE = 48_000;
const QUANTUM = 128;

/** @typedef {import('../../../webrtc/static/client/playout/types.js').PlayoutReport} Report */
/** @typedef {import('../../../webrtc/static/client/playout/types.js').PlayoutStats} Stats */

class FakePort {
  /** @type {any[]} */
  sent = [];
  closed = false;
  /** @type {(event: { data: unknown }) => void} */
  onmessage = () => {};

  /** @param {unknown} message */
  postMessage(message) {
    this.sent.push(structuredClone(message));
  }

  close() {
    this.closed = true;
  }
}

/** @type {any} */
let Processor;
const scope = Object.assign(globalThis, {
  currentFrame: 0,
  sampleRate: RATE,
  AudioWorkletProcessor: class {
    port = new FakePort();
  },
  registerProcessor: (/** @type {string} */ name, /** @type {any} */ processor) => {
    assert.equal(name, 'ag06-playout');
    Processor = processor;
  },
});

register(new URL('./vendor_hooks.js', import.meta.url));
await import('../../../webrtc/static/client/playout/worklet.js');

const packets = await encoded(
  300,
  480,
  (index) => 0.4 * Math.sin(index * 0.0576),
  () => 0,
);

/** One processor and the thread that runs it. */
class Thread {
  frames = new FakePort();
  /** How long ago the worker handed a packet over, in ms. @type {(index: number) => number} */
  waitedMs = () => 5;

  /** @param {object} [options] */
  constructor(options) {
    this.node = new Processor(options);
  }

  /** @param {object} command */
  command(command) {
    this.node.port.onmessage({ data: command });
  }

  /** @returns {Report[]} */
  get reports() {
    return this.node.port.sent;
  }

  /** @returns {Stats[]} */
  get stats() {
    return this.reports.flatMap((report) => (report.type === 'stats' ? [report.stats] : []));
  }

  /** Until the decoder is there. */
  async ready() {
    while (this.reports.length === 0) await new Promise(setImmediate);
    assert.deepEqual(this.reports[0], { type: 'ready' });
    this.command({ type: 'frames', source: { port: this.frames } });
    return this;
  }

  /**
   * Render the time of some packets, each as it comes.
   *
   * @param {number} first
   * @param {number} count
   */
  render(first, count) {
    const start = scope.currentFrame;
    let next = first;
    /** @type {number[]} */
    const heard = [];
    while (scope.currentFrame < start + count * 480) {
      if (scope.currentFrame >= start + (next - first) * 480) this.#come(next++);
      const [left, right] = [new Float32Array(QUANTUM), new Float32Array(QUANTUM)];
      assert.equal(this.node.process([], [[left, right]]), true);
      heard.push(...left);
      scope.currentFrame += QUANTUM;
    }
    return heard;
  }

  /** @param {number} index */
  #come(index) {
    const packet = /** @type {Uint8Array} */ (packets[index]);
    const data = {
      sequence: index,
      timestamp: index * 480,
      payload: packet.buffer,
      arrivalMs: 1e12,
      handedMs: Date.now() - this.waitedMs(index),
    };
    this.frames.onmessage({ data });
  }
}

const loudest = (/** @type {number[]} */ sound) => Math.max(...sound.map(Math.abs));

test('it plays frames once they are let in, and fades out again', async () => {
  const thread = await new Thread().ready();
  assert.equal(loudest(thread.render(0, 50)), 0, 'it begins silent');
  thread.command({ type: 'gain', gain: 1, durationMs: 20 });
  const heard = thread.render(50, 50);
  assert.ok(loudest(heard.slice(0, QUANTUM)) < 0.1);
  assert.ok(Math.abs(loudest(heard.slice(2_000)) - 0.4) < 0.05);
  thread.command({ type: 'gain', gain: 0, durationMs: 20, atTime: (scope.currentFrame + 4_800) / RATE });
  const fading = thread.render(100, 50);
  assert.ok(loudest(fading.slice(3_800, 4_700)) > 0.35);
  assert.equal(loudest(fading.slice(4_800 + 960)), 0);
});

test('it reports four times a second', async () => {
  const thread = await new Thread().ready();
  thread.render(0, 200);
  assert.equal(thread.stats.length, 8);
  const last = /** @type {Stats} */ (thread.stats.at(-1));
  assert.equal(last.state, 'playing');
  assert.equal(last.gain, 0);
  assert.ok(last.received > 170 && last.playedSamples > 80_000);
  assert.deepEqual([last.lost, last.underruns, last.decodeErrors], [0, 0, 0]);
  assert.ok(last.delayMs > 1 && last.delayMs < 20);
});

test('another port takes the place of the first', async () => {
  const thread = await new Thread().ready();
  thread.render(0, 50);
  const first = thread.frames;
  thread.frames = new FakePort();
  thread.command({ type: 'frames', source: { port: thread.frames } });
  assert.ok(first.closed);
  thread.command({ type: 'gain', gain: 1, durationMs: 0 });
  assert.ok(loudest(thread.render(50, 50)) > 0.3);
  assert.equal(thread.stats[0]?.resets, 0);
  assert.equal(thread.stats.at(-1)?.resets, 1);
});

test('frames may come through shared memory as well', async () => {
  const thread = await new Thread().ready();
  const memory = FrameRing.allocate();
  const ring = new FrameRing(memory);
  thread.frames.onmessage = ({ data }) => assert.ok(ring.put(/** @type {any} */ (data)));
  thread.node.port.onmessage({ data: { type: 'frames', source: { ring: memory } } });
  thread.command({ type: 'gain', gain: 1, durationMs: 0 });
  const heard = thread.render(0, 100);
  assert.ok(Math.abs(loudest(heard.slice(10_000)) - 0.4) < 0.05);
  assert.deepEqual([thread.stats.at(-1)?.lost, thread.stats.at(-1)?.underruns], [0, 0]);
});

test('frames that come shortly before an output asks for more may come after it next time', async () => {
  const targets = [5, -60_000].map(async (waitedMs) => {
    const thread = await new Thread({ processorOptions: { batchS: 0.01 } }).ready();
    thread.waitedMs = (index) => (index % 10 === 0 ? waitedMs : 5);
    thread.render(0, 200);
    return thread.stats.at(-1)?.targetMs ?? 0;
  });
  const [early = 0, close = 0] = await Promise.all(targets);
  assert.ok(early < 6, `${early} ms`);
  assert.ok(close > 10 && close < 16, `${close} ms`);
});

test('how long frames wait for the audio thread is part of the delay told', async () => {
  const delays = [20, 0].map(async (waitedMs) => {
    const thread = await new Thread().ready();
    thread.waitedMs = () => waitedMs;
    thread.render(0, 200);
    return thread.stats.at(-1)?.delayMs ?? 0;
  });
  const [late = 0, early = 0] = await Promise.all(delays);
  assert.ok(Math.abs(late - early - 20) < 1, `${late} ms, ${early} ms`);
});

test('it says at once, and once, that frames have stopped coming', async () => {
  const thread = await new Thread().ready();
  const starving = () => thread.reports.filter(({ type }) => type === 'starving').length;
  thread.render(0, 100);
  assert.equal(starving(), 0);
  thread.frames.onmessage = () => {};
  thread.render(100, 5);
  assert.equal(starving(), 1);
  thread.render(105, 50);
  assert.equal(starving(), 1);
});

test('several at once do not disturb each other', async () => {
  const threads = await Promise.all([new Thread(), new Thread(), new Thread()].map((one) => one.ready()));
  const sounds = threads.map((thread, index) => {
    thread.command({ type: 'gain', gain: 1, durationMs: 0 });
    return thread.render(index * 20, 100);
  });
  for (const sound of sounds) assert.ok(Math.abs(loudest(sound.slice(10_000)) - 0.4) < 0.05);
});

test('closed, it is silent and may be forgotten', async () => {
  const thread = await new Thread().ready();
  thread.render(0, 20);
  thread.command({ type: 'close' });
  assert.ok(thread.frames.closed);
  const left = new Float32Array(QUANTUM);
  assert.equal(thread.node.process([], [[left, new Float32Array(QUANTUM)]]), false);
  thread.command({ type: 'gain', gain: 1, durationMs: 0 });
  thread.command({ type: 'close' });
});

test('a defect on the way is told once, and leaves silence', async () => {
  const thread = await new Thread().ready();
  thread.render(0, 20);
  thread.frames.onmessage({ data: null });
  const left = new Float32Array(QUANTUM).fill(1);
  const going = thread.node.process([], [[left, new Float32Array(QUANTUM)]]);
  assert.equal(going, false);
  assert.equal(loudest([...left]), 0);
  assert.equal(thread.reports.filter(({ type }) => type === 'failed').length, 1);
});
