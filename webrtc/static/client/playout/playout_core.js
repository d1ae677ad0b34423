/**
 * One track's way from frames to samples: jitter buffer, decoder, clock and delay.
 *
 * Positions are RTP time in samples at 48 kHz, extended over wrap-around. `#next` is the position
 * that is decoded next; what was decoded ahead waits in the line. Every rule follows from one
 * figure, the *excess*: by how much more than the deadline of `TransitWindow` asks the sound is
 * delayed. Time is that of the output: a frame is stamped with the first moment that could still
 * have been rendered with it. So what the deadline covers is all that a frame may be late by, be it
 * the network, a busy worker, or an output that asks for several blocks at once; and a frame's
 * delay needs no comparison of clocks.
 *
 * State   | event                                  | next    | done
 * --------|----------------------------------------|---------|----------------------------------
 * idle    | pull, a frame's deadline has passed    | playing | drop backlog, fade in
 * idle    | pull otherwise                         | idle    | silence
 * playing | frame there                            | playing | decode
 * playing | hole, later frame there                | playing | in-band FEC if it has it, else
 *         |                                        |         | conceal
 * playing | nothing there                          | playing | conceal; what it stands for is
 *         |                                        |         | `#debt`
 * playing | frames again, debt open                | playing | skip what the debt stands for, as
 *         |                                        |         | far as the deadline allows; else
 *         |                                        |         | keep the delay
 * playing | 100 ms concealed in a row              | idle    | faded out by then
 * playing | delay off by a millisecond             | playing | play faster or slower (`drift.js`)
 * playing | more excess, for a quarter of a second | playing | compress; beyond reach of that, skip
 * playing | less                                   | playing | expand
 * any     | the media clock or the path jumps      | idle    | forget everything
 *
 * Positions never go backwards but at such a jump. Sequence numbers only tell loss from silence
 * (DTX) and find duplicates. The rules but the fifth before last are those of the server's
 * `mixer/playout.py`. Never reads a clock; nothing is allocated in a pull.
 */

import { Counters } from './counters.js';
import { MAX_PAYLOAD_BYTES } from './decoder.js';
import { DelaySteering } from './delay_steering.js';
import { FrameQueue } from './frame_queue.js';
import { LossWatch } from './loss_watch.js';
import { Measures } from './measures.js';
import { SAMPLE_RATE_HZ, carriesFec, isDtx, samplesOf } from './opus_packet.js';
import { Resampler } from './resampler.js';
import { SampleLine } from './sample_line.js';
import { SoundMaker } from './sound_maker.js';
import { OVERLAP, crossfade } from './stretch.js';
import { TransitWindow } from './transit_window.js';

export const MIN_TARGET_S = 0.005;
/** 60 ms of the network, and what an output that asks for its blocks 10 ms at once makes of them. */
export const MAX_TARGET_S = 0.075;
/** Waited beyond the deadline that the jitter asks for. */
const MARGIN_S = 0.001;
const CONCEAL_STEP = 480;
const STARVING_AFTER = 960; // 20 ms made up, and nothing here: no jitter that was ever seen

export class Playout {
  #decoder;
  #resampler;
  #counters = new Counters();
  #measures = new Measures();
  #losses = new LossWatch();
  #queue = new FrameQueue(this.#counters, this.#losses);
  #line = new SampleLine();
  #sound;
  #transits = new TransitWindow();
  #steering;
  #ending = { left: new Float32Array(OVERLAP), right: new Float32Array(OVERLAP) };
  #rateHz;
  #playing = false;
  #next = 0;
  #debt = 0;
  #need = 0;

  /**
   * @param {import('./sound_maker.js').FrameDecoder} decoder
   * @param {number} rateHz Of the output.
   */
  constructor(decoder, rateHz) {
    this.#decoder = decoder;
    this.#rateHz = rateHz;
    this.#resampler = new Resampler(rateHz);
    this.#sound = new SoundMaker(decoder, this.#line, this.#counters);
    this.#steering = new DelaySteering(this.#line, this.#resampler.lookahead, this.#counters);
  }

