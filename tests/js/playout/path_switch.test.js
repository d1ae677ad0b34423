import assert from 'node:assert/strict';
import test from 'node:test';

import { PathSwitch } from '../../../webrtc/static/client/playout/path_switch.js';
import { playoutStats } from '../support.js';

/**
 * @typedef {import('../../../webrtc/static/client/playout/path_switch.js').PlayoutMode} PlayoutMode
 * @typedef {import('../../../webrtc/static/client/playout/types.js').PlayoutStats} PlayoutStats
 */

const REPORT_MS = 250;

/** A switch on a clock of its own, and the path that reports to it. */
class Scene {
  now = 0;
  stats = playoutStats();
  /** @type {{ at: number, path: string, reason: string }[]} */
  changes = [];
  /** Whether our own path is open, and what is heard, as the effects say. */
  isOpen = false;
  heard = 'browser';

  /** @param {PlayoutMode} [mode] */
  constructor(mode) {
    this.switch = new PathSwitch(mode);
  }

  /** @param {import('../../../webrtc/static/client/playout/path_switch.js').SwitchEffect[]} effects */
  do(effects) {
    for (const effect of effects) {
      if (effect === 'open') {
        assert.equal(this.isOpen, false);
        this.isOpen = true;
      }
      if (effect === 'fade') {
        const { path, reason } = this.switch;
        assert.notEqual(path, this.heard);
        if (path === 'low-latency') assert.equal(this.isOpen, true);
        this.heard = path;
        this.changes.push({ at: this.now, path, reason });
      }
      if (effect === 'close') {
        assert.equal(this.heard, 'browser');
        this.isOpen = false;
      }
    }
    assert.equal(this.heard, this.switch.path);
    return this;
  }

  start() {
    return this.do(this.switch.setObstacle(null, this.now));
  }

  /**
   * Let time pass; our own path reports while it is open.
   * @param {number} ms
   * @param {Partial<Record<keyof PlayoutStats, number>>} [perSecond] How counters grow.
   * @param {Partial<PlayoutStats>} [set] Figures of the moment.
   */
  pass(ms, perSecond = {}, set = {}) {
    const end = this.now + ms;
    while (this.now < end) {
      this.now += REPORT_MS;
      this.do(this.switch.handleTimer(this.now));
      const counts = { received: 100, ...perSecond };
      for (const [name, rate] of Object.entries(counts)) {
        const key = /** @type {'received'} */ (name);
        this.stats = { ...this.stats, [key]: this.stats[key] + (rate * REPORT_MS) / 1000 };
      }
      this.stats = { ...this.stats, ...set };
      if (this.isOpen) this.do(this.switch.report(this.stats, this.now));
    }
    return this;
  }

  get last() {
    const { path, reason } = this.switch;
    return { path, reason };
  }
}

test('our own path is taken once it plays, and not before', () => {
  const scene = new Scene().start();
  assert.deepEqual(scene.last, { path: 'browser', reason: 'starting' });
  scene.pass(2000, {}, { state: 'idle' });
  assert.equal(scene.heard, 'browser');
  scene.pass(1000, {}, { state: 'playing' });
  assert.equal(scene.heard, 'browser');
  scene.pass(REPORT_MS);
  assert.deepEqual(scene.last, { path: 'low-latency', reason: 'ready' });
});

test('while it runs dry it is not taken, unless that was asked for', () => {
  assert.equal(new Scene().start().pass(30_000, { underruns: 4 }).heard, 'browser');
  assert.equal(new Scene('low-latency').start().pass(REPORT_MS).heard, 'low-latency');
});

test('mode browser never opens it, and leaves it at once', () => {
  const scene = new Scene('browser').start().pass(10_000);
  assert.deepEqual([scene.isOpen, scene.changes], [false, []]);
  assert.deepEqual(scene.last, { path: 'browser', reason: 'chosen' });
  scene.do(scene.switch.setMode('auto', scene.now)).pass(2000);
  assert.equal(scene.heard, 'low-latency');
  scene.do(scene.switch.setMode('browser', scene.now));
  assert.deepEqual([scene.isOpen, scene.heard], [false, 'browser']);
  assert.deepEqual(scene.last, { path: 'browser', reason: 'chosen' });
});

