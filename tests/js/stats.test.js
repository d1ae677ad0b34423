import assert from 'node:assert/strict';
import test from 'node:test';

import { computeStats, readReport, readUplink } from '../../webrtc/static/client/stats.js';
import { playoutStats } from './support.js';

/** @param {Partial<import('../../webrtc/static/client/stats.js').Reading>} change */
const reading = (change) => ({
  ...readReport([], 0),
  ...change,
});

/** @type {import('../../webrtc/static/client/playout_paths.js').PlayoutState} */
const BY_ELEMENT = {
  mode: 'auto',
  path: 'browser',
  reason: 'unsupported',
  toEarMs: null,
  outputMs: null,
  stats: null,
};
const CONTEXT = { ptimeUpMs: 10, captureLatencyMs: 5, redundancy: false, playout: BY_ELEMENT };

test('rates come from what was sent and received between two readings', () => {
  const before = reading({ atMs: 1000, bytesSent: 1000, bytesReceived: 500 });
  const after = reading({ atMs: 3000, bytesSent: 25000, bytesReceived: 8500 });
  assert.deepEqual(computeStats(before, after, null, CONTEXT).bitrateKbps, { up: 96, down: 32 });
});

test('a first reading, and one of a new connection, give no made-up rates', () => {
  const first = computeStats(null, reading({ atMs: 5, bytesSent: 9e6 }), null, CONTEXT);
  assert.deepEqual(first.bitrateKbps, { up: 0, down: 0 });
  const renewed = computeStats(
    reading({ atMs: 1000, bytesSent: 9e6, packetsReceived: 900, packetsLost: 90 }),
    reading({ atMs: 2000, bytesSent: 100, packetsReceived: 99, packetsLost: 1 }),
    null,
    CONTEXT,
  );
  assert.deepEqual(renewed.bitrateKbps, { up: 0, down: 0 });
  assert.equal(renewed.loss.down, 0.01);
});

test('loss is a share of what was sent, and never negative', () => {
  const before = reading({ packetsReceived: 100, packetsLost: 10 });
  const lossy = computeStats(
    before,
    reading({ atMs: 1, packetsReceived: 195, packetsLost: 15 }),
    null,
    CONTEXT,
  );
  assert.equal(lossy.loss.down, 0.05);
  const healed = computeStats(
    before,
    reading({ atMs: 1, packetsReceived: 202, packetsLost: 8 }),
    null,
    CONTEXT,
  );
  assert.equal(healed.loss.down, 0);
});

test('silence that was made up does not count as concealment', () => {
  const before = reading({});
  const after = reading({ atMs: 1, samples: 48000, concealed: 4800, concealedSilent: 4320 });
  assert.equal(computeStats(before, after, null, CONTEXT).concealedRatio, 0.01);
});

test('the hops of the latency budget add up to its total', () => {
  const before = reading({});
  const after = reading({
    atMs: 1000,
    roundTripMs: 30,
    jitterBufferDelayS: 960,
    jitterBufferEmitted: 48000,
    playoutDelayS: 480,
    playoutSamples: 48000,
  });
  const { latency } = computeStats(before, after, { mix_wait_ms: 12, strip_ms: 1.5, ptime_ms: 10 }, CONTEXT);
  const { totalMs, isComplete, ...hops } = latency;
  assert.deepEqual(hops, {
    captureMs: 5,
    packetMs: 11.5,
    networkUpMs: 15,
    serverBufferMs: 12,
    mixMs: 4,
    networkDownMs: 15,
    playoutBufferMs: 20,
    outputMs: 10,
  });
  assert.equal(totalMs, 92.5);
  assert.equal(isComplete, true);
});

test('a packet fills while the device fills its buffer', () => {
  /**
   * @param {number | null} captureLatencyMs
   * @param {number} ptimeUpMs
   */
  const packetMs = (captureLatencyMs, ptimeUpMs) =>
    computeStats(null, reading({}), null, { ...CONTEXT, captureLatencyMs, ptimeUpMs }).latency.packetMs;
  assert.equal(packetMs(null, 10), 16.5);
  assert.equal(packetMs(3, 10), 13.5);
  assert.equal(packetMs(10, 10), 6.5);
  assert.equal(packetMs(21, 10), 6.5); // what is more than a chunk waits in the device
  assert.equal(packetMs(21, 20), 16.5);
  assert.equal(packetMs(21, 5), 6.5);
});

