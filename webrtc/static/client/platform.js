/**
 * Everything the client needs of a browser, in one object, so that it also runs where there is
 * none.
 */

import { Addresses } from './addresses.js';
import { PlayoutNode } from './playout/playout_node.js';

/** @typedef {import('./signaling.js').SocketLike} SocketLike */

/**
 * @typedef {object} Platform
 * @property {(serverUrl: string | string[], path?: string, token?: string) => SocketLike}
 *   createSocket
 * @property {(configuration: RTCConfiguration) => RTCPeerConnection} createPeerConnection
 * @property {() => RTCRtpCodec[]} sendCodecs What the browser can send, the default first.
 * @property {() => HTMLAudioElement} createAudioElement
 * @property {((latencyHint: AudioContextLatencyCategory | number) => AudioContext) | null}
 *   createAudioContext
 * @property {(() => Worker) | null} createFramesWorker Null: the browser does not give encoded
 *   frames away, or cannot play what is made of them.
 * @property {(worker: Worker, port: MessagePort) => RTCRtpScriptTransform} createTransform
 * @property {(context: AudioContext) => Promise<PlayoutNode>} createPlayoutNode
 * @property {boolean} isIsolated Whether threads of this page may share memory.
 * @property {EventTarget} gestures Fires `pointerdown` and `keydown`.
 * @property {MediaDevices | undefined} mediaDevices
 * @property {boolean} isSecureContext
 * @property {boolean} hasWebRtc
 * @property {EventTarget} network
 * @property {() => number} now Milliseconds, monotonic.
 * @property {() => number} wallNow Milliseconds, going on while the machine sleeps.
 * @property {() => number} random
 * @property {(callback: () => void, delayMs: number) => unknown} setTimer
 * @property {(handle: any) => void} clearTimer
 */

/**
 * @param {(uri: string, options: Record<string, unknown>) => any} io socket.io-client's `io`.
 * @returns {Platform}
 */
export function browserPlatform(io) {
  return {
    createSocket: (serverUrl, path, token) => {
      const addresses = new Addresses(serverUrl, path, globalThis.location?.href);
      const { origin, path: socketPath } = addresses.current;
      const socket = io(origin, {
        path: socketPath,
        ...(token === undefined ? {} : { auth: { token } }),
        transports: ['websocket'],
        reconnection: false,
        autoConnect: false,
        forceNew: true,
      });
      addresses.follow(socket);
      return socket;
    },
    createPeerConnection: (configuration) => new RTCPeerConnection(configuration),
    sendCodecs: () => globalThis.RTCRtpSender?.getCapabilities?.('audio')?.codecs ?? [],
    createAudioElement: () => new Audio(),
    createAudioContext:
      typeof AudioContext === 'function'
        ? (latencyHint) =>
            new AudioContext({ latencyHint: TELLS_UNDERRUNS ? latencyHint : 'interactive' })
        : null,
    createFramesWorker: canPlayFrames() ? createFramesWorker : null,
    createTransform: (worker, port) => new RTCRtpScriptTransform(worker, { port }, [port]),
    createPlayoutNode: (context) => PlayoutNode.create(context),
    isIsolated: globalThis.crossOriginIsolated === true,
    gestures: globalThis.document ?? new EventTarget(),
    mediaDevices: navigator.mediaDevices,
    isSecureContext: globalThis.isSecureContext,
    hasWebRtc: typeof RTCPeerConnection === 'function',
    network: globalThis,
    now: () => performance.now(),
    wallNow: () => Date.now(),
    random: Math.random,
    setTimer: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimer: (handle) => clearTimeout(handle),
  };
}

/** Without it, whether a device needs a margin would be found out by ear. */
const TELLS_UNDERRUNS =
  typeof AudioContext === 'function' && 'playbackStats' in AudioContext.prototype;

/** Worklets are only given to https pages and localhost. */
const canPlayFrames = () =>
  typeof RTCRtpScriptTransform === 'function' &&
  'transform' in RTCRtpReceiver.prototype &&
  typeof Worker === 'function' &&
  typeof AudioWorkletNode === 'function' &&
  typeof WebAssembly === 'object' &&
  globalThis.isSecureContext;

/** A browser starts no worker from a file of another origin than the page's, but may import it. */
function createFramesWorker() {
  const url = new URL('./playout/frames_worker.js', import.meta.url);
  if (url.origin === globalThis.location?.origin) return new Worker(url, { type: 'module' });
  const script = new Blob([`import ${JSON.stringify(url.href)};`], { type: 'text/javascript' });
  const blobUrl = URL.createObjectURL(script);
  const worker = new Worker(blobUrl, { type: 'module' });
  worker.addEventListener('message', () => URL.revokeObjectURL(blobUrl), { once: true });
  return worker;
}