for (const obstacle of /** @type {const} */ (['idle', 'unsupported', 'element', 'blocked'])) {
  test(`an obstacle closes it in every state: ${obstacle}`, () => {
    for (const ms of [0, 1000, 4000]) {
      const scene = new Scene().start().pass(ms);
      scene.do(scene.switch.setObstacle(obstacle, scene.now));
      assert.deepEqual([scene.isOpen, scene.heard], [false, 'browser']);
      assert.deepEqual(scene.last, { path: 'browser', reason: obstacle });
      scene.pass(60_000);
      assert.equal(scene.isOpen, false);
      scene.start().pass(2000);
      assert.equal(scene.heard, 'low-latency');
    }
  });
}

test('a short spell of loss or jitter changes nothing', () => {
  const scene = new Scene().start().pass(10_000);
  scene.pass(1500, { lost: 40 }).pass(10_000);
  scene.pass(2500, {}, { wantedMs: 90 }).pass(10_000, {}, { wantedMs: 20 });
  assert.equal(scene.changes.length, 1);
});

test('losses and jitter that this path is made for change nothing, however long', () => {
  const scene = new Scene().start();
  scene.pass(120_000, { received: 95, lost: 5 }, { wantedMs: 72 });
  assert.equal(scene.changes.length, 1);
});

for (const [what, perSecond, set] of /** @type {const} */ ([
  ['loss', { received: 80, lost: 20 }, {}],
  ['jitter', {}, { wantedMs: 95 }],
])) {
  test(`a poor network (${what}) is left to the browser until it is good again`, () => {
    const scene = new Scene().start().pass(5000);
    scene.pass(8000, perSecond, set);
    assert.deepEqual(scene.last, { path: 'browser', reason: 'network' });
    assert.equal(scene.isOpen, true, 'it stands by');
    scene.pass(60_000, perSecond, set);
    assert.equal(scene.changes.length, 2, 'poor as long as it is poor');
    scene.pass(12_000, {}, { wantedMs: 12 });
    assert.deepEqual(scene.last, { path: 'low-latency', reason: 'recovered' });
  });
}

test('it comes back when the network has been good for a while', () => {
  const scene = new Scene().start().pass(5000);
  scene.pass(8000, {}, { wantedMs: 95 });
  assert.equal(scene.heard, 'browser');
  scene.pass(4000, {}, { wantedMs: 12 });
  assert.equal(scene.heard, 'browser');
  scene.pass(4000, {}, { wantedMs: 12 });
  assert.deepEqual(scene.last, { path: 'low-latency', reason: 'recovered' });
});

test('the pauses grow with every way back that fails, up to two minutes', () => {
  const scene = new Scene().start().pass(2000);
  /** @type {number[]} */
  const pauses = [];
  for (let spell = 0; spell < 7; spell += 1) {
    scene.do(scene.switch.fail('decoder', scene.now));
    const from = scene.now;
    while (scene.heard === 'browser') scene.pass(REPORT_MS);
    pauses.push(scene.now - from);
  }
  assert.deepEqual(
    pauses.map((ms) => Math.round(ms / 1000)),
    [6, 11, 21, 41, 81, 121, 121],
  );
});

test('a minute without trouble begins the pauses anew', () => {
  const scene = new Scene().start().pass(2000);
  for (let spell = 0; spell < 3; spell += 1) {
    scene.do(scene.switch.fail('worklet', scene.now));
    scene.pass(7000);
    assert.equal(scene.heard, 'low-latency', `spell ${spell}`);
    scene.pass(61_000);
  }
});

test('a device that starves is given up, and closed', () => {
  const scene = new Scene().start().pass(4000);
  scene.pass(3000, { underruns: 4 });
  assert.deepEqual([scene.isOpen, scene.heard], [false, 'browser']);
  assert.deepEqual(scene.last, { path: 'browser', reason: 'underruns' });
});