test('the round trip is what RTCP says, at whichever end, before that of checks', () => {
  /**
   * @param {number | null} roundTripMs
   * @param {number | null} rtt_ms
   */
  const trip = (roundTripMs, rtt_ms) =>
    computeStats(null, reading({ roundTripMs, checkTripMs: 9 }), { rtt_ms }, CONTEXT).roundTripMs;
  assert.equal(trip(3, 4), 3);
  assert.equal(trip(null, 4), 4);
  assert.equal(trip(null, null), 9);
});

test('the last hops are those of the path that is heard', () => {
  const after = reading({ atMs: 1000, jitterBufferDelayS: 960, jitterBufferEmitted: 48000 });
  const stats = playoutStats({ delayMs: 12, depthMs: 9, concealedSamples: 960 });
  /** @param {Partial<typeof BY_ELEMENT>} change */
  const hops = (change) => {
    const playout = { ...BY_ELEMENT, ...change };
    const { latency } = computeStats(null, after, null, { ...CONTEXT, playout });
    return [latency.playoutBufferMs, latency.outputMs];
  };
  assert.deepEqual(hops({ path: 'low-latency', stats, toEarMs: 30, outputMs: 11 }), [12, 18]);
  assert.deepEqual(hops({ path: 'low-latency', stats, toEarMs: null, outputMs: 11 }), [12, 11]);
  assert.deepEqual(hops({ stats, outputMs: 11 }), [20, 11]);
  assert.deepEqual(hops({}), [20, null]);
  const { playout } = computeStats(null, after, null, {
    ...CONTEXT,
    playout: { ...BY_ELEMENT, stats },
  });
  assert.equal(playout.concealedMs, 20);
  assert.equal(playout.depthMs, 9);
  assert.equal(computeStats(null, after, null, CONTEXT).playout.depthMs, null);
});

test('what is not known is null and does not count', () => {
  const { latency, loss, jitterMs, concealedRatio } = computeStats(null, reading({}), null, {
    ...CONTEXT,
    ptimeUpMs: null,
    captureLatencyMs: null,
  });
  assert.equal(latency.totalMs, 0);
  assert.equal(latency.serverBufferMs, null);
  assert.deepEqual(loss, { up: null, down: null });
  assert.equal(jitterMs, null);
  assert.equal(concealedRatio, null);
});

test('a total with a hop missing says so, whichever it is', () => {
  const after = reading({
    atMs: 1000,
    roundTripMs: 30,
    captureDelayS: 480,
    captureSamples: 48000,
    jitterBufferDelayS: 960,
    jitterBufferEmitted: 48000,
    playoutDelayS: 480,
    playoutSamples: 48000,
  });
  /** @type {import('../../webrtc/static/client/stats.js').ServerReading} */
  const server = { mix_wait_ms: 12, strip_ms: 0, ptime_ms: 10 };
  /**
   * @param {Partial<typeof after>} change
   * @param {import('../../webrtc/static/client/stats.js').ServerReading | null} [said]
   * @param {Partial<import('../../webrtc/static/client/stats.js').Context>} [context]
   */
  const isComplete = (change, said = server, context = {}) =>
    computeStats(reading({}), { ...after, ...change }, said, { ...CONTEXT, ...context }).latency
      .isComplete;
  assert.equal(isComplete({}), true);
  assert.equal(isComplete({}, { ...server, mix_wait_ms: 0 }), true); // nothing is not unknown
  assert.equal(isComplete({}, null), false);
  assert.equal(isComplete({}, { ...server, mix_wait_ms: null }), false);
  assert.equal(isComplete({}, { ...server, mix_wait_ms: null, tracks: 3 }), true);
  assert.equal(isComplete({}, server, { ptimeUpMs: null }), false);
  assert.equal(isComplete({ roundTripMs: null }), false);
  assert.equal(isComplete({ captureSamples: 0 }, server, { captureLatencyMs: null }), false);
  assert.equal(isComplete({ jitterBufferEmitted: 0 }), false);
  assert.equal(isComplete({ playoutSamples: 0 }), false);
});

