import assert from 'node:assert/strict';
import test from 'node:test';

import { LossWatch } from '../../../webrtc/static/client/playout/loss_watch.js';

/**
 * @param {LossWatch} watch
 * @param {number} frames
 * @param {number} every One in so many is lost; 0: none.
 * @param {boolean} repairs
 */
function hear(watch, frames, every, repairs) {
  for (let index = 0; index < frames; index += 1) {
    if (repairs) watch.repairsCome(960);
    watch.played(every > 0 && index % every === 0 ? 1 : 0);
  }
}

test('loss that can be repaired is worth one frame of delay, until it is over', () => {
  const watch = new LossWatch();
  hear(watch, 400, 20, true);
  assert.equal(watch.extensionS, 0.02);
  hear(watch, 600, 0, true);
  assert.equal(watch.extensionS, 0);
});

test('repairs that no longer come are not waited for', () => {
  const watch = new LossWatch();
  hear(watch, 400, 20, true);
  hear(watch, 510, 20, false);
  assert.equal(watch.extensionS, 0);
});

test('loss without repairs, and repairs without loss, are worth nothing', () => {
  const lossy = new LossWatch();
  hear(lossy, 400, 20, false);
  assert.equal(lossy.extensionS, 0);
  assert.ok(lossy.watching);
  const clean = new LossWatch();
  hear(clean, 400, 0, true);
  assert.equal(clean.extensionS, 0);
  assert.ok(!clean.watching);
});