test('in a hidden tab whose timers come once a minute it leaves and comes back all the same', () => {
  const scene = new Scene().start().pass(4000);
  const { handleTimer } = scene.switch;
  scene.switch.handleTimer = (now) => (now % 60_000 === 0 ? handleTimer.call(scene.switch, now) : []);
  scene.pass(600_000);
  assert.equal(scene.changes.length, 1);
  scene.pass(3000, { underruns: 4 });
  assert.deepEqual(scene.last, { path: 'browser', reason: 'underruns' });
  scene.pass(62_000);
  assert.deepEqual(scene.last, { path: 'low-latency', reason: 'recovered' });
});

test('running dry while it learns how much it takes is no starving', () => {
  const scene = new Scene().start().pass(1500).pass(1500, { underruns: 8 }).pass(30_000);
  assert.equal(scene.changes.length, 1);
});

test('running dry because hardly anything is sent is no starving', () => {
  const scene = new Scene().start().pass(3000);
  scene.pass(60_000, { received: 5, underruns: 5 });
  assert.equal(scene.heard, 'low-latency');
});

test('mode low-latency bears a poor network and a starving device, but no failure', () => {
  const scene = new Scene('low-latency').start().pass(1000);
  assert.deepEqual(scene.last, { path: 'low-latency', reason: 'chosen' });
  scene.pass(20_000, { underruns: 8, lost: 50 }, { wantedMs: 200 });
  assert.equal(scene.heard, 'low-latency');
  scene.do(scene.switch.fail('worker', scene.now));
  assert.deepEqual(scene.last, { path: 'browser', reason: 'worker' });
  scene.pass(6000);
  assert.equal(scene.heard, 'low-latency');
});

test('mode low-latency takes it back from a poor network at once', () => {
  const scene = new Scene().start().pass(2000).pass(8000, {}, { wantedMs: 95 });
  assert.equal(scene.heard, 'browser');
  scene.do(scene.switch.setMode('low-latency', scene.now));
  assert.deepEqual(scene.last, { path: 'low-latency', reason: 'chosen' });
});

test('frames that cannot be decoded, and reports that stop, are failures', () => {
  const broken = new Scene().start().pass(3000);
  broken.pass(1500, { decodeErrors: 4 });
  assert.deepEqual(broken.last, { path: 'browser', reason: 'decoder' });

  const silent = new Scene().start().pass(3000);
  const at = silent.switch.pollTimeout() ?? 0;
  assert.ok(at > silent.now);
  silent.do(silent.switch.handleTimer(at));
  assert.deepEqual(silent.last, { path: 'browser', reason: 'silent' });
});

test('a path that never reports is given up in a while, and tried again', () => {
  const scene = new Scene().start();
  const at = scene.switch.pollTimeout() ?? 0;
  assert.ok(at >= 5000, 'a slow machine takes seconds');
  scene.do(scene.switch.handleTimer(at));
  assert.deepEqual([scene.last.reason, scene.isOpen], ['silent', false]);
  scene.do(scene.switch.handleTimer(scene.switch.pollTimeout() ?? 0));
  assert.equal(scene.isOpen, true);
});

test('whatever comes, sound has a way', () => {
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const pick = (/** @type {readonly any[]} */ list) => list[Math.floor(random() * list.length)];
  for (let run = 0; run < 50; run += 1) {
    const scene = new Scene(pick(['auto', 'low-latency', 'browser']));
    for (let step = 0; step < 200; step += 1) {
      const { switch: path, now } = scene;
      pick([
        () => scene.do(path.setMode(pick(['auto', 'low-latency', 'browser']), now)),
        () => scene.do(path.setObstacle(pick([null, null, 'idle', 'blocked']), now)),
        () => scene.do(path.fail(pick(['worker', 'decoder', 'codec']), now)),
        () => scene.pass(pick([250, 5000]), { lost: pick([0, 30]), underruns: pick([0, 0, 9]) }),
        () => scene.pass(pick([500, 8000]), {}, { wantedMs: pick([10, 95]) }),
      ])();
    }
  }
});
