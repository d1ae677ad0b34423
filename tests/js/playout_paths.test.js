import assert from 'node:assert/strict';
import test from 'node:test';

import { PlayoutPaths } from '../../webrtc/static/client/playout_paths.js';
import { VirtualClock, playoutStats, settle } from './support.js';

/** As much of a gain, a source or an output as the graph needs. */
class FakeNode {
  /** @type {unknown[]} */
  curves = [];
  gain = {
    value: 1,
    setTargetAtTime: (/** @type {number} */ value) => (this.gain.value = value),
    setValueCurveAtTime: (
      /** @type {Float32Array} */ curve,
      /** @type {number} */ at,
      /** @type {number} */ duration,
    ) => {
      this.curves.push([curve[0], curve.at(-1), at, duration]);
    },
  };
  pan = { value: 0, setTargetAtTime: (/** @type {number} */ value) => (this.pan.value = value) };
  connect() {}
  disconnect() {}
}

class FakeContext {
  state = 'suspended';
  /** @type {(() => void) | null} */
  onstatechange = null;
  currentTime = 0;
  baseLatency = 0.01;
  outputLatency = 0.02;
  destination = new FakeNode();
  playbackStats = { underrunEvents: 0 };
  closed = false;
  /** @type {FakeNode[]} */
  gains = [];
  /** @type {FakeNode[]} */
  panners = [];
  /** @param {boolean} mayRun @param {unknown} latencyHint */
  constructor(mayRun, latencyHint) {
    this.mayRun = mayRun;
    this.latencyHint = latencyHint;
  }
  createGain() {
    const node = new FakeNode();
    this.gains.push(node);
    return node;
  }
  createMediaStreamSource() {
    return new FakeNode();
  }
  createStereoPanner() {
    this.panners.push(new FakeNode());
    return this.panners.at(-1);
  }
  async resume() {
    await settle();
    if (this.mayRun) this.become('running');
  }
  async close() {
    this.closed = true;
  }
  /** @param {string} state */
  become(state) {
    if (this.state === state || this.closed) return;
    this.state = state;
    this.onstatechange?.();
  }
}

/** A playout node that reports when told. */
class FakePlayoutNode extends FakeNode {
  onreport = (/** @type {unknown} */ _report) => {};
  onprocessorerror = () => {};
  /** @type {unknown[]} */
  fades = [];
  closed = false;
  takeFrames() {}
  /** @param {unknown[]} fade */
  fade(...fade) {
    this.fades.push(fade);
  }
  delayToEarMs() {
    return 42;
  }
  close() {
    this.closed = true;
  }
}

Object.assign(globalThis, { MediaStream: class {} });

/** @param {{ mayRun?: boolean, mode?: 'auto' | 'low-latency' | 'browser' }} [options] */
async function world({ mayRun = true, mode = 'low-latency' } = {}) {
  const clock = new VirtualClock();
  const gestures = new EventTarget();
  /** @type {FakeContext[]} */
  const contexts = [];
  /** @type {FakePlayoutNode[]} */
  const nodes = [];
  let workers = 0;
  const playout = new PlayoutPaths(
    /** @type {any} */ ({
      ...clock,
      now: clock.now,
      setTimer: clock.setTimer,
      clearTimer: clock.clearTimer,
      gestures,
      createAudioContext: (/** @type {unknown} */ latencyHint) => {
        contexts.push(new FakeContext(mayRun, latencyHint));
        return contexts.at(-1);
      },
      createFramesWorker: () => {
        /** @type {any} */
        const worker = { terminate: () => (workers -= 1), postMessage: () => worker.onmessage() };
        workers += 1;
        clock.setTimer(() => worker.onmessage?.({ data: 'ready' }), 5);
        return worker;
      },
      createTransform: () => ({}),
      createPlayoutNode: async () => {
        nodes.push(new FakePlayoutNode());
        return nodes.at(-1);
      },
    }),
    mode,
  );
  /** @type {string[]} */
  const told = [];
  playout.on('change', ({ path, reason }) => told.push(`${path} ${reason}`));
  const ready = playout.prepare();
  await clock.advance(10);
  await ready;
  return { playout, clock, gestures, contexts, nodes, told, workers: () => workers };
}

/** @param {Awaited<ReturnType<typeof world>>} there */
async function playing(there) {
  there.playout.attach(/** @type {any} */ ({}));
  there.playout.start(false);
  await there.clock.advance(0);
  there.nodes.at(-1)?.onreport({ type: 'stats', stats: playoutStats() });
  return there;
}

/** @param {Awaited<ReturnType<typeof world>>} there */
function end({ playout }) {
  playout.stop();
  playout.detach(); // its port would keep this process alive
}

test('a fade begins at the same instant on both paths and mirrors itself', async () => {
  const there = await playing(await world());
  const { playout, nodes, contexts, told } = there;
  assert.equal(playout.carries, true);
  assert.deepEqual(told, ['browser starting', 'low-latency chosen']);
  const [gain, durationMs, atTime] = /** @type {number[]} */ (nodes[0]?.fades[0]);
  const [, tap] = contexts[0]?.gains ?? [];
  assert.equal(gain, 1);
  assert.deepEqual(tap?.curves, [[1, 0, atTime, (durationMs ?? 0) / 1000]]);
  assert.equal(playout.figures.toEarMs, 42);
  assert.equal(playout.figures.outputMs, 30);
  end(there);
});

