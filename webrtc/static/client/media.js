/**
 * The sound's connection: carries out what media_machine.js decides on one PeerLink.
 */

import { AudioStreamingError, PASSING_REASONS } from './errors.js';
import { Emitter } from './emitter.js';
import { MediaMachine } from './media_machine.js';
import { PeerLink } from './peer_link.js';
import { prefersRed, readPtimeMs } from './sdp.js';
import { MachineTimer } from './timer.js';

/**
 * @typedef {object} MediaEvents
 * @property {{}} change The state changed.
 * @property {{ receiver: RTCRtpReceiver }} receiver Of a new connection, in the turn of the loop in
 *   which it was made.
 * @property {{}} closed The connection was closed.
 * @property {{ track: MediaStreamTrack }} track The mix comes in.
 * @property {{ mid: string, track: MediaStreamTrack, receiver: RTCRtpReceiver }} further A track
 *   besides the mix comes in, in the turn of the loop in which its receiver was made.
 * @property {{ error: AudioStreamingError }} error An attempt failed; the next one is planned.
 */

/**
 * @typedef {object} MediaPlatform
 * @property {(configuration: RTCConfiguration) => RTCPeerConnection} createPeerConnection
 * @property {() => RTCRtpCodec[]} sendCodecs
 */

/** Reasons that leave the offer to be made again once signaling is back. */
const SIGNALING_LOST = new Set(['not_connected', 'not_joined', 'aborted']);

