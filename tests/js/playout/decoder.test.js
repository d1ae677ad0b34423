/**
 * The decoder with the real libopus: its answers are held against the encoder's input.
 */

import assert from 'node:assert/strict';
import test from 'node:test';

import { OpusDecoder } from '../../../webrtc/static/client/playout/decoder.js';
import { carriesFec, samplesOf } from '../../../webrtc/static/client/playout/opus_packet.js';
import { encoded, libopus } from './libopus.js';

const FRAME = 480;
const library = await libopus();

/** @param {Uint8Array[]} packets */
function decodeAll(packets) {
  const decoder = new OpusDecoder(library);
  const left = new Float32Array(packets.length * 960);
  const right = new Float32Array(packets.length * 960);
  let at = 0;
  for (const packet of packets) at += decoder.decode(packet, left, right, at);
  decoder.free();
  return { left: left.subarray(0, at), right: right.subarray(0, at) };
}

/**
 * Correlation of two pieces of sound, −1 to 1, at the best of a few delays.
 *
 * @param {(index: number) => number} one
 * @param {Float32Array} other
 */
function likeness(one, other) {
  let best = -1;
  for (let lag = 0; lag < 400; lag += 1) {
    let [product, own, its] = [0, 0, 0];
    for (let index = 2_000; index < other.length - 400; index += 1) {
      const [a, b] = [one(index - lag), other[index] ?? 0];
      product += a * b;
      own += a * a;
      its += b * b;
    }
    best = Math.max(best, product / Math.sqrt(own * its));
  }
  return best;
}

const leftTone = (/** @type {number} */ index) => 0.4 * Math.sin(index * 0.0576);
const rightTone = (/** @type {number} */ index) => 0.2 * Math.sin(index * 0.031);

test('both channels come out as they went in', async () => {
  const { left, right } = decodeAll(await encoded(30, FRAME, leftTone, rightTone));
  assert.equal(left.length, 30 * FRAME);
  assert.ok(likeness(leftTone, left) > 0.99);
  assert.ok(likeness(rightTone, right) > 0.99);
});

test('what is lost is made up from what was before, and dies away', async () => {
  const packets = await encoded(30, FRAME, leftTone, rightTone);
  const decoder = new OpusDecoder(library);
  const left = new Float32Array(4_800);
  const right = new Float32Array(4_800);
  for (const packet of packets) decoder.decode(packet, left, right, 0);
  const before = left.subarray(0, FRAME).reduce((sum, value) => sum + value * value, 0);
  assert.equal(decoder.conceal(FRAME, left, right, 0), FRAME);
  const made = left.subarray(0, FRAME).reduce((sum, value) => sum + value * value, 0);
  assert.ok(made > before / 4);
  for (let more = 0; more < 30; more += 1) decoder.conceal(FRAME, left, right, 0);
  const late = left.subarray(0, FRAME).reduce((sum, value) => sum + value * value, 0);
  assert.ok(late < before / 50);
  decoder.free();
});

test('a copy in the next packet says what was lost', async () => {
  const chirp = (/** @type {number} */ index) =>
    0.4 * Math.sin(index * 0.02) * Math.sin(index * 0.0007);
  const packets = await encoded(60, 960, chirp, chirp, { speech: true });
  const carrier = packets.findIndex((packet, index) => index > 20 && carriesFec(packet));
  assert.ok(carrier > 0, 'the encoder made no copies');
  const decoder = new OpusDecoder(library);
  const plain = new Float32Array(960);
  const repaired = new Float32Array(960);
  const concealed = new Float32Array(960);
  const unused = new Float32Array(960);
  /** @param {number} count */
  const upTo = (count) => {
    decoder.reset();
    for (const packet of packets.slice(0, count)) decoder.decode(packet, plain, unused, 0);
  };
  upTo(carrier - 1);
  decoder.conceal(960, concealed, unused, 0);
  upTo(carrier - 1);
  const next = /** @type {Uint8Array} */ (packets[carrier]);
  assert.equal(decoder.decodeFec(next, 960, repaired, unused, 0), 960);
  upTo(carrier);
  const error = (/** @type {Float32Array} */ guess) =>
    guess.reduce((sum, value, index) => sum + (value - (plain[index] ?? 0)) ** 2, 0);
  assert.ok(error(repaired) < error(concealed) / 2);
  decoder.free();
});

test('a decoder that was reset equals a new one', async () => {
  const packets = await encoded(10, FRAME, leftTone, rightTone);
  const used = new OpusDecoder(library);
  const [one, other, unused] = [0, 0, 0].map(() => new Float32Array(FRAME));
  assert.ok(one && other && unused);
  for (const packet of packets) used.decode(packet, one, unused, 0);
  used.reset();
  const fresh = new OpusDecoder(library);
  for (const packet of packets) {
    used.decode(packet, one, unused, 0);
    fresh.decode(packet, other, unused, 0);
    assert.deepEqual(one, other);
  }
  used.free();
  fresh.free();
});

test('rubbish is answered with a code, and sound goes on after it', async () => {
  const packets = await encoded(5, FRAME, leftTone, rightTone);
  const decoder = new OpusDecoder(library);
  const plane = new Float32Array(6_000);
  assert.ok(decoder.decode(new Uint8Array(0), plane, plane, 0) < 0);
  assert.ok(decoder.decode(new Uint8Array(4_001), plane, plane, 0) < 0);
  assert.ok(decoder.decode(Uint8Array.of(0xff, 0xff, 0xff), plane, plane, 0) < 0);
  assert.ok(decoder.conceal(77, plane, plane, 0) < 0);
  for (const packet of packets) {
    assert.equal(decoder.decode(packet, plane, plane, 0), samplesOf(packet));
  }
  decoder.free();
});

test('decoders come and go without the memory growing', async () => {
  const bytes = library.HEAPU8.length;
  for (let round = 0; round < 3_000; round += 1) new OpusDecoder(library).free();
  assert.equal(library.HEAPU8.length, bytes);
});
