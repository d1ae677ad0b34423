import assert from 'node:assert/strict';
import test from 'node:test';

import { HISTORY, SampleLine } from '../../../webrtc/static/client/playout/sample_line.js';

/**
 * Append `count` numbers from `next` on.
 *
 * @param {SampleLine} line
 * @param {number} next
 * @param {number} count
 */
function append(line, next, count) {
  const at = line.room(count);
  for (let index = 0; index < count; index += 1) {
    line.left[at + index] = next + index;
    line.right[at + index] = -(next + index);
  }
  line.end += count;
}

test('what is appended is read in order for ever, with what was played behind it', () => {
  const line = new SampleLine();
  let written = 0;
  let read = 0;
  for (let round = 0; round < 200; round += 1) {
    append(line, written, 960);
    written += 960;
    const played = round % 3 === 0 ? 1_920 : 480;
    for (let left = Math.min(played, line.waiting); left > 0; left -= 1) {
      assert.equal(line.left[line.head], read);
      assert.equal(line.right[line.head], -read);
      line.head += 1;
      read += 1;
    }
    const known = Math.min(line.known(line.head), HISTORY);
    assert.equal(known, Math.min(read, HISTORY));
    assert.equal(line.left[line.head - known], read - known);
  }
});

test('cleared, nothing waits, nothing is known, and silence is behind', () => {
  const line = new SampleLine();
  append(line, 1, 5_000);
  line.head += 4_000;
  line.clear();
  assert.deepEqual([line.waiting, line.known(line.head)], [0, 0]);
  assert.ok(line.left.subarray(0, line.head).every((value) => value === 0));
});

test('samples are taken out, and room is made, in both channels', () => {
  const line = new SampleLine();
  append(line, 0, 100);
  line.cut(line.head + 10, 20);
  line.open(line.head + 50, 5);
  const left = [...line.left.subarray(line.head, line.end)];
  const expected = [...Array(100).keys()].filter((value) => value < 10 || value >= 30);
  expected.splice(50, 0, ...expected.slice(50, 55)); // as it was: to be filled
  assert.deepEqual(left, expected);
  assert.deepEqual([...line.right.subarray(line.head, line.end)], expected.map((value) => -value));
});
