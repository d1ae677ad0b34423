/**
 * Everything the client needs of a browser, in one object, so that it also runs where there is
 * none.
 */

/** @typedef {import('./signaling.js').SocketLike} SocketLike */

/**
 * @typedef {object} Platform
 * @property {(serverUrl: string, path?: string) => SocketLike} createSocket
 * @property {(configuration: RTCConfiguration) => RTCPeerConnection} createPeerConnection
 * @property {() => RTCRtpCodec[]} sendCodecs What the browser can send, the default first.
 * @property {() => HTMLAudioElement} createAudioElement
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
    createSocket: (serverUrl, path) => {
      const url = new URL(serverUrl, globalThis.location?.href);
      const prefix = url.pathname.replace(/\/$/, '');
      return io(url.origin, {
        path: path ?? `${prefix}/socket.io/`,
        transports: ['websocket'],
        reconnection: false,
        autoConnect: false,
        forceNew: true,
        timeout: 5000,
      });
    },
    createPeerConnection: (configuration) => new RTCPeerConnection(configuration),
    sendCodecs: () => globalThis.RTCRtpSender?.getCapabilities?.('audio')?.codecs ?? [],
    createAudioElement: () => new Audio(),
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
