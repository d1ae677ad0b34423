import assert from 'node:assert/strict';
import test from 'node:test';

import { FrameSource } from '../../../webrtc/static/client/playout/frame_source.js';
import { VirtualClock } from '../support.js';

/** A worker that says that it is ready, and answers while it lives. */
class FakeWorker {
  asked = 0;
  /** Whether it answers late, as one does that has much to do. */
  lateMs = 0;
  /** @param {VirtualClock} clock */
  constructor(clock) {
    this.clock = clock;
  }
  postMessage() {
    this.asked += 1;
    this.clock.setTimer(() => this.alive && this.onmessage?.({ data: 'pong' }), this.lateMs);
  }
  /** @type {((event: { data: unknown }) => void) | null} */
  onmessage = null;
  /** @type {(() => void) | null} */
  onerror = null;
  alive = true;
  terminated = false;
  terminate() {
    this.alive = false;
    this.terminated = true;
  }
}

/** @param {{ starts?: (number: number) => boolean }} [options] Whether the nth worker starts. */
function world({ starts = () => true } = {}) {
  const clock = new VirtualClock();
  /** @type {FakeWorker[]} */
  const workers = [];
  /** @type {{ worker: FakeWorker, port: MessagePort, heard: any[] }[]} */
  const transforms = [];
  const source = new FrameSource({
    createFramesWorker: () => {
      const worker = new FakeWorker(clock);
      workers.push(worker);
      const ok = starts(workers.length);
      clock.setTimer(() => ok && worker.onmessage?.({ data: 'ready' }), 20);
      return /** @type {any} */ (worker);
    },
    createTransform: (worker, port) => {
      const entry = { worker: /** @type {any} */ (worker), port, heard: /** @type {any[]} */ ([]) };
      port.onmessage = ({ data }) => entry.heard.push(data);
      transforms.push(entry);
      return /** @type {any} */ ({ entry });
    },
    setTimer: clock.setTimer,
    clearTimer: clock.clearTimer,
  });
  /** @type {string[]} */
  const told = [];
  source.on('gone', () => told.push('gone'));
  /** Attach a receiver that was just made. */
  const attach = () => {
    const receiver = /** @type {any} */ ({ transform: null });
    const feed = source.attach(receiver);
    feed?.on('failed', ({ reason }) => told.push(reason));
    return { receiver, feed };
  };
  /** Ports answer in turns of the real loop. @param {number} ms */
  const pass = async (ms) => {
    for (let done = 0; done < ms; done += 50) {
      await clock.advance(50);
      await new Promise((next) => setImmediate(next));
      await new Promise((next) => setImmediate(next));
    }
  };
  return { source, clock, workers, transforms, told, attach, pass };
}

/** @param {ReturnType<typeof world>} there */
async function prepared(there) {
  const ready = there.source.prepare();
  await there.clock.advance(30);
  assert.equal(await ready, true);
  const { receiver, feed } = there.attach();
  assert.ok(feed);
  return { receiver, feed, worker: /** @type {FakeWorker} */ (there.workers[0]) };
}

test('no receiver gets a transform before the worker has said that it runs', async () => {
  const there = world();
  const { receiver, feed } = there.attach();
  assert.equal(feed, null);
  assert.equal(receiver.transform, null);
  await prepared(there);
  there.source.close();
});

test('a worker that cannot be started is given up without harm', async () => {
  const there = world({ starts: () => false });
  const ready = there.source.prepare();
  await there.clock.advance(5000);
  assert.equal(await ready, false);
  assert.equal(there.source.isSupported, false);
  assert.equal(there.attach().feed, null);
  assert.equal(there.workers[0]?.terminated, true);
  assert.equal(there.clock.pending, 0);
});

test('a policy that forbids workers, and a browser that refuses transforms, do no harm', async () => {
  const clock = new VirtualClock();
  const forbid = () => {
    throw new DOMException('forbidden', 'SecurityError');
  };
  const worker = new FakeWorker(clock);
  const platform = { createTransform: forbid, setTimer: clock.setTimer, clearTimer: clock.clearTimer };
  const forbidden = new FrameSource({ ...platform, createFramesWorker: forbid });
  assert.equal(await forbidden.prepare(), false);
  assert.equal(forbidden.isSupported, false);
  const source = new FrameSource({
    ...platform,
    createFramesWorker: () => /** @type {any} */ (worker),
  });
  const ready = source.prepare();
  worker.onmessage?.({ data: 'ready' });
  assert.equal(await ready, true);
  assert.equal(source.attach(/** @type {any} */ ({})), null);
  assert.equal(clock.pending, 0);
});