  // ---- what the caller sees --------------------------------------------------------------------

  /**
   * Take one frame, in any order; bad ones are counted and dropped.
   *
   * @param {import('./types.js').EncodedFrame} frame
   * @param {number} availableS Time of the next block that can be pulled.
   * @param {number} [riskS] How much later that would have been, had it come a moment later.
   * @param {number} [waitedMs] For that block, since the worker handed it over; only measured.
   */
  push(frame, availableS, riskS = 0, waitedMs = 0) {
    this.#counters.received += 1;
    const samples = samplesOf(new Uint8Array(frame.payload));
    if (samples === 0 || frame.payload.byteLength > MAX_PAYLOAD_BYTES) {
      this.#counters.malformed += 1;
      return;
    }
    this.#accept(frame, samples, availableS, riskS, waitedMs);
  }

  /**
   * @param {import('./types.js').EncodedFrame} frame
   * @param {number} samples
   * @param {number} availableS
   * @param {number} riskS
   * @param {number} waitedMs
   */
  #accept(frame, samples, availableS, riskS, waitedMs) {
    const queued = this.#queue.admit(frame, samples, availableS, waitedMs);
    if (queued === null) return;
    const transitS = availableS - queued.position / SAMPLE_RATE_HZ;
    if (!this.#transits.add(transitS, availableS, riskS)) {
      this.reset();
      this.#accept(frame, samples, availableS, riskS, waitedMs);
      return;
    }
    this.#measures.arrived(queued);
    if (this.#losses.watching && carriesFec(queued.payload)) this.#losses.repairsCome(samples);
    this.#queue.add(queued, this.#next);
  }

