/**
 * One RTCPeerConnection with one audio transceiver of ours, and its negotiation. The server may offer
 * more, to receive only.
 *
 * Invariants: at most one offer of ours is open; on glare the client yields (it answers the
 * server's offer first, then offers again); an outdated answer is never applied; a closed or
 * replaced connection reports nothing.
 */

import { AudioStreamingError } from './errors.js';
import { tuneOpus } from './sdp.js';

/** Offers in a row that may meet an open offer of the server. */
const MAX_GLARES = 10;

/**
 * @typedef {import('./sdp.js').OpusWishes} OpusWishes
 * @typedef {'up' | 'shaky' | 'failed'} LinkState
 */

/**
 * @typedef {object} LinkHandlers
 * @property {(sdp: string) => Promise<string>} sendOffer Resolves with the answer's SDP.
 * @property {(sdp: string) => Promise<unknown>} sendAnswer
 * @property {(candidate: RTCIceCandidateInit | null) => void} sendCandidate
 * @property {(state: LinkState) => void} state
 * @property {(receiver: RTCRtpReceiver) => void} receiver Of a new connection, in the turn of the
 *   loop in which it was made.
 * @property {() => void} closed
 * @property {(track: MediaStreamTrack) => void} track The remote mix.
 * @property {(mid: string, track: MediaStreamTrack, receiver: RTCRtpReceiver) => void} further
 *   Another track, in the turn of the loop in which its receiver was made, of the server's
 *   offering.
 */

export class PeerLink {
  /**
   * @param {LinkHandlers} handlers
   * @param {Pick<import('./platform.js').Platform, 'createPeerConnection' | 'sendCodecs'>} platform
   */
  constructor(handlers, platform) {
    this.#handlers = handlers;
    this.#platform = platform;
  }

  #handlers;
  #platform;
  /** @type {RTCPeerConnection | null} */
  #pc = null;
  /** @type {RTCRtpTransceiver | null} */
  #transceiver = null;
  /** @type {MediaStreamTrack | null} */
  #track = null;
  /** @type {RTCRtpTransceiverDirection} */
  #direction = 'inactive';
  /** @type {OpusWishes} */
  #opus = { mode: 'speech', ptimeMs: 10 };
  /** @type {number | null} */
  #jitterBufferMs = 0;
  #redundancy = false;
  /** Whether the transceiver was told so. */
  #prefersRed = false;
  /** @type {Promise<void> | null} */
  #offering = null;
  #offerAgain = false;
  #iceRestart = false;
  /** @type {Promise<void>} */
  #answering = Promise.resolve();
  /** @type {RTCIceCandidateInit[] | null} Held back until the server knows this connection. */
  #heldCandidates = [];
  #remoteOffers = 0;

  /** The live connection, for figures; null when there is none. */
  get connection() {
    return this.#pc;
  }

  /** Whether this browser can send RED. */
  get canBeRedundant() {
    return this.#platform.sendCodecs().some(isRed);
  }

  /**
   * What the next offer says.
   * @param {{ direction?: RTCRtpTransceiverDirection, opus?: OpusWishes,
   *   jitterBufferMs?: number | null, redundancy?: boolean }} wishes `redundancy`: send each packet
   *   twice, where the browser can.
   */
  configure({ direction, opus, jitterBufferMs, redundancy }) {
    if (direction !== undefined) this.#direction = direction;
    if (opus !== undefined) this.#opus = opus;
    if (jitterBufferMs !== undefined) this.#jitterBufferMs = jitterBufferMs;
    if (redundancy !== undefined) this.#redundancy = redundancy;
    if (this.#transceiver) {
      this.#transceiver.direction = this.#direction;
      this.#shortenBuffer(this.#transceiver.receiver);
      this.#orderCodecs(this.#transceiver);
    }
  }

  /**
   * Send this track from now on; needs no negotiation.
   * @param {MediaStreamTrack | null} track
   */
  async setTrack(track) {
    this.#track = track;
    await this.#transceiver?.sender.replaceTrack(track);
  }

