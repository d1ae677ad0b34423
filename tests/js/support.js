/** Stand-ins for clock, socket and peer connection, so that the client runs without a browser. */

import assert from 'node:assert/strict';

/** A clock that only moves when told; its timers run in order. */
export class VirtualClock {
  #now = 0;
  #nextId = 1;
  /** @type {Map<number, { at: number, callback: () => void }>} */
  #timers = new Map();

  now = () => this.#now;

  /** @param {() => void} callback @param {number} delayMs */
  setTimer = (callback, delayMs) => {
    const id = this.#nextId++;
    this.#timers.set(id, { at: this.#now + delayMs, callback });
    return id;
  };

  /** @param {number} id */
  clearTimer = (id) => {
    this.#timers.delete(id);
  };

  get pending() {
    return this.#timers.size;
  }

  /** @param {number} ms */
  async advance(ms) {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers]
        .filter(([, { at }]) => at <= end)
        .sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].callback();
      await settle();
    }
    this.#now = end;
  }
}

/** Let everything that waits for promises only get done. */
export async function settle() {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

/**
 * A server in a few lines: answers each event with `answers[event]`, remembers what was asked, and
 * can go away.
 */
export class FakeServer {
  /** @type {{ event: string, payload: any }[]} */
  asked = [];
  reachable = true;
  /** Whether it takes connections and requests, and answers none. */
  hangs = false;

  /** @param {VirtualClock} clock For acknowledgements that never come. */
  constructor(clock) {
    this.clock = clock;
  }

  /** @type {Record<string, (payload: any) => any>} */
  answers = {};
  /** @type {Set<FakeSocket>} */
  sockets = new Set();

  /** @type {unknown[][]} With what sockets were made. */
  opened = [];

  /** @param {unknown[]} given */
  createSocket = (...given) => {
    this.opened.push(given);
    const socket = new FakeSocket(this);
    this.sockets.add(socket);
    return socket;
  };

  /** @param {string} event */
  count(event) {
    return this.asked.filter((request) => request.event === event).length;
  }

  /** @param {string} event */
  last(event) {
    return this.asked.findLast((request) => request.event === event)?.payload;
  }

  /** @param {string} event @param {any} payload */
  emit(event, payload) {
    for (const socket of this.sockets) if (socket.connected) socket.fire(event, payload);
  }

  /** Cut every connection. */
  cut() {
    for (const socket of this.sockets) socket.drop('transport close');
  }
}

export class FakeSocket {
  /** @param {FakeServer} server */
  constructor(server) {
    this.server = server;
  }

  connected = false;
  #limitMs = Infinity;
  io = { timeout: (/** @type {number} */ ms) => (this.#limitMs = ms) };
  /** @type {Set<number>} */
  #limits = new Set();
  /** @type {Map<string, ((...args: any[]) => void)[]>} */
  #handlers = new Map();

  /** @param {string} event @param {(...args: any[]) => void} handler */
  on(event, handler) {
    this.#handlers.set(event, [...(this.#handlers.get(event) ?? []), handler]);
  }

  removeAllListeners() {
    this.#handlers.clear();
  }

  /** @param {string} event @param {...any} args */
  fire(event, ...args) {
    for (const handler of this.#handlers.get(event) ?? []) handler(...args);
  }

  connect() {
    queueMicrotask(() => {
      if (!this.server.reachable) {
        this.fire('connect_error', new Error('refused'));
        return;
      }
      if (this.server.hangs) {
        const late = () => this.fire('connect_error', new Error('timeout'));
        this.server.clock.setTimer(late, this.#limitMs);
        return;
      }
      this.connected = true;
      this.fire('connect');
    });
  }

  disconnect() {
    this.drop('io client disconnect');
  }

  /** @param {string} why */
  drop(why) {
    if (!this.connected) return;
    this.connected = false;
    for (const limit of this.#limits) this.server.clock.clearTimer(limit);
    this.#limits.clear();
    this.fire('disconnect', why);
  }

  /** @param {number} ms */
  timeout(ms) {
    return {
      /** @param {string} event @param {...any} args */
      emit: (event, ...args) => void this.#ask(ms, event, args),
    };
  }

  /** @param {number} ms @param {string} event @param {any[]} args */
  async #ask(ms, event, args) {
    const acknowledge = args.pop();
    const { server } = this;
    server.asked.push({ event, payload: args[0] });
    const limit = server.clock.setTimer(() => {
      this.#limits.delete(limit);
      acknowledge(new Error('operation has timed out'));
    }, ms);
    this.#limits.add(limit);
    if (server.hangs) return;
    const answer = server.answers[event];
    const ack = answer ? await answer(args[0]) : { ok: true };
    if (ack === undefined || !this.#limits.delete(limit)) return;
    server.clock.clearTimer(limit);
    acknowledge(null, ack);
  }
}

/** A browser that gives no encoded frames away. */
export const NO_OWN_PLAYOUT = {
  createAudioContext: null,
  createFramesWorker: null,
  createTransform: () => assert.fail('there are no transforms'),
  createPlayoutNode: () => assert.fail('there are no nodes'),
  isIsolated: false,
  gestures: new EventTarget(),
};

/**
 * What our own playout path reports while all is well.
 * @param {Partial<import('../../webrtc/static/client/playout/types.js').PlayoutStats>} [change]
 * @returns {import('../../webrtc/static/client/playout/types.js').PlayoutStats}
 */
export const playoutStats = (change = {}) => ({
  state: 'playing',
  received: 0,
  duplicates: 0,
  late: 0,
  lost: 0,
  reordered: 0,
  malformed: 0,
  dropped: 0,
  resets: 0,
  underruns: 0,
  fecSamples: 0,
  concealedSamples: 0,
  compressedSamples: 0,
  expandedSamples: 0,
  skippedSamples: 0,
  decodeErrors: 0,
  playedSamples: 0,
  depthMs: 10,
  targetMs: 10,
  wantedMs: 10,
  delayMs: 10,
  playoutOffsetMs: null,
  jitterMs: 1,
  driftPpm: 0,
  gain: 1,
  ...change,
});

/** @param {string} reason */
export const refusal = (reason) => ({ ok: false, error: { reason, detail: `because ${reason}` } });

/** What a browser with RED can send. */
export const SEND_CODECS = [
  { mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  { mimeType: 'audio/red', clockRate: 48000, channels: 2 },
  { mimeType: 'audio/PCMU', clockRate: 8000, channels: 1 },
];

/** As much of RTCPeerConnection as one audio transceiver needs; it connects when it is answered. */
export class FakePeerConnection extends EventTarget {
  /** @type {FakePeerConnection[]} */
  static made = [];

  /** @param {RTCConfiguration} [configuration] */
  constructor(configuration) {
    super();
    this.configuration = configuration;
    FakePeerConnection.made.push(this);
  }

  signalingState = 'stable';
  connectionState = 'new';
  offers = 0;
  restarts = 0;
  /** @type {string[]} */
  log = [];
  /** @type {any[]} What `getStats()` tells. */
  report = [];
  transceiver = {
    direction: 'inactive',
    codecs: SEND_CODECS,
    setCodecPreferences: (/** @type {typeof SEND_CODECS} */ codecs) => {
      this.transceiver.codecs = codecs;
    },
    receiver: {},
    sender: {
      track: /** @type {unknown} */ (null),
      replaceTrack: async (/** @type {unknown} */ track) => {
        this.transceiver.sender.track = track;
      },
    },
  };

  /** @param {unknown} trackOrKind @param {{ direction: string }} options */
  addTransceiver(trackOrKind, { direction }) {
    this.transceiver.direction = direction;
    if (typeof trackOrKind !== 'string') this.transceiver.sender.track = trackOrKind;
    return this.transceiver;
  }

  /** @param {{ iceRestart?: boolean }} options */
  async createOffer({ iceRestart = false } = {}) {
    this.offers += 1;
    if (iceRestart) this.restarts += 1;
    return {
      type: 'offer',
      sdp: `offer ${this.offers} ${this.transceiver.direction}${this.#codecLines()}`,
    };
  }

  /** Nothing, for the browser's own order of codecs. */
  #codecLines() {
    const first = this.transceiver.codecs[0]?.mimeType.replace('audio/', '');
    return first === 'opus' ? '' : `\r\nm=audio 9 X 63 111\r\na=rtpmap:63 ${first}/48000/2\r\n`;
  }

  async getStats() {
    return new Map(this.report.entries());
  }

  async createAnswer() {
    return { type: 'answer', sdp: 'our answer' };
  }

  /** @param {{ type: string, sdp?: string }} description */
  async setLocalDescription({ type }) {
    this.log.push(`local ${type}`);
    if (type === 'offer') this.signalingState = 'have-local-offer';
    else this.signalingState = 'stable';
  }

  /** @param {{ type: string, sdp: string }} description */
  async setRemoteDescription({ type, sdp }) {
    this.log.push(`remote ${type} ${sdp}`);
    if (type === 'offer') {
      this.signalingState = 'have-remote-offer';
      return;
    }
    if (this.signalingState !== 'have-local-offer')
      throw new Error(`answer in ${this.signalingState}`);
    this.signalingState = 'stable';
    if (this.connectionState === 'new') this.become('connected');
  }

  async addIceCandidate() {}

  /** @param {string} state */
  become(state) {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }

  close() {
    this.connectionState = 'closed';
    this.signalingState = 'closed';
  }
}
