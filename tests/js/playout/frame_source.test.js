import assert from 'node:assert/strict';
import test from 'node:test';

import { FrameSource } from '../../../webrtc/static/client/playout/frame_source.js';
import { VirtualClock, settle } from '../support.js';

/** A worker that says that it is ready, and answers pings while it lives. */
class FakeWorker {
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
      const worker = new FakeWorker();
      workers.push(worker);
      const ok = starts(workers.length);
      clock.setTimer(() => ok && worker.onmessage?.({ data: 'ready' }), 20);
      return /** @type {any} */ (worker);
    },
    createTransform: (worker, port) => {
      const entry = { worker: /** @type {any} */ (worker), port, heard: /** @type {any[]} */ ([]) };
      port.onmessage = ({ data }) => {
        entry.heard.push(data);
        if (data.type === 'ping' && entry.worker.alive) port.postMessage({ type: 'pong' });
      };
      transforms.push(entry);
      return /** @type {any} */ ({ entry });
    },
    setTimer: clock.setTimer,
    clearTimer: clock.clearTimer,
  });
  /** @type {string[]} */
  const told = [];
  source.on('failed', ({ reason }) => told.push(reason));
  source.on('gone', () => told.push('gone'));
  /** Ports answer in turns of the real loop. @param {number} ms */
  const pass = async (ms) => {
    for (let done = 0; done < ms; done += 50) {
      await clock.advance(50);
      await new Promise((next) => setImmediate(next));
      await new Promise((next) => setImmediate(next));
    }
  };
  return { source, clock, workers, transforms, told, pass };
}

const makeReceiver = () => /** @type {any} */ ({ transform: null });

/** @param {ReturnType<typeof world>} there */
async function prepared(there) {
  const ready = there.source.prepare();
  await there.clock.advance(30);
  assert.equal(await ready, true);
  const receiver = makeReceiver();
  assert.equal(there.source.attach(receiver), true);
  return receiver;
}

test('no receiver gets a transform before the worker has said that it runs', async () => {
  const there = world();
  const receiver = makeReceiver();
  assert.equal(there.source.attach(receiver), false);
  assert.equal(receiver.transform, null);
  await prepared(there);
  there.source.close();
});

test('a worker that cannot be started is given up without harm', async () => {
  const there = world({ starts: () => false });
  const ready = there.source.prepare();
  await there.clock.advance(2000);
  assert.equal(await ready, false);
  assert.equal(there.source.isSupported, false);
  assert.equal(there.source.attach(makeReceiver()), false);
  assert.equal(there.workers[0]?.terminated, true);
  assert.equal(there.clock.pending, 0);
});

test('a policy that forbids workers, and a browser that refuses transforms, do no harm', async () => {
  const clock = new VirtualClock();
  const forbid = () => {
    throw new DOMException('forbidden', 'SecurityError');
  };
  const worker = new FakeWorker();
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
  assert.equal(source.attach(makeReceiver()), false);
  assert.equal(source.isAttached, false);
  assert.equal(clock.pending, 0);
});

test('a worker that answers is left alone, and one that does not is replaced', async () => {
  const there = world();
  const receiver = await prepared(there);
  await there.pass(5000);
  assert.equal(there.workers.length, 1);
  const first = /** @type {FakeWorker} */ (there.workers[0]);
  first.alive = false;
  await there.pass(2000);
  assert.deepEqual(there.told, ['worker']);
  assert.equal(there.workers.length, 2);
  assert.equal(receiver.transform.entry, there.transforms[1]);
  await there.pass(5000);
  assert.equal(there.workers.length, 2);
  there.source.close();
});

test('when no other worker starts either, only a new connection helps', async () => {
  const there = world({ starts: (number) => number === 1 });
  await prepared(there);
  /** @type {FakeWorker} */ (there.workers[0]).alive = false;
  await there.pass(5000);
  assert.deepEqual(there.told, ['worker', 'gone']);
  assert.equal(there.source.isSupported, false);
});

test('a connection that comes while a worker is replaced gets the new one', async () => {
  const there = world();
  await prepared(there);
  /** @type {FakeWorker} */ (there.workers[0]).alive = false;
  while (there.told.length === 0) await there.pass(50);
  await there.clock.advance(30);
  const next = makeReceiver();
  there.source.attach(next);
  await settle();
  assert.equal(next.transform.entry, there.transforms.at(-1));
  there.source.close();
});

test('frames that are no Opus are a failure', async () => {
  const there = world();
  await prepared(there);
  there.transforms[0]?.port.postMessage({ type: 'unfit', detail: 'audio/red' });
  await there.pass(50);
  assert.deepEqual(there.told, ['codec']);
  there.source.close();
});

test('a port for the frames goes to the worker, and nothing is asked of a closed one', async () => {
  const there = world();
  await prepared(there);
  const { port1, port2 } = new MessageChannel();
  there.source.connect(port2);
  await there.pass(50);
  assert.equal(there.transforms[0]?.heard[0].type, 'frames');
  port1.close();
  there.source.detach();
  there.source.connect(null);
  await there.pass(5000);
  assert.deepEqual(there.told, []);
  assert.equal(there.clock.pending, 0);
  there.source.close();
});
