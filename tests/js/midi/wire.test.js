import assert from 'node:assert/strict';
import test from 'node:test';

import { MidiReader, encode, modeOf, notchesOf } from '../../../webrtc/static/app/midi/wire.js';

/** @param {...number[]} messages */
const read = (...messages) => {
  const reader = new MidiReader();
  return messages.map((message) => reader.read(message)).at(-1) ?? null;
};

test('controllers, faders on pitch bend and keys have names and positions', () => {
  assert.deepEqual(read([0xb2, 7, 127]), { control: 'cc/2/7', position: 1, raw: 127, fine: false });
  assert.equal(read([0xb0, 40, 0])?.control, 'cc/0/40');
  assert.deepEqual(read([0xe1, 0x7f, 0x7f]), { control: 'bend/1', position: 1, raw: null, fine: true });
  assert.equal(read([0xe0, 0, 64])?.position, 8192 / 16383);
  assert.equal(read([0x90, 16, 127])?.position, 1);
  assert.equal(read([0x90, 16, 0])?.position, 0);
  assert.equal(read([0x80, 16, 64])?.control, 'note/0/16');
  assert.equal(read([0xf8]), null);
  assert.equal(read([]), null);
});

test('lower bits belong to the upper ones that came right before, and to no others', () => {
  assert.deepEqual(read([0xb0, 7, 64], [0xb0, 39, 1]), {
    control: 'cc/0/7',
    position: (64 * 128 + 1) / 16383,
    raw: null,
    fine: true,
  });
  assert.equal(read([0xb0, 7, 64], [0xb1, 39, 1])?.control, 'cc/1/39');
  assert.equal(read([0xb0, 7, 64], [0xb0, 8, 1], [0xb0, 39, 1])?.control, 'cc/0/39');
});

test('what is told to a device is what it would say itself', () => {
  for (const [control, fine] of /** @type {const} */ ([
    ['cc/3/7', false],
    ['cc/3/7', true],
    ['bend/5', true],
  ])) {
    for (let step = 0; step <= 127; step += 1) {
      const gesture = read(...encode(control, step / 127, fine));
      assert.equal(gesture?.control, control);
      assert.ok(Math.abs((gesture?.position ?? -1) - step / 127) < 1 / 16_000);
    }
  }
  assert.deepEqual(encode('note/0/16', 1, false), [[0x90, 16, 127]]);
  assert.deepEqual(encode('note/0/16', 0, false), [[0x90, 16, 0]]);
});

test('knobs that turn for ever are told from faders', () => {
  assert.equal(modeOf([1, 1, 1, 2]), 'twos');
  assert.equal(modeOf([127, 127, 126]), 'twos');
  assert.equal(modeOf([65, 65, 63, 63]), 'offset');
  assert.equal(modeOf([3, 2, 1, 0, 0]), 'absolute', 'a fader that comes to its end');
  assert.equal(modeOf([124, 125, 126, 127]), 'absolute');
  assert.equal(modeOf([62, 63, 64, 64, 65]), 'absolute', 'a fader that passes the middle');
  assert.equal(modeOf([1]), 'absolute');
  assert.equal(notchesOf(2, 'twos'), 2);
  assert.equal(notchesOf(127, 'twos'), -1);
  assert.equal(notchesOf(63, 'offset'), -1);
});