test('what is faded out plays until the fade is over', async () => {
  const there = await playing(await world());
  there.playout.setMode('browser');
  assert.equal(there.nodes[0]?.closed, false);
  assert.deepEqual(there.told.at(-1), 'browser chosen');
  await there.clock.advance(200);
  assert.equal(there.nodes[0]?.closed, true);
  assert.equal(there.playout.carries, true, 'the graph goes on with the browser path');
  assert.equal(there.playout.figures.outputMs, 42, 'which waits in a queue before it');
  end(there);
});

test('curves of one gain never touch, however fast the mode changes', async () => {
  const there = await playing(await world());
  for (const mode of /** @type {const} */ (['browser', 'low-latency', 'browser'])) {
    there.playout.setMode(mode);
    await there.clock.advance(0);
    there.nodes.at(-1)?.onreport({ type: 'stats', stats: playoutStats() });
  }
  const [, tap] = there.contexts[0]?.gains ?? [];
  const curves = /** @type {number[][]} */ (tap?.curves);
  assert.equal(curves.length, 4);
  curves.slice(1).forEach(([from = 0, , at = 0], index) => {
    const [, to = 0, before = 0, duration = 0] = curves[index] ?? [];
    assert.equal(from, to);
    assert.ok(at > before + duration);
  });
  end(there);
});

test('a context that may not run leaves everything to the element until a click', async () => {
  const there = await world({ mayRun: false });
  there.playout.attach(/** @type {any} */ ({}));
  there.playout.start(false);
  await there.clock.advance(1000);
  assert.deepEqual([there.playout.carries, there.playout.reason], [false, 'blocked']);
  const context = /** @type {FakeContext} */ (there.contexts[0]);
  context.mayRun = true;
  there.gestures.dispatchEvent(new Event('pointerdown'));
  await there.clock.advance(0);
  there.nodes.at(-1)?.onreport({ type: 'stats', stats: playoutStats() });
  assert.deepEqual([there.playout.carries, there.playout.path], [true, 'low-latency']);
  context.become('interrupted');
  assert.deepEqual([there.playout.carries, there.playout.reason], [false, 'blocked']);
  end(there);
});

test('a processor that fails is closed and made anew after a pause', async () => {
  const there = await playing(await world());
  there.nodes[0]?.onprocessorerror();
  assert.equal(there.told.at(-1), 'browser worklet');
  await there.clock.advance(5000);
  assert.equal(there.nodes.length, 2);
  there.nodes[1]?.onreport({ type: 'stats', stats: playoutStats() });
  assert.equal(there.playout.path, 'low-latency');
  end(there);
});

test('mode browser makes no graph, and another mode says that it takes a new connection', async () => {
  const there = await world({ mode: 'browser' });
  there.playout.attach(/** @type {any} */ ({}));
  there.playout.start(false);
  await there.clock.advance(1000);
  assert.equal(there.contexts.length, 0);
  assert.equal(there.playout.setMode('auto'), true);
  assert.equal(there.playout.setMode('browser'), false);
  end(there);
});

test("the caller's own element is left alone", async () => {
  const there = await world();
  there.playout.attach(/** @type {any} */ ({}));
  there.playout.start(true);
  await there.clock.advance(1000);
  assert.deepEqual([there.contexts.length, there.playout.reason], [0, 'element']);
  end(there);
});

test('a microphone that would hear it keeps auto from WebAudio, and lets go of it', async () => {
  const there = await world({ mode: 'auto' });
  there.playout.setEchoes(true);
  there.playout.attach(/** @type {any} */ ({}));
  there.playout.start(false);
  await there.clock.advance(1000);
  assert.deepEqual([there.contexts.length, there.playout.reason], [0, 'echo']);
  there.playout.setEchoes(false);
  await there.clock.advance(1000);
  assert.equal(there.playout.carries, true);
  there.playout.setEchoes(true);
  assert.deepEqual([there.playout.carries, there.playout.output], [false, null]);
  assert.equal(there.contexts[0]?.closed, true);
  assert.deepEqual([there.playout.path, there.playout.reason], ['browser', 'echo']);
  end(there);
});

test('who chose low latency gets it, whatever the microphone hears', async () => {
  const there = await world();
  there.playout.setEchoes(true);
  await playing(there);
  assert.deepEqual([there.playout.path, there.playout.reason], ['low-latency', 'chosen']);
  there.playout.setMode('auto');
  assert.deepEqual([there.playout.path, there.playout.reason], ['browser', 'echo']);
  there.playout.setMode('low-latency');
  await there.clock.advance(0);
  there.nodes.at(-1)?.onreport({ type: 'stats', stats: playoutStats() });
  assert.equal(there.playout.path, 'low-latency');
  end(there);
});