  /**
   * Throw the connection away and offer a new one.
   * @param {RTCConfiguration} configuration
   */
  renew(configuration) {
    this.close();
    const pc = this.#platform.createPeerConnection(configuration);
    this.#pc = pc;
    this.#heldCandidates = [];
    pc.addEventListener('connectionstatechange', () => this.#report(pc));
    pc.addEventListener('icecandidate', (event) => this.#candidate(pc, event.candidate));
    pc.addEventListener('track', (event) => {
      if (pc === this.#pc) this.#tookTrack(event);
    });
    this.#transceiver = pc.addTransceiver(this.#track ?? 'audio', { direction: this.#direction });
    this.#handlers.receiver(this.#transceiver.receiver);
    this.#shortenBuffer(this.#transceiver.receiver);
    this.#prefersRed = false;
    this.#orderCodecs(this.#transceiver);
    return this.offer();
  }

  /**
   * Offer the present state. Calls while an offer is open lead to one more offer and share its
   * promise.
   * @param {{ iceRestart?: boolean }} [options]
   * @returns {Promise<void>} Settles when the last answer is applied.
   * @throws {AudioStreamingError} `negotiation_failed`, `aborted`, or as `sendOffer` does.
   */
  offer({ iceRestart = false } = {}) {
    const pc = this.#pc;
    if (!pc) {
      return Promise.reject(new AudioStreamingError('aborted', 'The media connection was closed.'));
    }
    if (iceRestart) this.#iceRestart = true;
    this.#offerAgain = true;
    this.#offering ??= this.#offerUntilSettled(pc);
    return this.#offering;
  }

  /**
   * Answer the server's offer; an open offer of ours is rolled back and made again afterwards.
   * @param {string} sdp
   */
  answer(sdp) {
    const pc = this.#pc;
    if (!pc) return Promise.resolve();
    this.#remoteOffers += 1;
    this.#answering = this.#answering.then(async () => {
      if (pc !== this.#pc) return;
      await pc.setRemoteDescription({ type: 'offer', sdp });
      const answer = await pc.createAnswer();
      const tuned = await this.#setLocal(pc, 'answer', answer.sdp ?? '');
      await this.#handlers.sendAnswer(tuned);
    });
    const answered = this.#answering;
    this.#answering = answered.catch(() => {});
    return answered;
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  async addRemoteCandidate(candidate) {
    try {
      await this.#pc?.addIceCandidate(candidate ?? undefined);
    } catch {
      // A candidate of a former ICE generation; the current one has its own.
    }
  }

  close() {
    const pc = this.#pc;
    this.#pc = null;
    this.#transceiver = null;
    this.#offering = null;
    this.#offerAgain = false;
    this.#iceRestart = false;
    if (!pc) return;
    pc.close();
    this.#handlers.closed();
  }

  /** @param {RTCTrackEvent} event */
  #tookTrack({ track, transceiver }) {
    if (transceiver === this.#transceiver) {
      this.#handlers.track(track);
    } else if (transceiver.mid !== null) {
      this.#shortenBuffer(transceiver.receiver);
      this.#handlers.further(transceiver.mid, track, transceiver.receiver);
    }
  }

  /** @param {RTCPeerConnection} pc */
  async #offerUntilSettled(pc) {
    try {
      let glares = 0;
      while (this.#offerAgain) {
        this.#offerAgain = false;
        if (!(await this.#offerOnce(pc))) {
          glares += 1;
          if (glares > MAX_GLARES)
            throw new AudioStreamingError('glare', 'The server never yields.');
          this.#offerAgain = true;
        }
        this.#assertCurrent(pc);
      }
    } finally {
      if (pc === this.#pc) this.#offering = null;
    }
    this.#report(pc);
  }

  /**
   * @param {RTCPeerConnection} pc
   * @returns {Promise<boolean>} False: a server's offer came in between, offer again.
   */
  async #offerOnce(pc) {
    await this.#answering;
    this.#assertCurrent(pc);
    const remoteOffers = this.#remoteOffers;
    const iceRestart = this.#iceRestart;
    this.#iceRestart = false;
    const offer = await apply(() => pc.createOffer({ iceRestart }));
    if (remoteOffers !== this.#remoteOffers) return this.#yield(iceRestart);
    const sdp = await this.#setLocal(pc, 'offer', offer.sdp ?? '');
    let answer;
    try {
      answer = await this.#handlers.sendOffer(sdp);
    } catch (error) {
      this.#assertCurrent(pc);
      if (error instanceof AudioStreamingError && error.reason === 'glare') {
        return this.#yield(iceRestart);
      }
      if (pc.signalingState === 'have-local-offer') await rollBack(pc);
      throw error;
    }
    this.#assertCurrent(pc);
    if (remoteOffers !== this.#remoteOffers) return this.#yield(iceRestart);
    await apply(() => pc.setRemoteDescription({ type: 'answer', sdp: answer }));
    this.#releaseCandidates();
    return true;
  }

  /** @param {boolean} iceRestart */
  #yield(iceRestart) {
    if (iceRestart) this.#iceRestart = true;
    return false;
  }

  /**
   * @param {RTCPeerConnection} pc
   * @param {'offer' | 'answer'} type
   * @param {string} sdp
   * @returns {Promise<string>} What to send.
   */
  async #setLocal(pc, type, sdp) {
    this.#assertCurrent(pc);
    const tuned = tuneOpus(sdp, this.#opus);
    try {
      await pc.setLocalDescription({ type, sdp: tuned });
    } catch {
      // A browser that forbids edited descriptions still sends what the server asks for.
      await apply(() => pc.setLocalDescription({ type, sdp }));
    }
    return tuned;
  }

  /** @param {RTCPeerConnection} pc */
  #assertCurrent(pc) {
    if (pc !== this.#pc) throw new AudioStreamingError('aborted', 'The connection was replaced.');
  }

  /** @param {RTCRtpReceiver} receiver */
  #shortenBuffer(receiver) {
    const target = this.#jitterBufferMs;
    if (target === null) return;
    const adjustable = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (receiver));
    try {
      adjustable.jitterBufferTarget = target;
      adjustable.playoutDelayHint = target / 1000;
    } catch {
      // An unsupported range; the browser's own choice stands.
    }
  }

  /** @param {RTCRtpTransceiver} transceiver */
  #orderCodecs(transceiver) {
    if (this.#redundancy === this.#prefersRed || !this.canBeRedundant) return;
    const codecs = this.#platform.sendCodecs();
    const redFirst = [...codecs].sort((a, b) => Number(isRed(b)) - Number(isRed(a)));
    // Written out also for the way back: an empty list would keep the order last negotiated.
    transceiver.setCodecPreferences(this.#redundancy ? redFirst : codecs);
    this.#prefersRed = this.#redundancy;
  }

  /**
   * @param {RTCPeerConnection} pc
   * @param {RTCIceCandidate | null} candidate
   */
  #candidate(pc, candidate) {
    if (pc !== this.#pc || !candidate || candidate.candidate === '') return;
    if (this.#heldCandidates) this.#heldCandidates.push(candidate.toJSON());
    else this.#handlers.sendCandidate(candidate.toJSON());
  }

  #releaseCandidates() {
    const held = this.#heldCandidates;
    this.#heldCandidates = null;
    for (const candidate of held ?? []) this.#handlers.sendCandidate(candidate);
  }

  /** @param {RTCPeerConnection} pc */
  #report(pc) {
    if (pc !== this.#pc) return;
    if (pc.connectionState === 'connected') this.#handlers.state('up');
    if (pc.connectionState === 'disconnected') this.#handlers.state('shaky');
    if (pc.connectionState === 'failed') this.#handlers.state('failed');
  }
}

/** @param {RTCRtpCodec} codec */
const isRed = ({ mimeType }) => mimeType.toLowerCase() === 'audio/red';

/** @param {RTCPeerConnection} pc */
async function rollBack(pc) {
  await apply(() => pc.setLocalDescription({ type: 'rollback' }));
}

/**
 * @template T
 * @param {() => Promise<T>} step
 * @returns {Promise<T>}
 */
async function apply(step) {
  try {
    return await step();
  } catch (error) {
    throw new AudioStreamingError(
      'negotiation_failed',
      'The browser refused a session description.',
      error,
    );
  }
}