  /**
   * Fill both channels with the next block.
   *
   * @param {Float32Array} left
   * @param {Float32Array} right
   * @param {number} nowS Of the block's first sample.
   */
  pull(left, right, nowS) {
    const step = this.#resampler.nominalStep * this.#steering.speed;
    this.#need = this.#resampler.need(left.length, step);
    if (!this.#playing && !this.#start(nowS)) {
      left.fill(0);
      right.fill(0);
      return;
    }
    if (this.#debt > 0 && this.#queue.first !== undefined) this.#settleDebt(nowS);
    this.#steer(left.length, nowS);
    while (this.#line.waiting < this.#need) this.#refill(nowS);
    this.#resampler.read(this.#line, left, right, step);
    this.#counters.playedSamples += left.length;
    if (this.#sound.fadedOut) this.#rest();
  }

  /** Whether sound goes out that was made up for want of any frame, though the sender went on. */
  get isStarving() {
    return this.#debt >= STARVING_AFTER && !this.#sound.resting;
  }

  /** Start afresh, as for a new sender; counters stay. */
  reset() {
    this.#counters.resets += 1;
    this.#decoder.reset();
    this.#transits.reset();
    this.#losses.reset();
    this.#queue.reset();
    this.#measures.reset();
    this.#steering.reset();
    this.#rest();
    this.#next = 0;
  }

  /** @returns {Omit<import('./types.js').PlayoutStats, 'gain'>} */
  stats() {
    const waiting = this.#line.waiting + this.#queue.samples;
    return {
      state: this.#playing ? 'playing' : 'idle',
      ...this.#counters,
      ...this.#measures.figures(),
      depthMs: (waiting * 1000) / SAMPLE_RATE_HZ,
      targetMs: this.#targetS() * 1000,
      wantedMs: this.#wantedS() * 1000,
      driftPpm: this.#steering.driftPpm,
    };
  }

  // ---- timing ----------------------------------------------------------------------------------

  /**
   * Delay behind the fastest frame that jitter and loss ask for.
   *
   * A block needs its sound at its beginning, a block's length before the last sample is heard; but
   * arrivals are counted in whole blocks already, rounded up, which is the same once more.
   */
  #wantedS() {
    const { deadlineS, floorS } = this.#transits;
    const ahead = this.#resampler.lookahead / SAMPLE_RATE_HZ;
    return deadlineS - floorS + MARGIN_S + this.#losses.extensionS + ahead;
  }

  #targetS() {
    return Math.min(MAX_TARGET_S, Math.max(MIN_TARGET_S, this.#wantedS()));
  }

  /**
   * Return by how many samples a block that begins at `position` is delayed more than it should be.
   *
   * @param {number} position
   * @param {number} nowS
   */
  #excess(position, nowS) {
    const delayS = nowS - position / SAMPLE_RATE_HZ - this.#transits.floorS;
    return Math.floor((delayS - this.#targetS()) * SAMPLE_RATE_HZ);
  }

  /** Position of the sample that is heard next. */
  #position() {
    return this.#next - this.#line.waiting;
  }

  /**
   * Begin to play when the deadline of what waits has passed.
   *
   * @param {number} nowS
   * @returns {boolean} Whether it has.
   */
  #start(nowS) {
    const queue = this.#queue;
    queue.dropLate(this.#next);
    while (queue.first !== undefined && isDtx(queue.first.payload)) queue.takeFirst();
    if (queue.first === undefined) return false;
    const excess = this.#excess(queue.first.position, nowS);
    if (excess < 0) return false;
    this.#dropUpTo(queue.first.position + excess, 1);
    this.#next = queue.first.position;
    this.#playing = true;
    this.#steering.calm();
    return true;
  }

  /**
   * Drop frames as long as the one `beyond` places further is not after `goal`.
   *
   * @param {number} goal
   * @param {number} beyond
   */
  #dropUpTo(goal, beyond) {
    for (let next = this.#queue.frames[beyond]; next !== undefined && next.position <= goal; ) {
      this.#queue.dropFirst();
      next = this.#queue.frames[beyond];
    }
  }

  /** Stop playing until frames come; what the concealment stood for is given up. */
  #rest() {
    if (this.#debt > 0 && !this.#sound.resting) this.#counters.underruns += 1;
    this.#playing = false;
    this.#debt = 0;
    this.#sound.silence();
  }

  /**
   * Skip what was concealed while nothing was here, unless the deadline asks for the delay.
   *
   * Only whole frames are skipped; what is left over is excess delay to be steered away.
   *
   * @param {number} nowS
   */
  #settleDebt(nowS) {
    if (this.#queue.lostBeforeFirst === 0 && !this.#sound.resting) this.#counters.underruns += 1;
    const spare = this.#excess(this.#position(), nowS) + MARGIN_S * SAMPLE_RATE_HZ;
    let goal = this.#next + Math.min(this.#debt, Math.max(spare, 0));
    this.#debt = 0;
    this.#queue.dropLate(goal);
    const first = this.#queue.first;
    if (first !== undefined) goal = Math.min(goal, first.position);
    this.#next = Math.max(this.#next, goal);
  }

  /**
   * Hold the delay where it should be.
   *
   * @param {number} count Samples of the block.
   * @param {number} nowS
   */
  #steer(count, nowS) {
    const position = this.#position();
    const excess = this.#excess(position, nowS);
    const wish = this.#steering.follow(
      excess,
      count / this.#rateHz,
      this.#debt === 0 && this.#sound.madeUp === 0,
      excess - this.#queue.newestSamples,
    );
    if (wish === 'none') return;
    if (wish === 'skip') {
      this.#skip(position + excess, nowS);
      return;
    }
    this.#gather(this.#need + this.#steering.reach(wish), nowS);
    this.#steering.stretch(wish, this.#need, -excess);
  }

