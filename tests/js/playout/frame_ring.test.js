import assert from 'node:assert/strict';
import test from 'node:test';

import { FrameRing } from '../../../webrtc/static/client/playout/frame_ring.js';
import { seeded } from './world.js';

/** @typedef {import('../../../webrtc/static/client/playout/types.js').EncodedFrame} EncodedFrame */

/** @param {number} number @param {number} [bytes] @returns {EncodedFrame} */
const frame = (number, bytes = 120) => ({
  sequence: number % 2 ** 16,
  timestamp: (number * 480) % 2 ** 32,
  payload: new Uint8Array(bytes).fill(number).buffer,
  arrivalMs: 1.7e12 + number / 7,
  handedMs: 1.7e12 + number,
});

/** Both ends of one ring, and what came out of it. */
function pair() {
  const memory = FrameRing.allocate();
  const [writer, reader] = [new FrameRing(memory), new FrameRing(memory)];
  /** @type {EncodedFrame[]} */
  const out = [];
  return { writer, out, drain: () => reader.drain((one) => out.push(one)) };
}

test('frames come out as they went in, in order and once, however they are drained', () => {
  const { writer, out, drain } = pair();
  const random = seeded(3);
  /** @type {EncodedFrame[]} */
  const sent = [];
  for (let number = 0; number < 5_000; number += 1) {
    const one = frame(number, 1 + Math.floor(random() * 1_400));
    sent.push(one);
    assert.equal(writer.put(one), true);
    if (random() < 0.1 || number % 40 === 0) drain();
  }
  drain();
  drain();
  assert.deepEqual(out, sent);
});

test('what came out stays as it is when its place is used again', () => {
  const { writer, out, drain } = pair();
  writer.put(frame(7));
  drain();
  for (let number = 0; number < 200; number += 1) {
    writer.put(frame(number));
    drain();
  }
  assert.deepEqual(out[0], frame(7));
});

test('a full ring takes nothing more and is thrown away: its reader had stopped', () => {
  const { writer, out, drain } = pair();
  let number = 0;
  while (writer.put(frame(number))) number += 1;
  assert.ok(number >= 60, 'half a second at least');
  assert.equal(writer.put(frame(number)), false);
  drain();
  assert.deepEqual(out, []);
  writer.put(frame(900));
  drain();
  assert.deepEqual(out, [frame(900)]);
});

test('counters wrap around', () => {
  const memory = FrameRing.allocate();
  new Int32Array(memory, 0, 2).fill(2 ** 31 - 3);
  const [writer, reader] = [new FrameRing(memory), new FrameRing(memory)];
  /** @type {number[]} */
  const out = [];
  for (let number = 0; number < 10; number += 1) {
    writer.put(frame(number));
    if (number % 3 === 0) reader.drain(({ sequence }) => out.push(sequence));
  }
  assert.deepEqual(out, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('a payload that no packet holds is refused', () => {
  const { writer, out, drain } = pair();
  assert.equal(writer.put(frame(1, 4_000)), false);
  drain();
  assert.deepEqual(out, []);
});