test('a worker that answers is left alone, and one that does not is replaced', async () => {
  const there = world();
  const { receiver, feed, worker } = await prepared(there);
  let rebound = 0;
  feed.on('rebound', () => (rebound += 1));
  await there.pass(5000);
  assert.equal(there.workers.length, 1);
  assert.deepEqual([worker.asked, rebound], [5, 0]);
  worker.alive = false;
  await there.pass(2100);
  assert.deepEqual(there.told, ['worker']);
  assert.equal(there.workers.length, 2);
  assert.equal(receiver.transform.entry, there.transforms[1]);
  await there.pass(5000);
  assert.deepEqual([there.workers.length, rebound], [2, 1]);
  there.source.close();
  assert.equal(there.clock.pending, 0);
});

test('when nothing is heard any more a dead worker is replaced within 200 ms, for all', async () => {
  const there = world();
  const { worker, receiver } = await prepared(there);
  const other = there.attach();
  worker.alive = false;
  there.source.suspect();
  there.source.suspect();
  await there.pass(200);
  assert.deepEqual(there.told, ['worker', 'worker']);
  assert.equal(worker.terminated, true);
  assert.equal(there.workers.length, 2, 'one spare worker, started while it was in doubt');
  const bound = there.transforms.slice(2).map((entry) => entry.worker);
  assert.deepEqual(bound, [there.workers[1], there.workers[1]]);
  assert.ok(receiver.transform !== other.receiver.transform);
  there.source.close();
});

test('a suspicion without ground changes nothing, were the answer late as well', async () => {
  const there = world();
  const { worker } = await prepared(there);
  for (const lateMs of [0, 50, 100]) {
    worker.lateMs = lateMs;
    there.source.suspect();
    await there.pass(500);
  }
  assert.deepEqual(there.told, []);
  assert.equal(worker.terminated, false);
  assert.ok(there.workers.slice(1).every(({ terminated }) => terminated), 'spare ones are ended');
  there.source.close();
  assert.equal(there.clock.pending, 0);
});

test('each worker that was replaced makes it more patient', async () => {
  const there = world();
  await prepared(there);
  /** @type {number[]} */
  const tookMs = [];
  for (const nth of [0, 1, 2]) {
    /** @type {FakeWorker} */ (there.workers[nth]).alive = false;
    there.source.suspect();
    const begun = there.clock.now();
    while (there.told.length <= nth) await there.pass(50);
    tookMs.push(there.clock.now() - begun);
    await there.pass(100);
  }
  assert.deepEqual(tookMs, [150, 300, 600]);
  there.source.close();
});

test('when no other worker starts either, only a new connection helps', async () => {
  const there = world({ starts: (number) => number === 1 });
  const { worker } = await prepared(there);
  worker.alive = false;
  await there.pass(8000);
  assert.deepEqual(there.told, ['worker', 'gone']);
  assert.equal(there.source.isSupported, false);
  assert.equal(there.clock.pending, 0);
});

test('who leaves when the worker fails is let go, and a new connection gets the new one', async () => {
  const there = world();
  const { worker, feed } = await prepared(there);
  feed.on('failed', () => feed.detach());
  worker.alive = false;
  there.source.suspect();
  await there.pass(300);
  assert.deepEqual([there.told, there.transforms.length], [['worker'], 1]);
  const { receiver } = there.attach();
  assert.equal(receiver.transform.entry.worker, there.workers[1]);
  there.source.close();
});

test('a browser that keeps losing frames on their way to a transform gets none any more', async () => {
  const there = world();
  assert.equal(there.source.distrust(), false); // nothing of ours is in the way
  await prepared(there);
  for (const isTheLast of [false, false, true]) {
    assert.ok(there.source.isSupported);
    assert.equal(there.source.distrust(), true);
    assert.equal(there.source.isSupported, !isTheLast);
  }
  assert.equal(there.attach().feed, null);
  assert.equal(there.source.distrust(), false);
  assert.equal(there.clock.pending, 0);
});

test('frames that are no Opus are a failure', async () => {
  const there = world();
  await prepared(there);
  there.transforms[0]?.port.postMessage({ type: 'unfit', detail: 'audio/red' });
  await there.pass(50);
  assert.deepEqual(there.told, ['codec']);
  there.source.close();
});

test('a sink for the frames goes to the worker, and nobody is asked once all are gone', async () => {
  const there = world();
  const { feed, worker } = await prepared(there);
  const { port1, port2 } = new MessageChannel();
  feed.connect({ port: port2 });
  await there.pass(50);
  assert.equal(there.transforms[0]?.heard[0].type, 'frames');
  port1.close();
  feed.detach();
  feed.connect(null);
  there.source.suspect();
  await there.pass(5000);
  assert.equal(worker.asked, 0);
  assert.deepEqual(there.told, []);
  assert.equal(there.clock.pending, 0);
  there.source.close();
});