/** @extends {Emitter<MediaEvents>} */
export class Media extends Emitter {
  /**
   * @param {(event: string, payload: unknown, timeoutMs?: number) => Promise<Record<string, any>>}
   *   request Asks the server.
   * @param {import('./timer.js').Clock & { random: () => number } & MediaPlatform} platform
   */
  constructor(request, platform) {
    super();
    this.#platform = platform;
    this.#machine = new MediaMachine(platform);
    this.#timer = new MachineTimer(
      platform,
      () => this.#machine.pollTimeout(),
      (now) => this.#carryOut(this.#machine.handleTimer(now)),
    );
    this.#link = new PeerLink(
      {
        sendOffer: async (sdp) => {
          const answer = await request('offer', { type: 'offer', sdp }, 15000);
          this.#ptimeMs = readPtimeMs(String(answer.sdp)) ?? null;
          this.#redundancy = prefersRed(String(answer.sdp));
          return String(answer.sdp);
        },
        sendAnswer: (sdp) => request('answer', { type: 'answer', sdp }),
        sendCandidate: (candidate) => {
          const { candidate: line, sdpMid, sdpMLineIndex } = candidate ?? {};
          // The server is ICE-lite and needs none of them: a refusal does no harm.
          request('ice_candidate', { candidate: line, sdpMid, sdpMLineIndex }).catch(() => {});
        },
        state: (state) => this.input(state),
        receiver: (receiver) => this.emit('receiver', { receiver }),
        closed: () => this.emit('closed', {}),
        track: (track) => this.emit('track', { track }),
        further: (mid, track, receiver) => this.emit('further', { mid, track, receiver }),
      },
      platform,
    );
  }

  #platform;
  #machine;
  #timer;
  #link;
  /** @type {RTCConfiguration} */
  #configuration = {};
  /** @type {number | null} */
  #ptimeMs = null;
  #redundancy = false;

  /** @returns {import('./media_machine.js').MediaState} */
  get state() {
    return this.#machine.state;
  }

  get connection() {
    return this.#link.connection;
  }

  /** Packet time that the server asked of us. */
  get ptimeMs() {
    return this.#ptimeMs;
  }

  /** Whether this browser can send redundantly. */
  get canBeRedundant() {
    return this.#link.canBeRedundant;
  }

  /** Whether what we send is redundant. */
  get redundancy() {
    return this.#redundancy;
  }

  /** @param {RTCConfiguration} configuration For connections made from now on. */
  setConfiguration(configuration) {
    this.#configuration = configuration;
  }

  /** @param {MediaStreamTrack | null} track */
  setTrack(track) {
    return this.#link.setTrack(track);
  }

  /**
   * Which ways sound should flow.
   * @param {{ publish: boolean, subscribe: boolean, mode: 'speech' | 'music',
   *   jitterBufferMs: number | null, redundancy: boolean }} wishes
   */
  want({ publish, subscribe, mode, jitterBufferMs, redundancy }) {
    const direction = directionOf(publish, subscribe);
    this.#link.configure({ direction, opus: { mode, ptimeMs: 10 }, jitterBufferMs, redundancy });
    this.input(direction === 'inactive' ? 'unwant' : 'want');
  }

  /** @param {import('./media_machine.js').MediaInput} input */
  input(input) {
    this.#carryOut(this.#machine.handle(input, this.#platform.now()));
  }

  /** @param {string} sdp The server's offer. */
  async answer(sdp) {
    try {
      await this.#link.answer(sdp);
      this.#ptimeMs = readPtimeMs(sdp) ?? this.#ptimeMs;
    } catch (error) {
      if (error instanceof AudioStreamingError && SIGNALING_LOST.has(error.reason)) return;
      this.#fail(asError(error));
    }
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  addRemoteCandidate(candidate) {
    return this.#link.addRemoteCandidate(candidate);
  }

  /**
   * Wait until sound can flow as wanted.
   * @param {number} timeoutMs
   * @throws {AudioStreamingError} `media_unreachable`, `timeout`, `aborted`, or why the offer was
   *   refused. Refusals that pass are waited out.
   */
  whenUp(timeoutMs) {
    if (this.#machine.isSettled) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = new AbortController();
      /** @type {AudioStreamingError | null} */
      let refusal = null;
      const finish = (/** @type {() => void} */ settle) => {
        done.abort();
        this.#platform.clearTimer(limit);
        settle();
      };
      const limit = this.#platform.setTimer(() => {
        const late = new AudioStreamingError('timeout', 'The sound did not connect in time.');
        finish(() => reject(refusal ?? late));
      }, timeoutMs);
      const look = () => {
        if (this.#machine.isSettled) finish(() => resolve(undefined));
        if (this.state === 'idle') {
          finish(() => reject(new AudioStreamingError('aborted', 'The sound was stopped.')));
        }
        if (this.state === 'retrying' && !refusal) finish(() => reject(unreachable()));
      };
      /** @param {{ error: AudioStreamingError }} event */
      const refused = ({ error }) => {
        refusal = error;
        if (!PASSING_REASONS.has(error.reason)) finish(() => reject(error));
      };
      this.on('error', refused, { signal: done.signal });
      this.on('change', look, { signal: done.signal });
    });
  }

  /** @param {import('./media_machine.js').MediaEffect[]} effects */
  #carryOut(effects) {
    for (const effect of effects) {
      if (effect === 'close') this.#link.close();
      else void this.#negotiate(effect);
    }
    this.#timer.arm();
    this.emit('change', {});
  }

  /** @param {'offer' | 'restart' | 'renew'} step */
  async #negotiate(step) {
    try {
      if (step === 'renew') await this.#link.renew(this.#configuration);
      else await this.#link.offer({ iceRestart: step === 'restart' });
    } catch (error) {
      const reason = asError(error);
      if (SIGNALING_LOST.has(reason.reason)) return;
      if (this.state !== 'connected') this.#fail(reason);
      else this.#keep(reason);
      return;
    }
    this.input('settled');
  }

  /**
   * A change was refused; what ran before goes on.
   * @param {AudioStreamingError} error
   */
  #keep(error) {
    this.emit('error', { error });
    this.input(PASSING_REASONS.has(error.reason) ? 'delayed' : 'settled');
  }

  /** @param {AudioStreamingError} error */
  #fail(error) {
    this.emit('error', { error });
    this.input('settled');
    this.input('failed');
  }
}

const unreachable = () =>
  new AudioStreamingError('media_unreachable', 'Sound does not get through to the server.');

/**
 * @param {boolean} publish
 * @param {boolean} subscribe
 * @returns {RTCRtpTransceiverDirection}
 */
function directionOf(publish, subscribe) {
  if (publish) return subscribe ? 'sendrecv' : 'sendonly';
  return subscribe ? 'recvonly' : 'inactive';
}

/** @param {unknown} error */
const asError = (error) =>
  error instanceof AudioStreamingError
    ? error
    : new AudioStreamingError('negotiation_failed', String(error), error);
