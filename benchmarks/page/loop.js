/**
 * What the benchmark does in the page. `bench` is called from outside, and finds; what the finds
 * mean is worked out there.
 */

import { open, sleep } from './ways.js';

const TONE_LEVEL = 0.25;
const PAUSE_MS = 1500;

/** A running context, its microphone, and a worklet between what is heard and the microphone. */
class Studio {
  static async create(worklet) {
    const context = new AudioContext({ sampleRate: 48000, latencyHint: 0 });
    // As a blob, because the tool that serves this page does not see what worklets fetch.
    const module = await (await fetch(new URL(worklet, import.meta.url))).blob();
    await context.audioWorklet.addModule(URL.createObjectURL(module));
    await context.resume();
    return new Studio(context);
  }

  constructor(context) {
    this.context = context;
    this.microphone = context.createMediaStreamDestination();
    this.track = this.microphone.stream.getAudioTracks()[0];
  }

  playTone(pitchHz) {
    const tone = new OscillatorNode(this.context, { frequency: pitchHz });
    const level = new GainNode(this.context, { gain: TONE_LEVEL });
    tone.connect(level).connect(this.microphone);
    tone.start();
  }

  /** @param {AudioNode[]} nodes What to record, each by itself. */
  record(nodes) {
    return new Recording(this.context, nodes);
  }
}

class Recording {
  #pieces;

  constructor(context, nodes) {
    this.#pieces = nodes.map(() => []);
    const node = new AudioWorkletNode(context, 'recorder', {
      numberOfInputs: nodes.length,
    });
    node.connect(context.destination); // silent; a context runs what leads to its destination
    nodes.forEach((each, input) => each.connect(node, 0, input));
    node.port.onmessage = ({ data: { first, pieces } }) => {
      this.first ??= first;
      pieces.forEach((piece, input) => this.#pieces[input].push(piece));
    };
  }

  /** Frame of the context at which it begins. */
  first;

  /** What came since the last time, of each node: base64 of 16 bits, little endian. */
  async take() {
    const taken = this.#pieces.map((pieces) => new Blob(pieces));
    this.#pieces = this.#pieces.map(() => []);
    return Promise.all(taken.map(base64));
  }
}

const base64 = (blob) =>
  new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1));
    reader.readAsDataURL(blob);
  });

async function inboundStats(connection) {
  const stats = [...(await connection.getStats()).values()];
  return stats.find(({ type }) => type === 'inbound-rtp');
}

/**
 * Hops of the client's latency budget from the air to the ear, in ms; null without a server.
 *
 * Who only listens knows the way by checks of the connection alone, which wait for the server: the
 * way down is told as the way up.
 */
async function budgetMs({ speaker, listener }) {
  if (!speaker || !listener) return null;
  const [said, heard] = [await speaker.getAudioStats(), await listener.getAudioStats()];
  const { captureMs, packetMs, networkUpMs, serverBufferMs } = said.latency;
  const { mixMs, playoutBufferMs, outputMs } = heard.latency;
  const server = { networkUpMs, serverBufferMs, mixMs, networkDownMs: networkUpMs };
  return { captureMs, packetMs, ...server, playoutBufferMs, outputMs };
}

/**
 * Bursts that come back.
 * @param {import('./ways.js').Way} way
 * @param {number} settleMs Before anything counts.
 * @param {number} measureMs
 */
async function loop(way, settleMs, measureMs) {
  const studio = await Studio.create('pulse_worklet.js');
  const pulses = new AudioWorkletNode(studio.context, 'pulse-loop', { outputChannelCount: [2] });
  pulses.connect(studio.microphone);
  const heard = await open(way, studio.context, studio.track);
  heard.output.connect(pulses);
  const loops = [];
  pulses.port.onmessage = ({ data }) => loops.push(data); // nothing waits in the port for later
  await sleep(settleMs);
  loops.length = 0;
  const before = await inboundStats(heard.connection());
  await budgetMs(heard); // its figures are of the time since the call before
  await sleep(measureMs);
  const after = await inboundStats(heard.connection());
  const emitted = after.jitterBufferEmittedCount - before.jitterBufferEmittedCount;
  return {
    loops,
    browserBufferMs: (1000 * (after.jitterBufferDelay - before.jitterBufferDelay)) / emitted,
    budget: await budgetMs(heard),
    playout: heard.listener ? (await heard.listener.getAudioStats()).playout : null,
    contextMs: 1000 * studio.context.baseLatency,
  };
}

