/**
 * Figures of a connection, from two readings of `getStats()` and what the server says of us.
 * Arithmetic only. Times in milliseconds, shares from 0 to 1; null stands for "not known".
 */

/**
 * What is taken from one `getStats()` report; counters are cumulative.
 * @typedef {object} Reading
 * @property {number} atMs
 * @property {string | null} codec
 * @property {number} bytesSent
 * @property {number} packetsSent
 * @property {number} bytesReceived
 * @property {number} packetsReceived
 * @property {number} packetsLost
 * @property {number | null} jitterMs
 * @property {number} jitterBufferDelayS
 * @property {number} jitterBufferEmitted
 * @property {number} concealed Samples.
 * @property {number} concealedSilent Samples.
 * @property {number} samples
 * @property {number | null} roundTripMs By RTCP, which only knows it of what we send.
 * @property {number | null} checkTripMs Of connectivity checks.
 * @property {number | null} remoteLoss Share of our packets that the server lost lately.
 * @property {number} captureDelayS
 * @property {number} captureSamples
 * @property {number} playoutDelayS
 * @property {number} playoutSamples
 */

/**
 * How the mix is played. Figures of our own path are null while it is closed; it may stand by.
 * @typedef {object} PlayoutFigures
 * @property {import('./playout_paths.js').PlayoutMode} mode What was asked for.
 * @property {import('./playout_paths.js').PlayoutPath} path What is heard.
 * @property {import('./playout_paths.js').PlayoutReason} reason Why.
 * @property {number | null} depthMs Sound that waits in our own path.
 * @property {number | null} targetMs What it aims at.
 * @property {number | null} delayMs From a frame's arrival to its first sample.
 * @property {number | null} jitterMs
 * @property {number | null} driftPpm How much faster than ours the sender's clock runs.
 * @property {number | null} underruns Times that it ran dry, since it was opened.
 * @property {number | null} concealedMs Since it was opened, as the rest.
 * @property {number | null} skippedMs
 * @property {number | null} lost Frames.
 * @property {number | null} late Frames that came after their turn.
 */

/**
 * What the server knows of our connection (`get_stats`). Figures that are left out have the value
 * that DEFAULTS gives.
 * @typedef {object} ServerReading
 * @property {number | null} [rtt_ms]
 * @property {number} [packets_received]
 * @property {number} [packets_lost]
 * @property {number | null} [mix_wait_ms]
 * @property {number} [strip_ms]
 * @property {number} [remote_loss]
 * @property {number} [ptime_ms]
 * @property {number} [concealed_ms]
 * @property {boolean} [own_mix]
 * @property {number} [tracks] On which a room that forwards is heard.
 * @property {number} [packets_refused] Of ours, above the bitrate that the answer named.
 */

/**
 * One way of a voice, hop by hop: from this microphone to a listener who sits where we sit.
 * @typedef {object} LatencyBudget
 * @property {number | null} captureMs From the air until the browser has a buffer of it.
 * @property {number | null} packetMs What a packet takes to fill beyond that, and the codec's
 *   look-ahead.
 * @property {number | null} networkUpMs
 * @property {number | null} serverBufferMs From a packet's arrival to the mix that holds it.
 * @property {number | null} mixMs From there until the mix leaves: our strip, its packet and its
 *   encoder.
 * @property {number | null} networkDownMs
 * @property {number | null} playoutBufferMs What holds the mix back until it is played.
 * @property {number | null} outputMs
 * @property {number} totalMs Sum of what is known: at least so much.
 * @property {boolean} isComplete Whether every hop is known, so that it is no more than that.
 */

/**
 * @typedef {object} AudioStats
 * @property {{ up: number, down: number }} bitrateKbps
 * @property {number | null} roundTripMs
 * @property {{ up: number | null, down: number | null }} loss
 * @property {number | null} jitterMs
 * @property {number | null} concealedRatio Audible concealment; silence made up is not counted.
 * @property {string | null} codec
 * @property {number | null} packetMs
 * @property {number | null} bufferMs What the browser holds back before it plays.
 * @property {boolean} redundancy Whether each packet of ours is sent twice.
 * @property {PlayoutFigures} playout
 * @property {LatencyBudget} latency
 * @property {ServerReading | null} server As of the last seconds.
 */

