import assert from 'node:assert/strict';
import test from 'node:test';

import { SessionMachine } from '../../webrtc/static/client/session_machine.js';

const OPEN = { effect: 'open', limitMs: 5000 };
const REOPEN = { effect: 'open', limitMs: 1500 };
const CLOSE = { effect: 'close' };

function connected() {
  const machine = new SessionMachine({ random: () => 0.5 });
  assert.deepEqual(machine.handle('connect', 0), [OPEN]);
  assert.deepEqual(machine.handle('socketUp', 0), []);
  return machine;
}

function joined() {
  const machine = connected();
  assert.deepEqual(machine.handleJoin(false), [{ effect: 'join', resume: false }]);
  machine.handle('joinOk', 0);
  return machine;
}

/** @param {SessionMachine} machine */
const wake = (machine) => /** @type {number} */ (machine.pollTimeout());

test('a lost socket is opened again after a pause, and the room resumed', () => {
  const machine = joined();
  assert.deepEqual(machine.handle('socketDown', 1000), []);
  assert.equal(machine.state, 'waiting');
  assert.equal(machine.isReturning, true);
  assert.deepEqual(machine.handleTimer(wake(machine) - 1), []);
  assert.deepEqual(machine.handleTimer(wake(machine)), [REOPEN]);
  assert.deepEqual(machine.handle('socketUp', 2000), [{ effect: 'join', resume: true }]);
  machine.handle('joinOk', 2000);
  assert.equal(machine.state, 'joined');
  assert.equal(machine.isReturning, false);
});

test('a refused resume token is followed by one join without it', () => {
  const machine = joined();
  machine.handle('socketDown', 0);
  machine.handle('online', 0);
  machine.handle('socketUp', 0);
  assert.deepEqual(machine.handleJoinRefused('resume_failed', 0), [
    { effect: 'join', resume: false },
  ]);
  assert.equal(machine.state, 'rejoining');
  assert.deepEqual(machine.handleJoinRefused('resume_failed', 0), []);
  assert.equal(machine.state, 'connected');
});

test('a room that refuses us is not asked for again', () => {
  const machine = joined();
  machine.handle('socketDown', 0);
  machine.handle('online', 0);
  machine.handle('socketUp', 0);
  assert.deepEqual(machine.handleJoinRefused('room_full', 0), []);
  assert.equal(machine.state, 'connected');
  machine.handle('socketDown', 0);
  machine.handle('online', 0);
  assert.deepEqual(machine.handle('socketUp', 0), []);
});

test('a refusal that passes leads to another try, with the token', () => {
  for (const reason of ['timeout', 'draining', 'worker_unavailable']) {
    const machine = joined();
    machine.handle('socketDown', 0);
    machine.handle('online', 0);
    machine.handle('socketUp', 0);
    assert.deepEqual(machine.handleJoinRefused(reason, 0), [CLOSE]);
    assert.equal(machine.state, 'waiting');
    machine.handleTimer(wake(machine));
    assert.deepEqual(machine.handle('socketUp', 0), [{ effect: 'join', resume: true }]);
  }
});

test('a first join that is refused is not repeated by itself', () => {
  const machine = connected();
  machine.handleJoin(false);
  assert.deepEqual(machine.handleJoinRefused('timeout', 0), []);
  assert.equal(machine.state, 'connected');
});

test('pauses grow, and a connection resets them', () => {
  const machine = joined();
  let now = 0;
  const pauses = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    machine.handle('socketDown', now);
    pauses.push(wake(machine) - now);
    now = wake(machine);
    machine.handleTimer(now);
  }
  assert.deepEqual(
    [...pauses].sort((a, b) => a - b),
    pauses,
  );
  assert.ok(/** @type {number} */ (pauses.at(-1)) <= 8000);
  machine.handle('socketUp', now);
  machine.handle('socketDown', now);
  assert.equal(wake(machine) - now, pauses[0]);
});

test('coming back waits for an answer longer each time, and at first only for a moment', () => {
  const machine = joined();
  machine.handle('socketDown', 0);
  const limits = [];
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const now = wake(machine);
    for (const effect of machine.handleTimer(now)) {
      if (effect.effect === 'open') limits.push(effect.limitMs);
    }
    machine.handle('socketDown', now);
  }
  assert.deepEqual(limits, [1500, 2000, 4000, 5000, 5000]);
  machine.handle('online', 100_000);
  machine.handle('socketUp', 100_000);
  machine.handle('socketDown', 100_000);
  assert.deepEqual(machine.handleTimer(wake(machine)), [REOPEN]);
});

test('the network coming back ends the pause', () => {
  const machine = joined();
  machine.handle('socketDown', 0);
  assert.deepEqual(machine.handle('online', 1), [REOPEN]);
});

test('whoever leaves while away does not come back', () => {
  const machine = joined();
  machine.handle('socketDown', 0);
  machine.handle('leave', 0);
  machine.handle('online', 0);
  assert.deepEqual(machine.handle('socketUp', 0), []);
  assert.equal(machine.state, 'connected');
});

test('a join cut off by a lost socket is forgotten: its caller was told', () => {
  const machine = connected();
  machine.handleJoin(false);
  machine.handle('socketDown', 0);
  machine.handle('online', 0);
  assert.deepEqual(machine.handle('socketUp', 0), []);
});

test('a draining server is left after its time and a bit', () => {
  const machine = joined();
  machine.handleDrain(2000, 0);
  assert.equal(machine.state, 'joined');
  assert.ok(wake(machine) >= 2000 && wake(machine) <= 3000);
  assert.deepEqual(machine.handleTimer(wake(machine)), [CLOSE, REOPEN]);
  assert.deepEqual(machine.handle('socketUp', 3000), [{ effect: 'join', resume: true }]);
});

test('disconnecting forgets everything', () => {
  const machine = joined();
  assert.deepEqual(machine.handle('disconnect', 0), [CLOSE]);
  assert.equal(machine.pollTimeout(), null);
  machine.handle('connect', 0);
  assert.equal(machine.isReturning, false);
  assert.deepEqual(machine.handle('socketUp', 0), []);
});

test('joining needs a connection', () => {
  const machine = new SessionMachine({ random: () => 0 });
  assert.throws(() => machine.handleJoin(false), /disconnected/);
});

test('at most one socket is open or being opened, whatever happens', () => {
  const inputs = /** @type {const} */ ([
    'connect',
    'socketUp',
    'socketDown',
    'online',
    'joinOk',
    'leave',
    'disconnect',
  ]);
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const machine = new SessionMachine({ random });
  let open = 0;
  let now = 0;
  for (let step = 0; step < 5000; step += 1) {
    now += Math.floor(random() * 3000);
    const input = /** @type {(typeof inputs)[number]} */ (
      inputs[Math.floor(random() * inputs.length)]
    );
    if (input === 'socketUp' && machine.state !== 'connecting') continue;
    if (input === 'socketDown' && open === 0) continue;
    if (input === 'socketDown') open = 0;
    const timed = machine.handleTimer(now);
    const effects = [...timed, ...machine.handle(input, now)];
    if (machine.state === 'connected' && random() < 0.5) effects.push(...machine.handleJoin(false));
    for (const { effect } of effects) {
      if (effect === 'open') open += 1;
      if (effect === 'close') open = 0;
      assert.ok(open <= 1, `step ${step}: ${input}`);
    }
    const wantsSocket = !['disconnected', 'waiting'].includes(machine.state);
    assert.equal(open === 1, wantsSocket, `step ${step}: ${input} in ${machine.state}`);
  }
});