test('figures that the server leaves out have their defaults', () => {
  const { latency, loss, packetMs } = computeStats(
    null,
    reading({}),
    { packets_received: 95, packets_lost: 5 },
    {
      ...CONTEXT,
      ptimeUpMs: null,
    },
  );
  assert.equal(latency.mixMs, 12.5);
  assert.equal(loss.up, 0.05);
  assert.equal(packetMs, 20);
});

test('a report is read whatever else stands in it', () => {
  const report = [
    { type: 'inbound-rtp', kind: 'video', bytesReceived: 9 },
    {
      type: 'inbound-rtp',
      kind: 'audio',
      bytesReceived: 7,
      jitter: 0.002,
      packetsLost: 1,
      codecId: 'c',
    },
    { type: 'outbound-rtp', kind: 'audio', bytesSent: 5 },
    { type: 'remote-inbound-rtp', kind: 'audio', roundTripTime: 0.012, fractionLost: 0.25 },
    { type: 'candidate-pair', nominated: false, currentRoundTripTime: 9 },
    { type: 'codec', id: 'c', mimeType: 'audio/opus' },
  ];
  const { bytesReceived, jitterMs, roundTripMs, remoteLoss, codec, bytesSent } = readReport(
    report,
    0,
  );
  assert.deepEqual(
    { bytesReceived, jitterMs, roundTripMs, remoteLoss, codec, bytesSent },
    {
      bytesReceived: 7,
      jitterMs: 2,
      roundTripMs: 12,
      remoteLoss: 0.25,
      codec: 'opus',
      bytesSent: 5,
    },
  );
});

test('what the server lost of ours is read once it has reported', () => {
  const outbound = { type: 'outbound-rtp', kind: 'audio', packetsSent: 200, timestamp: 9 };
  const remote = { type: 'remote-inbound-rtp', kind: 'audio', packetsLost: 3, timestamp: 7 };
  const video = { type: 'outbound-rtp', kind: 'video', packetsSent: 1 };
  assert.equal(readUplink([outbound]), null);
  assert.equal(readUplink([remote]), null);
  assert.deepEqual(readUplink([video, remote, outbound]), {
    atMs: 7,
    packetsSent: 200,
    packetsLost: 3,
  });
});

test('the tracks of a room that forwards count together, and one that rests does not', () => {
  const inbound = (/** @type {Record<string, number>} */ change) => ({
    type: 'inbound-rtp',
    kind: 'audio',
    ...change,
  });
  const report = [
    inbound({ packetsReceived: 0, jitter: 0.5 }),
    inbound({ packetsReceived: 10, packetsLost: 1, jitter: 0.001, concealedSamples: 100 }),
    inbound({ packetsReceived: 5, packetsLost: 2, jitter: 0.003, concealedSamples: 50 }),
  ];
  const { packetsReceived, packetsLost, jitterMs, concealed } = readReport(report, 0);
  assert.deepEqual({ packetsReceived, packetsLost, jitterMs, concealed }, {
    packetsReceived: 15,
    packetsLost: 3,
    jitterMs: 3,
    concealed: 150,
  });
});

test('a voice that is forwarded waits for no mix', () => {
  const mixed = { ptime_ms: 20, mix_wait_ms: 9, strip_ms: 3 };
  const { latency } = computeStats(null, reading({}), mixed, CONTEXT);
  assert.deepEqual([latency.serverBufferMs, latency.mixMs], [9, 15.5]);
  const forwarded = computeStats(null, reading({}), { ...mixed, tracks: 3 }, CONTEXT).latency;
  assert.deepEqual([forwarded.serverBufferMs, forwarded.mixMs], [0, 0]);
});