  /**
   * Decode up to `samples`, of what is here without a hole.
   *
   * @param {number} samples
   * @param {number} nowS
   */
  #gather(samples, nowS) {
    const queue = this.#queue;
    queue.dropLate(this.#next);
    while (
      this.#line.waiting < samples &&
      queue.first !== undefined &&
      queue.first.position <= this.#next
    ) {
      this.#decodeFirst(nowS);
      queue.dropLate(this.#next);
    }
  }

  /**
   * Go on at the frame before `goal`, blended over; what lies between is dropped.
   *
   * @param {number} goal
   * @param {number} nowS
   */
  #skip(goal, nowS) {
    const { frames } = this.#queue;
    const line = this.#line;
    const kept = this.#resampler.lookahead;
    this.#gather(kept + OVERLAP, nowS);
    if (frames[2] === undefined || frames[2].position > goal) return;
    if (line.waiting < kept + OVERLAP) this.#sound.conceal(CONCEAL_STEP); // a hole comes next
    const before = this.#position() + kept;
    const from = line.head + kept;
    for (let index = 0; index < OVERLAP; index += 1) {
      this.#ending.left[index] = /** @type {number} */ (line.left[from + index]);
      this.#ending.right[index] = /** @type {number} */ (line.right[from + index]);
    }
    line.truncate(kept);
    this.#dropUpTo(goal, 2);
    this.#leapToFirst();
    this.#decodeFirst(nowS); // brings the decoder into the sound; not played
    line.truncate(kept);
    this.#leapToFirst();
    this.#counters.skippedSamples += this.#next - before;
    this.#decodeFirst(nowS);
    const at = line.head + kept;
    const count = Math.min(OVERLAP, line.end - at);
    crossfade(this.#ending.left, 0, line.left, at, count);
    crossfade(this.#ending.right, 0, line.right, at, count);
    this.#steering.calm();
  }

  /** Go on with the first frame, whatever lies before it. */
  #leapToFirst() {
    const first = this.#queue.first;
    if (first !== undefined) this.#next = first.position;
  }

  // ---- making sound ----------------------------------------------------------------------------

  /**
   * Put more into the line.
   *
   * @param {number} nowS
   */
  #refill(nowS) {
    const queue = this.#queue;
    queue.dropLate(this.#next);
    const { first } = queue;
    const step = Math.min(queue.newestSamples, CONCEAL_STEP);
    const missing = whole(this.#need - this.#line.waiting, step);
    if (first === undefined) {
      this.#debt += missing;
      this.#sound.conceal(missing);
      return;
    }
    const hole = first.position - this.#next;
    if (hole <= 0) this.#decodeFirst(nowS);
    else if (queue.lostBeforeFirst === 0) this.#bridge(hole, missing, nowS);
    else this.#cover(first, hole, missing, step);
  }

  /**
   * Fill a hole that loss left before `first`, or part of it.
   *
   * @param {import('./frame_queue.js').Queued} first
   * @param {number} hole Samples.
   * @param {number} missing
   * @param {number} step
   */
  #cover(first, hole, missing, step) {
    let left = hole;
    if (carriesFec(first.payload)) {
      if (hole <= first.samples) {
        this.#next = first.position;
        this.#sound.repair(first.payload, first.samples, first.samples - hole);
        return;
      }
      left -= first.samples;
    }
    // Whole frames at a time: one that still comes is late, never cut into.
    const madeUp = whole(Math.min(left, Math.max(this.#queue.newestSamples, missing)), step);
    this.#next += Math.min(left, madeUp);
    this.#sound.conceal(madeUp);
  }

  /**
   * Cross a silence that the sender left out, and decide on the delay after it afresh.
   *
   * @param {number} hole Samples.
   * @param {number} missing
   * @param {number} nowS
   */
  #bridge(hole, missing, nowS) {
    const excess = this.#excess(this.#position(), nowS);
    if (excess >= hole) {
      this.#next += hole;
      return;
    }
    this.#next += Math.max(0, Math.min(hole, missing + excess));
    this.#sound.conceal(missing);
  }

  /**
   * Decode the first frame into the line.
   *
   * @param {number} nowS
   */
  #decodeFirst(nowS) {
    const playedTo = this.#next;
    const first = this.#queue.takeFirst();
    this.#next = first.position + first.samples;
    this.#measures.played(first, nowS + this.#line.waiting / SAMPLE_RATE_HZ);
    // Frames that overlap: what was played of the earlier one counts.
    this.#sound.decode(first.payload, first.samples, playedTo - first.position);
  }
}

/**
 * Return `samples` rounded up to a multiple of `step`.
 *
 * @param {number} samples
 * @param {number} step
 */
function whole(samples, step) {
  return Math.ceil(samples / step) * step;
}
