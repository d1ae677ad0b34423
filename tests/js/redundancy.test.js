import assert from 'node:assert/strict';
import test from 'node:test';

import { RedundancyPolicy } from '../../webrtc/static/client/redundancy.js';

/** A policy, and a network that it is told of every two seconds: 200 packets are sent in each. */
function makeUplink() {
  const policy = new RedundancyPolicy();
  const reading = { atMs: 0, packetsSent: 0, packetsLost: 0 };
  policy.report({ ...reading });
  return {
    policy,
    reading,
    /** @param {number} loss @param {number} seconds @param {number} [packets] */
    lose(loss, seconds, packets = 200) {
      for (let s = 0; s < seconds; s += 2) {
        reading.atMs += 2000;
        reading.packetsSent += packets;
        reading.packetsLost += Math.round(packets * loss);
        policy.report({ ...reading });
      }
      return policy.isOn;
    },
  };
}

test('it begins without redundancy and stays so on a clean network', () => {
  const uplink = makeUplink();
  assert.equal(uplink.policy.isOn, false);
  assert.equal(uplink.lose(0, 3600), false);
});

test('losses that go on are answered after a few seconds', () => {
  const uplink = makeUplink();
  assert.equal(uplink.lose(0.1, 2), false);
  assert.equal(uplink.lose(0.1, 2), true);
});

test('losses that nobody hears are borne', () => {
  assert.equal(makeUplink().lose(0.015, 3600), false);
});

test('a single burst asks for nothing, however bad', () => {
  const uplink = makeUplink();
  for (let i = 0; i < 20; i += 1) {
    assert.equal(uplink.lose(0.5, 2), false);
    assert.equal(uplink.lose(0, 4), false);
  }
});

test('it ends only after the network has been good for long', () => {
  const uplink = makeUplink();
  uplink.lose(0.04, 10);
  assert.equal(uplink.lose(0, 18), true);
  assert.equal(uplink.lose(0, 10), false);
});

test('a relapse makes it last', () => {
  const uplink = makeUplink();
  uplink.lose(0.04, 10);
  for (let i = 0; i < 10; i += 1) {
    assert.equal(uplink.lose(0, 14), true);
    assert.equal(uplink.lose(0.04, 2), true);
  }
});

test('losses between the limits change nothing, either way', () => {
  const uplink = makeUplink();
  assert.equal(uplink.lose(0.01, 600), false);
  uplink.lose(0.1, 10);
  assert.equal(uplink.lose(0.01, 600), true);
});

test('a muted microphone sends too little to judge by', () => {
  const uplink = makeUplink();
  uplink.lose(0.1, 2);
  assert.equal(uplink.lose(1, 6, 5), false);
  uplink.lose(0.1, 10);
  assert.equal(uplink.lose(0, 6, 5), true);
});

test('a reading without a new report of the server says nothing', () => {
  const uplink = makeUplink();
  uplink.lose(0.1, 2);
  uplink.policy.report({ ...uplink.reading, packetsSent: uplink.reading.packetsSent + 100 });
  assert.equal(uplink.lose(0.1, 2), true);
});

test('a new connection goes on where the old one was, its counters at zero', () => {
  const uplink = makeUplink();
  uplink.lose(0, 3600);
  uplink.lose(0.1, 10);
  uplink.reading.packetsSent = 0;
  uplink.reading.packetsLost = 0;
  assert.equal(uplink.lose(0.1, 2), true);
  assert.equal(uplink.lose(0, 40), false);
});

test('always and never mean it, and auto begins anew', () => {
  const uplink = makeUplink();
  uplink.lose(0.1, 10);
  uplink.policy.setMode('never');
  assert.equal(uplink.lose(0.5, 20), false);
  uplink.policy.setMode('always');
  assert.equal(uplink.lose(0, 60), true);
  uplink.policy.setMode('auto');
  assert.equal(uplink.policy.isOn, false);
  assert.equal(uplink.lose(0.1, 6), true);
});
