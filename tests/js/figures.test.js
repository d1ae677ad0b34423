import assert from 'node:assert/strict';
import test from 'node:test';

import { Figures } from '../../webrtc/static/client/figures.js';

/** @type {import('../../webrtc/static/client/playout_paths.js').PlayoutState} */
const PLAYOUT = {
  mode: 'auto',
  path: 'browser',
  reason: 'unsupported',
  toEarMs: null,
  outputMs: null,
  stats: null,
};
const CONTEXT = { ptimeMs: 10, redundancy: false, microphone: null, playout: PLAYOUT };

const connection = () =>
  /** @type {RTCPeerConnection} */ (/** @type {unknown} */ ({ getStats: async () => new Map() }));

/** Figures of one connection, of a server that says what a test wants. */
class Desk {
  nowMs = 0;
  line = connection();
  /** @type {() => Promise<Record<string, any>>} */
  answer = async () => ({ stats: { mix_wait_ms: 12, ptime_ms: 10 } });
  figures = new Figures(
    () => this.answer(),
    () => this.nowMs,
  );

  async serverMs() {
    return (await this.figures.read(this.line, CONTEXT)).latency.serverBufferMs;
  }
}

const nothingYet = async () => ({ stats: null });
const away = async () => {
  throw new Error('not_connected');
};

for (const [why, answer] of /** @type {const} */ ([
  ['is away', away],
  ['has just come back and has not looked yet', nothingYet],
])) {
  test(`the server's share is its last word for a while when it ${why}`, async () => {
    const there = new Desk();
    assert.equal(await there.serverMs(), 12);
    there.answer = answer;
    there.nowMs = 9_000;
    assert.equal(await there.serverMs(), 12);
    there.nowMs = 10_001;
    assert.equal(await there.serverMs(), null);
  });
}

test('what the server says now counts before what it said', async () => {
  const there = new Desk();
  await there.serverMs();
  there.answer = async () => ({ stats: { mix_wait_ms: 4 } });
  there.nowMs = 1000;
  assert.equal(await there.serverMs(), 4);
});

test('the word on one connection is not that on another, nor that of another stay', async () => {
  const there = new Desk();
  await there.serverMs();
  there.answer = away;
  there.line = connection();
  assert.equal(await there.serverMs(), null);

  const again = new Desk();
  await again.serverMs();
  again.answer = nothingYet;
  again.figures.reset();
  assert.equal(await again.serverMs(), null);
});
