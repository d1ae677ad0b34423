import assert from 'node:assert/strict';
import test from 'node:test';

import { Counters } from '../../../webrtc/static/client/playout/counters.js';
import { FrameQueue } from '../../../webrtc/static/client/playout/frame_queue.js';
import { LossWatch } from '../../../webrtc/static/client/playout/loss_watch.js';

const EDGES = [0, 1, 32_767, 65_534, 65_535];

function empty() {
  const counters = new Counters();
  return { counters, queue: new FrameQueue(counters, new LossWatch()) };
}

/**
 * @param {FrameQueue} queue
 * @param {number} sequence
 * @param {number} timestamp
 * @param {number} [playedTo]
 */
function offer(queue, sequence, timestamp, playedTo = 0) {
  const frame = {
    sequence: sequence & 0xffff,
    timestamp: timestamp >>> 0,
    payload: new ArrayBuffer(3),
    arrivalMs: 0,
    handedMs: 0,
  };
  const queued = queue.admit(frame, 480, 0);
  if (queued !== null) queue.add(queued, playedTo);
  return queued;
}

/** @param {FrameQueue} queue */
const spacing = (queue) =>
  queue.frames.map(({ position }, index) => position - (queue.frames[index - 1]?.position ?? position));

for (const start of EDGES) {
  test(`numbers are extended over their wrap-around from ${start}`, () => {
    const { counters, queue } = empty();
    for (let index = 0; index < 6; index += 1) {
      offer(queue, start + index, 2 ** 32 - 960 + start * 480 + index * 480);
    }
    assert.deepEqual(spacing(queue), [0, 480, 480, 480, 480, 480]);
    for (let index = 0; index < 6; index += 1) queue.takeFirst();
    assert.equal(counters.lost, 0);
    assert.equal(counters.reordered, 0);
  });

  test(`frames that overtook each other at ${start} are put in order`, () => {
    const { counters, queue } = empty();
    for (const index of [1, 0, 3, 2, 5, 4]) offer(queue, start + index, index * 480);
    assert.deepEqual(spacing(queue), [0, 480, 480, 480, 480, 480]);
    assert.equal(counters.reordered, 3);
    assert.equal(counters.duplicates, 0);
  });

  test(`the same frame counts once, from ${start}`, () => {
    const { counters, queue } = empty();
    for (const index of [0, 1, 1, 0, 2, 2]) offer(queue, start + index, index * 480);
    assert.equal(queue.frames.length, 3);
    assert.equal(counters.duplicates, 3);
  });
}

test('what is missing between two frames was lost, a silence was not', () => {
  const { counters, queue } = empty();
  offer(queue, 0, 0);
  offer(queue, 3, 3 * 480);
  offer(queue, 4, 40 * 480);
  queue.takeFirst();
  assert.equal(queue.lostBeforeFirst, 2);
  queue.takeFirst();
  assert.equal(queue.lostBeforeFirst, 0);
  assert.equal(counters.lost, 2);
});

test('numbers skipped where no sound is missing were lost by nobody', () => {
  const { queue } = empty();
  offer(queue, 0, 0);
  offer(queue, 9, 480);
  queue.takeFirst();
  assert.equal(queue.lostBeforeFirst, 0);
});

test('frames whose turn is over are late', () => {
  const { counters, queue } = empty();
  const first = offer(queue, 0, 0);
  assert.ok(first);
  offer(queue, 1, 480, first.position + 960);
  assert.equal(counters.late, 1);
  assert.equal(queue.frames.length, 1);
  queue.dropLate(first.position + 480);
  assert.equal(counters.late, 2);
  assert.equal(queue.frames.length, 0);
});

test('the oldest give way to the bound of two seconds', () => {
  const { counters, queue } = empty();
  for (let index = 0; index < 300; index += 1) offer(queue, index, index * 480);
  assert.equal(queue.samples, 96_000);
  assert.equal(counters.dropped, 100);
});
