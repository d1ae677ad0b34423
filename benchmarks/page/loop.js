/**
 * Two peer connections in one page: bursts leave by one and come back by the other, either through
 * the server or directly. `measure` is called from outside and returns what was found.
 */

import { Signaling } from './socketio.js';

const PTIME_MS = 10;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ask for stereo, short packets and the bitrate of the server's mixes, on either way alike. */
const tune = (sdp) =>
  sdp
    .replace(/a=fmtp:111 [^\r\n]*/, (line) => `${line};stereo=1;sprop-stereo=1;maxaveragebitrate=96000`)
    .replace(/(m=audio [\s\S]*?)$/, `$1a=ptime:${PTIME_MS}\r\n`);

async function direct(from, to) {
  from.onicecandidate = ({ candidate }) => to.addIceCandidate(candidate);
  to.onicecandidate = ({ candidate }) => from.addIceCandidate(candidate);
  await from.setLocalDescription(await from.createOffer());
  await to.setRemoteDescription({ type: 'offer', sdp: tune(from.localDescription.sdp) });
  await to.setLocalDescription(await to.createAnswer());
  await from.setRemoteDescription({ type: 'answer', sdp: tune(to.localDescription.sdp) });
}

async function throughServer(connection, role) {
  const signaling = await Signaling.connect(location.origin);
  await signaling.call('join_room', { room_id: 'browser-loop', role });
  const offer = await connection.createOffer();
  await connection.setLocalDescription({ type: 'offer', sdp: tune(offer.sdp) });
  const answer = await signaling.call('offer', connection.localDescription.toJSON());
  await connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
}

async function inboundStats(connection) {
  const stats = [...(await connection.getStats()).values()];
  return stats.find(({ type }) => type === 'inbound-rtp');
}

/**
 * @param {'server' | 'direct'} way
 * @param {number} settleMs before anything counts
 * @param {number} measureMs
 */
async function measure(way, settleMs, measureMs) {
  const context = new AudioContext({ sampleRate: 48000, latencyHint: 'interactive' });
  // As a blob, because the tool that serves this page does not see what worklets fetch.
  const worklet = await (await fetch(new URL('pulse_worklet.js', import.meta.url))).blob();
  await context.audioWorklet.addModule(URL.createObjectURL(worklet));
  const loop = new AudioWorkletNode(context, 'pulse-loop', { outputChannelCount: [2] });
  const microphone = context.createMediaStreamDestination();
  loop.connect(microphone);
  const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
  from.addTrack(microphone.stream.getAudioTracks()[0], microphone.stream);
  to.ontrack = ({ track, receiver }) => {
    receiver.jitterBufferTarget = 0;
    const stream = new MediaStream([track]);
    // Chromium decodes a remote track for WebAudio only while an element plays it.
    const element = new Audio();
    element.muted = true;
    element.srcObject = stream;
    element.play();
    context.createMediaStreamSource(stream).connect(loop);
  };
  if (way === 'direct') {
    await direct(from, to);
  } else {
    to.addTransceiver('audio', { direction: 'recvonly' });
    await throughServer(from, 'publisher');
    await throughServer(to, 'subscriber');
  }
  await context.resume();
  await sleep(settleMs);
  const loops = [];
  loop.port.onmessage = ({ data }) => loops.push(data);
  const before = await inboundStats(to);
  await sleep(measureMs);
  const after = await inboundStats(to);
  const emitted = after.jitterBufferEmittedCount - before.jitterBufferEmittedCount;
  return {
    loops,
    jitterBufferMs: (1000 * (after.jitterBufferDelay - before.jitterBufferDelay)) / emitted,
    packets: after.packetsReceived - before.packetsReceived,
  };
}

globalThis.measure = measure;
