import assert from 'node:assert/strict';
import test from 'node:test';

import { MediaMachine } from '../../webrtc/static/client/media_machine.js';

function fresh() {
  const machine = new MediaMachine({ random: () => 0.5 });
  machine.handle('signalingUp', 0);
  return machine;
}

function up() {
  const machine = fresh();
  assert.deepEqual(machine.handle('want', 0), ['renew']);
  machine.handle('settled', 0);
  machine.handle('up', 0);
  assert.equal(machine.state, 'connected');
  return machine;
}

/** @param {MediaMachine} machine */
const wake = (machine) => /** @type {number} */ (machine.pollTimeout());

test('a change of direction is offered on the connection that works', () => {
  assert.deepEqual(up().handle('want', 0), ['offer']);
});

test('a short stutter needs nothing', () => {
  const machine = up();
  machine.handle('shaky', 0);
  assert.deepEqual(machine.handle('up', 1000), []);
  assert.equal(machine.pollTimeout(), null);
});

test('a longer one restarts ICE on the same connection', () => {
  const machine = up();
  machine.handle('shaky', 0);
  assert.equal(wake(machine), 1500);
  assert.deepEqual(machine.handleTimer(1500), ['restart']);
  machine.handle('up', 1700);
  assert.equal(machine.state, 'connected');
});

test('a restart that does not help is followed by a new connection', () => {
  const machine = up();
  machine.handle('networkChanged', 0);
  assert.equal(machine.state, 'restarting');
  assert.deepEqual(machine.handleTimer(wake(machine)), ['renew']);
});

test('a dead connection and a lost server half are renewed at once', () => {
  for (const input of /** @type {const} */ (['failed', 'reset'])) {
    const machine = up();
    assert.deepEqual(machine.handle(input, 0), ['renew']);
    assert.equal(machine.state, 'connecting');
  }
});

test('attempts without success come at growing distances', () => {
  const machine = fresh();
  machine.handle('want', 0);
  let now = 0;
  const pauses = [];
  for (let attempt = 0; attempt < 6; attempt += 1) {
    machine.handle('failed', now);
    assert.equal(machine.state, 'retrying');
    pauses.push(wake(machine) - now);
    now = wake(machine);
    assert.deepEqual(machine.handleTimer(now), ['renew']);
  }
  assert.deepEqual(
    [...pauses].sort((a, b) => a - b),
    pauses,
  );
});

test('connecting that takes too long counts as failed', () => {
  const machine = fresh();
  machine.handle('want', 0);
  assert.deepEqual(machine.handleTimer(8000), []);
  assert.equal(machine.state, 'retrying');
});

test('nothing is sent while signaling is away, and the strongest step then goes first', () => {
  const machine = up();
  machine.handle('signalingDown', 0);
  assert.deepEqual(machine.handle('want', 0), []);
  assert.deepEqual(machine.handle('networkChanged', 0), []);
  assert.equal(machine.pollTimeout(), null);
  assert.deepEqual(machine.handle('failed', 0), []);
  assert.deepEqual(machine.handle('signalingUp', 5000), ['renew']);
  assert.equal(wake(machine), 5000 + 8000);
});

test('a working connection outlives a lost socket untouched', () => {
  const machine = up();
  machine.handle('signalingDown', 0);
  assert.deepEqual(machine.handle('signalingUp', 3000), []);
  assert.equal(machine.state, 'connected');
});

test('an offer that the lost socket took with it is made again', () => {
  const machine = fresh();
  machine.handle('want', 0);
  machine.handle('signalingDown', 10);
  assert.deepEqual(machine.handle('signalingUp', 20), ['renew']);
});

test('once nothing is wanted, nothing happens', () => {
  const machine = up();
  assert.deepEqual(machine.handle('unwant', 0), ['close']);
  for (const input of /** @type {const} */ ([
    'failed',
    'shaky',
    'reset',
    'networkChanged',
    'up',
    'unwant',
  ])) {
    assert.deepEqual(machine.handle(input, 0), [], input);
    assert.equal(machine.state, 'idle');
  }
});

test('a change that is put off is offered again after a pause, without a new connection', () => {
  const machine = up();
  machine.handle('want', 0);
  machine.handle('delayed', 0);
  assert.equal(machine.isSettled, false);
  assert.ok(wake(machine) > 0);
  assert.deepEqual(machine.handleTimer(wake(machine)), ['offer']);
  machine.handle('settled', 1000);
  assert.equal(machine.isSettled, true);
});
