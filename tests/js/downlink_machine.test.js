import assert from 'node:assert/strict';
import test from 'node:test';

import { DownlinkMachine } from '../../webrtc/static/client/downlink_machine.js';

/**
 * Looks at a machine every so often, at a stream that somebody else switches on and off.
 * @param {number} [everyMs]
 */
function watched(everyMs = 500) {
  const machine = new DownlinkMachine();
  /** @type {string[]} */
  const done = [];
  const it = {
    machine,
    done,
    now: 0,
    received: 7,
    /**
     * Look for so long at what brings something every `period` ms; `Infinity`: at silence.
     * @param {number} ms
     * @param {number} period
     */
    see(ms, period) {
      for (const end = it.now + ms; it.now < end; ) {
        const before = it.now;
        it.now += everyMs;
        if (Math.floor(it.now / period) > Math.floor(before / period)) it.received += 1;
        for (const effect of machine.look(it.received, it.now)) done.push(`${effect} ${it.now}`);
      }
    },
  };
  return it;
}

test('a steady stream that ends is asked about after 1.5 s and given up after three', () => {
  const it = watched();
  it.see(20_000, 20);
  it.see(10_000, Infinity);
  assert.deepEqual(it.done, ['ask 21500', 'giveUp 23000']);
});

test('hidden pages look once a second, and find it out as well', () => {
  const it = watched(1000);
  it.see(20_000, 20);
  it.see(10_000, Infinity);
  assert.deepEqual(it.done, ['ask 22000', 'giveUp 24000']);
});

test('whoever speaks again after a long pause is soon missed as quickly', () => {
  const it = watched();
  it.see(30_000, 2500);
  it.see(2000, 20);
  it.done.length = 0;
  it.see(10_000, Infinity);
  assert.deepEqual(it.done, ['ask 33500', 'giveUp 35000']);
});

test('reports once a second, to one who talks alone, are missed within five', () => {
  const it = watched();
  it.see(20_000, 1000);
  it.see(10_000, Infinity);
  assert.deepEqual(it.done, ['ask 22000', 'giveUp 23500']);
});

test('where nobody speaks, checks of the connection are waited for and nothing is asked', () => {
  const it = watched();
  it.see(20_000, 20);
  it.see(10_000, 2500);
  it.machine.answered(it.now);
  const asked = it.done.length;
  assert.ok(asked <= 2, `asked ${asked} times about one pause`);
  it.see(600_000, 2500);
  assert.equal(it.done.length, asked);
  assert.equal(it.machine.state, 'hearing');
});

test('whoever answers is not given up, and asked ever less often', () => {
  const it = watched();
  it.see(5000, 20);
  for (let second = 0; second < 60; second += 1) {
    it.see(1000, Infinity);
    it.machine.answered(it.now);
  }
  assert.ok(it.done.every((what) => what.startsWith('ask')));
  assert.ok(it.done.length <= 16, it.done.join());
});

test('what comes while an answer is waited for is one', () => {
  const it = watched();
  it.see(5000, 20);
  it.see(2500, Infinity);
  assert.equal(it.machine.state, 'asking');
  it.see(5000, 20);
  assert.deepEqual(it.done, ['ask 6500']);
  assert.equal(it.machine.state, 'hearing');
});

test('an answer that comes too late, or was not asked for, changes nothing', () => {
  const it = watched();
  it.machine.answered(0);
  assert.equal(it.machine.state, 'deaf');
  it.see(5000, 20);
  it.see(3500, Infinity);
  assert.deepEqual(it.done, ['ask 6500', 'giveUp 8000']);
  it.machine.answered(it.now);
  it.see(60_000, Infinity);
  assert.equal(it.done.length, 2);
});

test('who was never heard is neither asked nor given up', () => {
  const it = watched();
  it.see(60_000, Infinity);
  assert.deepEqual(it.done, []);
});

test('time in which nobody looked is no silence', () => {
  const it = watched();
  it.see(5000, 20);
  it.see(1000, Infinity);
  it.now += 3_600_000;
  it.see(60_000, Infinity); // the network is not back yet
  assert.deepEqual(it.done, []);
  it.see(5000, 20);
  it.see(1500, Infinity);
  assert.equal(it.machine.state, 'asking');
  it.now += 3000; // the page was busy: perhaps the answer waits behind this
  it.see(60_000, Infinity);
  assert.equal(it.done.length, 1);
});

test('another connection has its own count', () => {
  const it = watched();
  it.see(20_000, 2500);
  it.machine.reset();
  it.done.length = 0;
  it.received = 0;
  it.see(2000, 20);
  it.see(1500, Infinity);
  assert.deepEqual(it.done, ['ask 23500']);
});
