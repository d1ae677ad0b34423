import assert from 'node:assert/strict';
import test from 'node:test';

import { Uplink } from '../../webrtc/static/client/uplink.js';
import { VirtualClock } from './support.js';

/** An uplink that loses `loss` of 100 packets a second. */
function makeUplink() {
  const clock = new VirtualClock();
  const seen = { changes: 0, reads: 0, loss: 0, fails: false };
  let lost = 0;
  const uplink = new Uplink(
    {
      read: async () => {
        seen.reads += 1;
        if (seen.fails) throw new Error('closed');
        lost += seen.loss * 200;
        return { atMs: clock.now(), packetsSent: clock.now() / 10, packetsLost: lost };
      },
      changed: () => (seen.changes += 1),
    },
    clock,
  );
  return { uplink, clock, seen };
}

test('nothing is read while nobody speaks, or when the mode knows already', async () => {
  const { uplink, clock, seen } = makeUplink();
  await clock.advance(10000);
  uplink.follow(true);
  uplink.setMode('always');
  await clock.advance(10000);
  assert.equal(seen.reads, 0);
  assert.equal(clock.pending, 0);
  uplink.setMode('auto');
  await clock.advance(10000);
  assert.equal(seen.reads, 5);
  uplink.follow(false);
  await clock.advance(10000);
  assert.equal(seen.reads, 5);
  assert.equal(clock.pending, 0);
});

test('each change is told once', async () => {
  const { uplink, clock, seen } = makeUplink();
  uplink.follow(true);
  seen.loss = 0.1;
  await clock.advance(10000);
  assert.equal(uplink.wantsRedundancy, true);
  assert.equal(seen.changes, 1);
  seen.loss = 0;
  await clock.advance(60000);
  assert.equal(uplink.wantsRedundancy, false);
  assert.equal(seen.changes, 2);
});

test('only who speaks wants redundancy, and it begins anew with each broadcast', async () => {
  const { uplink, clock, seen } = makeUplink();
  seen.loss = 0.1;
  uplink.follow(true);
  await clock.advance(10000);
  uplink.follow(false);
  assert.equal(uplink.wantsRedundancy, false);
  uplink.follow(true);
  assert.equal(uplink.wantsRedundancy, false);
  uplink.setMode('always');
  assert.equal(uplink.wantsRedundancy, true);
});

test('a mode that makes no difference tells nothing', () => {
  const { uplink, seen } = makeUplink();
  uplink.setMode('always');
  assert.equal(seen.changes, 0);
  uplink.follow(true);
  uplink.setMode('never');
  uplink.setMode('auto');
  assert.equal(seen.changes, 1);
});

test('a reading that fails is tried again', async () => {
  const { uplink, clock, seen } = makeUplink();
  seen.fails = true;
  uplink.follow(true);
  await clock.advance(4000);
  seen.fails = false;
  seen.loss = 0.1;
  await clock.advance(10000);
  assert.equal(uplink.wantsRedundancy, true);
});

test('a reading that comes after the broadcast is over counts nothing', async () => {
  const clock = new VirtualClock();
  /** @type {() => void} */
  let release = () => {};
  const uplink = new Uplink(
    {
      read: () => new Promise((resolve) => (release = () => resolve(null))),
      changed: () => assert.fail('told of a change'),
    },
    clock,
  );
  uplink.follow(true);
  await clock.advance(2000);
  uplink.follow(false);
  release();
  await clock.advance(10000);
  assert.equal(clock.pending, 0);
});