test('a device that does not keep up is asked for sound with a margin, from then on', async () => {
  const there = await playing(await world());
  const { playout, contexts, clock } = there;
  const first = /** @type {FakeContext} */ (contexts[0]);
  const bad = async (/** @type {number} */ seconds) => {
    for (let second = 0; second < seconds; second += 1) {
      first.playbackStats.underrunEvents += 20;
      await clock.advance(1000);
    }
  };
  await bad(2); // while it begins
  await clock.advance(20_000);
  await bad(3);
  await clock.advance(30_000);
  first.state = 'suspended';
  await bad(3);
  first.state = 'running';
  await bad(2);
  await clock.advance(5000);
  await bad(3);
  assert.deepEqual([contexts.length, first.latencyHint], [1, 0]);
  await bad(1);
  assert.equal(first.closed, true);
  there.nodes.at(-1)?.onreport({ type: 'stats', stats: playoutStats() });
  assert.deepEqual([playout.carries, playout.path], [true, 'low-latency']);
  playout.stop();
  playout.start(false);
  await clock.advance(1000);
  assert.deepEqual(contexts.slice(1).map(({ latencyHint }) => latencyHint), ['interactive', 'interactive']);
  const last = /** @type {FakeContext} */ (contexts.at(-1));
  last.playbackStats.underrunEvents = 100;
  await clock.advance(60_000);
  assert.equal(contexts.length, 3, 'there is nothing calmer');
  end(there);
});

const makeReceiver = () => /** @type {any} */ ({ track: {} });

/** Three tracks that come at once. @param {Parameters<typeof world>[0]} [options] */
async function three(options) {
  const there = await world(options);
  const receivers = [makeReceiver(), makeReceiver(), makeReceiver()];
  for (const receiver of receivers) there.playout.attach(receiver);
  for (const { track } of receivers) there.playout.setTrack(track);
  there.playout.start(false);
  await there.clock.advance(0);
  return { ...there, receivers };
}

test('several tracks take their ways for themselves, through one graph and one worker', async () => {
  const there = await three();
  const { playout, nodes, contexts, receivers, told } = there;
  assert.deepEqual([nodes.length, contexts.length, there.workers()], [3, 1, 1]);
  nodes[1]?.onreport({ type: 'stats', stats: playoutStats() });
  assert.deepEqual(told, ['browser starting'], 'what is told is of the first');
  assert.deepEqual(
    playout.tracks.map(({ path, track }) => [path, track]),
    [
      ['browser', receivers[0].track],
      ['low-latency', receivers[1].track],
      ['browser', receivers[2].track],
    ],
  );
  nodes[0]?.onreport({ type: 'stats', stats: playoutStats() });
  nodes[1]?.onprocessorerror();
  assert.deepEqual(
    playout.tracks.map(({ reason }) => reason),
    ['chosen', 'worklet', 'starting'],
  );
  playout.setMode('browser');
  assert.ok(playout.tracks.every(({ path }) => path === 'browser'));
  end(there);
});

test('each track is as loud and where it was put, also in a graph that opens later', async () => {
  const there = await three();
  const [, second] = there.receivers;
  const levels = () =>
    there.contexts.at(-1)?.gains.slice(1).filter((_, index) => index % 2 === 1).map(({ gain }) => gain.value);
  there.playout.setTrackMix(second.track, { gain: 0.5, pan: -1 });
  there.playout.setTrackMix(makeReceiver().track, { gain: 0, pan: 0 });
  assert.deepEqual(levels(), [1, 0.5, 1]);
  assert.deepEqual(there.contexts[0]?.panners.map(({ pan }) => pan.value), [-1]);
  there.playout.stop();
  there.playout.start(false);
  assert.equal(there.contexts.length, 2);
  assert.deepEqual(levels(), [1, 0.5, 1]);
  assert.deepEqual(there.contexts[1]?.panners.map(({ pan }) => pan.value), [-1]);
  there.playout.setTrackMix(second.track, { gain: 1, pan: 0 });
  assert.deepEqual(there.contexts[1]?.panners.map(({ pan }) => pan.value), [0]);
  end(there);
});

test('a new connection begins with as many tracks as it brings', async () => {
  const there = await three();
  there.playout.detach();
  assert.equal(there.playout.tracks.length, 1);
  await there.clock.advance(200);
  assert.ok(there.nodes.slice(1).every(({ closed }) => closed));
  there.playout.attach(makeReceiver());
  await there.clock.advance(0);
  there.nodes.at(-1)?.onreport({ type: 'stats', stats: playoutStats() });
  assert.deepEqual([there.playout.tracks.length, there.playout.path], [1, 'low-latency']);
  end(there);
});

test('when all is over nothing is left', async () => {
  const there = await playing(await world());
  end(there);
  await there.clock.advance(200);
  assert.equal(there.contexts[0]?.closed, true);
  assert.equal(there.nodes[0]?.closed, true);
  assert.equal(there.clock.pending, 0);
  assert.deepEqual([there.playout.carries, there.playout.reason], [false, 'idle']);
  assert.equal(there.workers(), 1, 'kept for the next time');
  there.playout.release();
  assert.equal(there.workers(), 0);
  const ready = there.playout.prepare();
  await there.clock.advance(10);
  await ready;
  assert.equal(there.workers(), 1);
});
