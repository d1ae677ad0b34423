import assert from 'node:assert/strict';
import test from 'node:test';

import { carriesFec, isDtx, samplesOf } from '../../../webrtc/static/client/playout/opus_packet.js';

/** @param {number[]} bytes */
const packet = (...bytes) => Uint8Array.from(bytes);

test('the length of a packet is that of its frames, by configuration and count', () => {
  const lengths = [480, 960, 1920, 2880].flatMap((samples) => [samples]);
  for (const base of [0, 4, 8]) {
    lengths.forEach((samples, index) => {
      assert.equal(samplesOf(packet((base + index) << 3, 0)), samples);
    });
  }
  assert.deepEqual(
    [12, 13, 14, 15].map((configuration) => samplesOf(packet(configuration << 3))),
    [480, 960, 480, 960],
  );
  assert.deepEqual(
    [28, 29, 30, 31].map((configuration) => samplesOf(packet(configuration << 3))),
    [120, 240, 480, 960],
  );
  assert.equal(samplesOf(packet((31 << 3) | 1, 0)), 1920);
  assert.equal(samplesOf(packet((31 << 3) | 2, 0)), 1920);
  assert.equal(samplesOf(packet((31 << 3) | 3, 6)), 5760);
});

test('a header that breaks the rules has no length', () => {
  assert.equal(samplesOf(packet()), 0);
  assert.equal(samplesOf(packet((31 << 3) | 3)), 0);
  assert.equal(samplesOf(packet((31 << 3) | 3, 0)), 0);
  assert.equal(samplesOf(packet((31 << 3) | 3, 7)), 0);
});

test('a header with at most one byte says silence', () => {
  assert.ok(isDtx(packet(0xfc)));
  assert.ok(isDtx(packet(0xfc, 0)));
  assert.ok(!isDtx(packet(0xfc, 0, 0)));
});

test('the copy is announced behind the voice flags of each 20 ms, for either channel', () => {
  const silk20 = 9 << 3;
  assert.ok(carriesFec(packet(silk20, 0b0100_0000, 0)));
  assert.ok(!carriesFec(packet(silk20, 0b1011_1111, 0)));
  const silk60 = 11 << 3;
  assert.ok(carriesFec(packet(silk60, 0b0001_0000, 0)));
  assert.ok(!carriesFec(packet(silk60, 0b1110_1111, 0)));
  const stereo20 = silk20 | 4;
  assert.ok(carriesFec(packet(stereo20, 0b0001_0000, 0)));
  assert.ok(!carriesFec(packet(silk20, 0b0001_0000, 0)));
});

test('music frames, silence and packets of several frames have no copy', () => {
  assert.ok(!carriesFec(packet(16 << 3, 0xff, 0)));
  assert.ok(!carriesFec(packet(9 << 3, 0xff)));
  assert.ok(!carriesFec(packet((9 << 3) | 1, 0xff, 0)));
});