/** Playout counts samples at 48 kHz. */
const SAMPLES_PER_MS = 48;

const DEFAULTS = {
  packets_received: 0,
  packets_lost: 0,
  strip_ms: 0,
  ptime_ms: 20,
};

/**
 * @typedef {object} Context What the session knows.
 * @property {number | null} ptimeUpMs Packet time that the server asked of us.
 * @property {number | null} captureLatencyMs What the microphone declares, for browsers without
 *   capture counters.
 * @property {boolean} redundancy Whether RED was negotiated for what we send.
 * @property {import('./playout_paths.js').PlayoutState} playout
 */

/**
 * Browsers hand sound to the encoder 10 ms at a time. While a device fills its buffer it fills these
 * as well: what a packet waits for is counted with the capture already.
 */
const CHUNK_MS = 10;
/** Opus looks 6.5 ms ahead in its default modes, 2.5 ms of it in CELT (RFC 6716, 4.2). */
const OPUS_LOOKAHEAD_MS = 6.5;

/**
 * @param {Iterable<any>} report Values of an `RTCStatsReport`.
 * @param {number} atMs
 * @returns {Reading}
 */
export function readReport(report, atMs) {
  const entries = [...report];
  const first = (/** @type {string} */ type) => firstAudio(entries, type) ?? {};
  const inbound = inboundOf(entries);
  const outbound = first('outbound-rtp');
  const remote = first('remote-inbound-rtp');
  const source = first('media-source');
  const playout = first('media-playout');
  const pair = entries.find((entry) => entry.type === 'candidate-pair' && entry.nominated) ?? {};
  const codecId = outbound.codecId ?? inbound.codecId;
  const codec = entries.find((entry) => entry.id === codecId);
  return {
    atMs,
    codec: codec?.mimeType?.replace(/^audio\//, '') ?? null,
    bytesSent: outbound.bytesSent ?? 0,
    packetsSent: outbound.packetsSent ?? 0,
    bytesReceived: inbound.bytesReceived ?? 0,
    packetsReceived: inbound.packetsReceived ?? 0,
    packetsLost: inbound.packetsLost ?? 0,
    jitterMs: milliseconds(inbound.jitter),
    jitterBufferDelayS: inbound.jitterBufferDelay ?? 0,
    jitterBufferEmitted: inbound.jitterBufferEmittedCount ?? 0,
    concealed: inbound.concealedSamples ?? 0,
    concealedSilent: inbound.silentConcealedSamples ?? 0,
    samples: inbound.totalSamplesReceived ?? 0,
    roundTripMs: milliseconds(remote.roundTripTime),
    checkTripMs: milliseconds(pair.currentRoundTripTime),
    remoteLoss: remote.fractionLost ?? null,
    captureDelayS: source.totalCaptureDelay ?? 0,
    captureSamples: source.totalSamplesCaptured ?? 0,
    playoutDelayS: playout.totalPlayoutDelay ?? 0,
    playoutSamples: playout.totalSamplesCount ?? 0,
  };
}

/**
 * What the server said last of what we send; null: nothing yet.
 * @param {Iterable<any>} report
 * @returns {import('./redundancy.js').UplinkReading | null}
 */
export function readUplink(report) {
  const entries = [...report];
  const outbound = firstAudio(entries, 'outbound-rtp');
  const remote = firstAudio(entries, 'remote-inbound-rtp');
  if (!outbound || !remote) return null;
  const { packetsSent = 0 } = outbound;
  const { packetsLost = 0 } = remote;
  return { atMs: remote.timestamp, packetsSent, packetsLost };
}

/**
 * A count of all that has come over a connection, be it sound, a report or the answer to a check: any
 * other than before is a sign of life.
 * @param {Iterable<any>} report
 * @returns {number}
 */
export function countReceived(report) {
  let count = 0;
  for (const { type, packetsReceived = 0, bytesReceived = 0, responsesReceived = 0 } of report) {
    if (type === 'inbound-rtp') count += packetsReceived;
    if (type === 'candidate-pair') count += bytesReceived + responsesReceived;
  }
  return count;
}

/**
 * @param {any[]} entries
 * @param {string} type
 */
const firstAudio = (entries, type) =>
  entries.find((entry) => entry.type === type && (entry.kind ?? 'audio') === 'audio');

const SUMS = [
  'bytesReceived',
  'packetsReceived',
  'packetsLost',
  'jitterBufferDelay',
  'jitterBufferEmittedCount',
  'concealedSamples',
  'silentConcealedSamples',
  'totalSamplesReceived',
];

/**
 * What comes in: the mix, or the tracks of a room that forwards together.
 * @param {any[]} entries
 * @returns {Record<string, any>}
 */
function inboundOf(entries) {
  const audio = entries.filter(
    (entry) => entry.type === 'inbound-rtp' && (entry.kind ?? 'audio') === 'audio',
  );
  const used = audio.filter((entry) => entry.packetsReceived > 0);
  if (used.length < 2) return used[0] ?? audio[0] ?? {};
  const sums = SUMS.map((name) => [name, used.reduce((sum, one) => sum + (one[name] ?? 0), 0)]);
  const jitter = Math.max(...used.map((entry) => entry.jitter ?? 0));
  return { ...used[0], ...Object.fromEntries(sums), jitter };
}

/** @param {number | undefined} seconds */
const milliseconds = (seconds) => (seconds === undefined ? null : seconds * 1000);

/**
 * @param {Reading | null} before Null: everything since the start counts.
 * @param {Reading} after
 * @param {ServerReading | null} server
 * @param {Context} context
 * @returns {AudioStats}
 */
export function computeStats(before, after, server, context) {
  const theirs = server && { ...DEFAULTS, ...server };
  const change = difference(before, after);
  const bufferMs = ratio(change.jitterBufferDelayS * 1000, change.jitterBufferEmitted);
  // The server answers checks when it comes to it, up to a tick later: what RTCP says is true.
  const roundTripMs = after.roundTripMs ?? theirs?.rtt_ms ?? after.checkTripMs;
  return {
    bitrateKbps: {
      up: (change.bytesSent * 8) / change.elapsedMs,
      down: (change.bytesReceived * 8) / change.elapsedMs,
    },
    roundTripMs,
    loss: {
      up:
        after.remoteLoss ??
        (theirs && ratio(theirs.packets_lost, theirs.packets_lost + theirs.packets_received)),
      down: ratio(Math.max(0, change.packetsLost), change.packetsLost + change.packetsReceived),
    },
    jitterMs: after.jitterMs,
    concealedRatio: ratio(change.concealed - change.concealedSilent, change.samples),
    codec: after.codec,
    packetMs: context.ptimeUpMs ?? theirs?.ptime_ms ?? null,
    bufferMs,
    redundancy: context.redundancy,
    playout: playoutFigures(context.playout),
    latency: latencyBudget(change, theirs, context, { bufferMs, roundTripMs }),
    server,
  };
}

/**
 * @param {import('./playout_paths.js').PlayoutState} state
 * @returns {PlayoutFigures}
 */
function playoutFigures({ mode, path, reason, stats }) {
  return {
    mode,
    path,
    reason,
    depthMs: stats?.depthMs ?? null,
    targetMs: stats?.targetMs ?? null,
    delayMs: stats?.delayMs ?? null,
    jitterMs: stats?.jitterMs ?? null,
    driftPpm: stats?.driftPpm ?? null,
    underruns: stats?.underruns ?? null,
    concealedMs: stats ? stats.concealedSamples / SAMPLES_PER_MS : null,
    skippedMs: stats ? stats.skippedSamples / SAMPLES_PER_MS : null,
    lost: stats?.lost ?? null,
    late: stats?.late ?? null,
  };
}

/**
 * The last two hops: what was measured of our own path from frame to ear, or what the browser says
 * of its own.
 * @param {ReturnType<typeof difference>} change
 * @param {import('./playout_paths.js').PlayoutState} state
 * @param {number | null} bufferMs
 */
function lastHops(change, { path, stats, toEarMs, outputMs }, bufferMs) {
  if (path === 'low-latency' && stats) {
    const playoutBufferMs = stats.delayMs;
    return { playoutBufferMs, outputMs: toEarMs === null ? outputMs : toEarMs - playoutBufferMs };
  }
  const elementMs = ratio(change.playoutDelayS * 1000, change.playoutSamples);
  return { playoutBufferMs: bufferMs, outputMs: outputMs ?? elementMs };
}

/**
 * @param {ReturnType<typeof difference>} change
 * @param {ServerReading | null} server
 * @param {Context} context
 * @param {{ bufferMs: number | null, roundTripMs: number | null }} known
 * @returns {LatencyBudget}
 */
function latencyBudget(change, server, context, { bufferMs, roundTripMs }) {
  const oneWayMs = roundTripMs === null ? null : roundTripMs / 2;
  const captureMs =
    ratio(change.captureDelayS * 1000, change.captureSamples) ?? context.captureLatencyMs;
  const hops = {
    captureMs,
    packetMs: context.ptimeUpMs === null ? null : packetMs(context.ptimeUpMs, captureMs ?? 0),
    networkUpMs: oneWayMs,
    // What is forwarded waits for nothing and passes no mix.
    serverBufferMs: server?.tracks ? 0 : (server?.mix_wait_ms ?? null),
    mixMs: server?.tracks ? 0 : server ? mixMs(server.ptime_ms ?? 20, server.strip_ms ?? 0) : null,
    networkDownMs: oneWayMs,
    ...lastHops(change, context.playout, bufferMs),
  };
  const all = Object.values(hops);
  const known = all.filter((ms) => ms !== null);
  const totalMs = known.reduce((sum, ms) => sum + ms, 0);
  return { ...hops, totalMs, isComplete: known.length === all.length };
}

/**
 * @param {number} ptimeMs
 * @param {number} captureMs
 */
function packetMs(ptimeMs, captureMs) {
  return ptimeMs - Math.min(captureMs, CHUNK_MS, ptimeMs) + OPUS_LOOKAHEAD_MS;
}

/**
 * The mixer works in blocks of 10 ms, so the first sample of a longer packet waits for the rest of
 * it; the server's encoder looks 2.5 ms ahead (Opus, restricted low delay).
 *
 * @param {number} ptimeMs
 * @param {number} stripMs
 * @returns {number}
 */
function mixMs(ptimeMs, stripMs) {
  return stripMs + Math.max(0, ptimeMs - 10) + 2.5;
}

/**
 * @param {number} part
 * @param {number} whole
 */
const ratio = (part, whole) => (whole > 0 ? part / whole : null);

/** @type {readonly (keyof Reading)[]} */
const COUNTERS = [
  'bytesSent',
  'packetsSent',
  'bytesReceived',
  'packetsReceived',
  'packetsLost',
  'jitterBufferDelayS',
  'jitterBufferEmitted',
  'concealed',
  'concealedSilent',
  'samples',
  'captureDelayS',
  'captureSamples',
  'playoutDelayS',
  'playoutSamples',
];

/**
 * Counters since `before`. Counters that ran backwards belong to a new connection; they count from
 * zero, over a time that nobody knows, so that rates read 0.
 * @param {Reading | null} before
 * @param {Reading} after
 */
function difference(before, after) {
  const fresh =
    before === null ||
    after.bytesReceived < before.bytesReceived ||
    after.bytesSent < before.bytesSent;
  /** @type {Record<string, number>} */
  const change = { elapsedMs: fresh ? Infinity : Math.max(1, after.atMs - before.atMs) };
  for (const name of COUNTERS) {
    change[name] = Number(after[name]) - (fresh ? 0 : Number(before[name]));
  }
  return /** @type {Record<Exclude<keyof Reading, 'codec'> | 'elapsedMs', number>} */ (change);
}
