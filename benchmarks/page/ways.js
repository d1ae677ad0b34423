/**
 * The ways of a sound from one WebAudio node to another: between two connections of this page, or
 * through the server by the product's own client, as the server serves it.
 */

import { BaseClient } from '/client/client.js';
import { browserPlatform } from '/client/platform.js';
import { io } from '/vendor/socket.io.esm.min.js';

const PTIME_MS = 10;
const BITRATE_BPS = 96000;
const WITHIN_MS = 20000;

/**
 * `own`: through the server and our own playout path; `back`: from there to the browser's path;
 * `auto`: as the page is used.
 */
/** @typedef {'direct' | 'browser' | 'own' | 'back' | 'auto'} Way */

/** The client's word for each way through the server. */
const PLAYOUT = { browser: 'browser', own: 'low-latency', back: 'low-latency', auto: 'auto' };

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @typedef {object} Heard
 * @property {AudioNode} output What is heard.
 * @property {AudioNode} browsers What the browser's own path makes of the same packets.
 * @property {() => RTCPeerConnection} connection That it came by.
 * @property {BaseClient | null} speaker Null: there is no server.
 * @property {BaseClient | null} listener
 */

/**
 * @param {Way} way
 * @param {AudioContext} context
 * @param {MediaStreamTrack | null} track To be sent; null: the client's own microphone.
 * @param {((address: string, port: number) => Promise<number>) | null} relay Gives the port of a
 *   bad network to that address, for what is heard.
 * @param {string | null} mirror Address at which this machine meets itself by way of a bad network.
 * @returns {Promise<Heard>} Once it can be heard.
 */
export function open(way, context, track, relay = null, mirror = null) {
  if (way !== 'direct') return throughServer(way, context, track, relay);
  return direct(context, track, detourOf(relay, mirror));
}

/** Where a connection of this page is met by way of the bad network; null: there is none. */
function detourOf(relay, mirror) {
  if (mirror) return async (address, port) => (address.startsWith('127.') ? null : [mirror, port]);
  return relay && (async (address, port) => ['127.0.0.1', await relay(address, port)]);
}

/** Ask for stereo, short packets and the bitrate of the server's mixes. */
const tune = (sdp) =>
  sdp
    .replace(
      /a=fmtp:111 [^\r\n]*/,
      (line) => `${line};stereo=1;sprop-stereo=1;maxaveragebitrate=${BITRATE_BPS}`,
    )
    .replace(/(m=audio [\s\S]*?)$/, `$1a=ptime:${PTIME_MS}\r\n`);

/** Over the bad network, if there is one: only who listens is told where the other is, by way of it. */
async function direct(context, track, detour) {
  const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
  let found = false;
  if (detour) {
    from.onicecandidate = async ({ candidate }) => {
      const line = /^(candidate:\S+ 1 udp \d+) ([\d.]+) (\d+) typ host/i.exec(candidate?.candidate ?? '');
      if (!line || found) return;
      const place = await detour(line[2], Number(line[3]));
      if (!place || found) return;
      found = true;
      const there = `${line[1]} ${place.join(' ')} typ host`;
      await to.addIceCandidate({ candidate: there, sdpMid: candidate.sdpMid });
    };
  } else {
    from.onicecandidate = ({ candidate }) => to.addIceCandidate(candidate);
    to.onicecandidate = ({ candidate }) => from.addIceCandidate(candidate);
  }
  const came = new Promise((resolve) => {
    to.ontrack = ({ track: remote, receiver }) => {
      receiver.jitterBufferTarget = 0;
      resolve(remote);
    };
  });
  from.addTrack(track, new MediaStream([track]));
  await from.setLocalDescription(await from.createOffer());
  await to.setRemoteDescription({ type: 'offer', sdp: tune(from.localDescription.sdp) });
  await to.setLocalDescription(await to.createAnswer());
  await from.setRemoteDescription({ type: 'answer', sdp: tune(to.localDescription.sdp) });
  const remote = await came;
  // Chromium decodes a remote track for WebAudio only while an element plays it.
  const element = new Audio();
  element.muted = true;
  element.srcObject = new MediaStream([remote]);
  await element.play();
  const output = tap(context, remote);
  return { output, browsers: output, connection: () => to, speaker: null, listener: null };
}

async function throughServer(way, context, track, relay) {
  const platform = { ...browserPlatform(io), createAudioContext: () => context };
  const bad = { ...platform, createPeerConnection: (config) => detoured(config, relay) };
  const speaker = new BaseClient(location.origin, {}, platform);
  const listener = new BaseClient(location.origin, { playout: PLAYOUT[way] }, relay ? bad : platform);
  const roomId = `browser-loop-${crypto.randomUUID()}`;
  for (const [client, role] of /** @type {const} */ ([
    [speaker, 'publisher'],
    [listener, 'subscriber'],
  ])) {
    await client.connect();
    await client.joinRoom({ roomId, role });
  }
  await speaker.startPublishing({ track: track ?? undefined, musicMode: true });
  await listener.startSubscribing();
  const path = way === 'browser' ? 'browser' : 'low-latency';
  await until(() => listener.playback.track !== null, () => 'no track came');
  await until(() => listener.playout.path === path, () => `heard by ${JSON.stringify(listener.playout)}`);
  if (way === 'back') {
    listener.setPlayout('browser');
    await until(() => listener.playout.path === 'browser', () => 'it keeps to our own path');
  }
  const browsers = tap(context, listener.playback.track);
  const output = way === 'browser' ? browsers : listener.playback.output;
  return { output, browsers, connection: () => listener.peerConnection, speaker, listener };
}

const tap = (context, track) => context.createMediaStreamSource(new MediaStream([track]));

/** A connection whose answers name the relay in place of the server. */
function detoured(configuration, relay) {
  const connection = new RTCPeerConnection(configuration);
  const setRemote = connection.setRemoteDescription.bind(connection);
  connection.setRemoteDescription = async ({ type, sdp }) => {
    const line = /^(a=candidate:\S+ 1 udp \d+) (127\.0\.0\.1) (\d+)/im.exec(sdp);
    if (!line) throw new Error('the server does not announce the loopback address');
    const port = await relay(line[2], Number(line[3]));
    const others = sdp.replace(/^a=candidate:.*\r?\n/gim, '');
    await setRemote({ type, sdp: `${others}${line[1]} 127.0.0.1 ${port} typ host\r\n` });
  };
  return connection;
}

async function until(isSo, complaint) {
  const end = performance.now() + WITHIN_MS;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(complaint());
    await sleep(20);
  }
}