/**
 * Speak by the client's own microphone and listen by its own loudspeaker; what is said and heard is
 * recorded outside.
 * @param {import('./ways.js').Way} way
 * @param {number} settleMs Before anything counts.
 * @param {number} measureMs
 */
async function devices(way, settleMs, measureMs) {
  const context = new AudioContext({ sampleRate: 48000, latencyHint: 0 });
  const heard = await open(way, context, null);
  await sleep(settleMs);
  await budgetMs(heard); // its figures are of the time since the call before
  await sleep(measureMs);
  return budgetMs(heard);
}

let running = null;

/**
 * Send a tone from now on and record what is heard: `taken` hands it out.
 * @param {import('./ways.js').Way} way
 * @param {number} pitchHz
 * @param {number} settleMs
 */
async function tone(way, pitchHz, settleMs) {
  const studio = await Studio.create('recorder_worklet.js');
  studio.playTone(pitchHz);
  const heard = await open(way, studio.context, studio.track);
  await sleep(settleMs);
  running = { studio, heard, recording: studio.record([heard.output]), changes: 0 };
  heard.listener?.on('playout-changed', () => (running.changes += 1));
}

/** What was heard of the tone since the last time, and how our own path does. */
async function taken() {
  const { heard, recording, changes } = running;
  const playout = heard.listener ? (await heard.listener.getAudioStats()).playout : null;
  return { sound: (await recording.take())[0], playout, changes };
}

/**
 * Change from our own path to the browser's and back, again and again, while `tone` runs.
 * @param {number} times
 * @returns {Promise<number[]>} At which sample of the recording each change began.
 */
async function changes(times) {
  const { studio, heard, recording } = running;
  const began = [];
  let { path } = heard.listener.playout;
  heard.listener.on('playout-changed', (now) => {
    if (now.path !== path) began.push(studio.context.currentTime * 48000 - recording.first);
    path = now.path;
  });
  await sleep(PAUSE_MS); // the recording begins a moment later than it is asked for
  for (let change = 0; change < times; change += 1) {
    const mode = path === 'browser' ? 'low-latency' : 'browser';
    heard.listener.setPlayout(mode);
    while (path !== mode) await sleep(20);
    await sleep(PAUSE_MS);
  }
  return began;
}

/**
 * Play speech again and again over a bad network and record it on both paths: the same packets.
 * `direct`: from one connection of the page to another, without the server.
 * @param {string} sound base64 of float32, 48 kHz.
 * @param {number} times
 * @param {number} settleMs
 * @param {'own' | 'direct'} way
 */
async function speech(sound, times, settleMs, way) {
  const studio = await Studio.create('recorder_worklet.js');
  const { context } = studio;
  const bytes = await (await fetch(`data:application/octet-stream;base64,${sound}`)).arrayBuffer();
  const samples = new Float32Array(bytes);
  const buffer = context.createBuffer(1, samples.length, 48000);
  buffer.copyToChannel(samples, 0);
  const voice = new AudioBufferSourceNode(context, { buffer, loop: true });
  voice.connect(studio.microphone);
  voice.start();
  const { relayTo = null, mirrorAddress = null } = globalThis;
  const heard = await open(way, context, studio.track, relayTo, mirrorAddress);
  await sleep(settleMs);
  const before = await concealment(heard.connection());
  const ownBefore = await ownConcealedMs(heard);
  const recording = studio.record([voice, heard.output, heard.browsers]);
  await sleep(times * buffer.duration * 1000 + 1000);
  const [said, own, browsers] = await recording.take();
  const after = await concealment(heard.connection());
  const concealed = (after.concealed - before.concealed) / (after.all - before.all);
  const playout = heard.listener && (await heard.listener.getAudioStats()).playout;
  const ownMs = (await ownConcealedMs(heard)) - ownBefore;
  const ownConcealed = ownMs / (times * buffer.duration * 1000 + 1000);
  return { said, own, browsers, playout, concealed, ownConcealed };
}

/** What our own path has made up; 0 without it. */
async function ownConcealedMs({ listener }) {
  return (listener && (await listener.getAudioStats()).playout.concealedMs) ?? 0;
}

/** Samples that the browser's own path has made up, and all of them. */
async function concealment(connection) {
  for (const one of (await connection.getStats()).values()) {
    if (one.type === 'inbound-rtp') {
      const quiet = one.silentConcealedSamples ?? 0;
      return { concealed: one.concealedSamples - quiet, all: one.totalSamplesReceived - quiet };
    }
  }
  throw new Error('nothing is received');
}

globalThis.bench = { loop, devices, tone, taken, changes, speech };
