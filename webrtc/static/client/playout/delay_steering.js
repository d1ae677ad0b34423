/**
 * Holds the delay of what is played where it should be: by speed what clocks and small changes of
 * the target ask for, by whole pitch periods what is more.
 */

import { Drift } from './drift.js';
import { SAMPLE_RATE_HZ } from './opus_packet.js';
import { LONGEST_PERIOD, OVERLAP, SHORTEST_PERIOD, Stretcher } from './stretch.js';

const LOW_WINDOW = 12_000; // 250 ms: excess is real when it was there for one to two of these
const STRETCH_SPACING = 9; // after a change of n samples, n × this go unchanged: one part in ten
const TRY_SPACING = 2_400; // 50 ms
const SPEED_REACH = 72; // 1.5 ms: less is left to the speed
const SKIP_ABOVE = 3_840; // 80 ms of excess are skipped at once
const MIN_SIMILARITY = 0.9;
const PATIENCE_STEP = 0.05; // what is asked for less at each further try
const PATIENCE_REGAINED = 0.1; // after a change: a sound hard to stretch stays so for a while

/** @typedef {'none' | 'compress' | 'expand' | 'skip'} Wish */

export class DelaySteering {
  #line;
  #lookahead;
  #counters;
  #stretcher = new Stretcher();
  #drift = new Drift();
  #low = 0;
  #lowBefore = 0;
  #lowLeft = LOW_WINDOW;
  #cooldown = 0;
  #patience = MIN_SIMILARITY;

  /**
   * @param {import('./sample_line.js').SampleLine} line
   * @param {number} lookahead Samples beyond the head that the output has used already.
   * @param {import('./counters.js').Counters} counters
   */
  constructor(line, lookahead, counters) {
    this.#line = line;
    this.#lookahead = lookahead;
    this.#counters = counters;
  }

  /** How fast to play, 1 as sent. */
  get speed() {
    return this.#drift.speed;
  }

  /** The sender's clock against ours. */
  get driftPpm() {
    return this.#drift.ppm;
  }

  /** Forget the sender's clock too. */
  reset() {
    this.#drift.reset();
    this.calm();
  }

  /** Watch the excess afresh before changing the delay again. */
  calm() {
    this.#low = 0;
    this.#lowBefore = 0;
    this.#lowLeft = LOW_WINDOW;
    this.#cooldown = 0;
    this.#patience = MIN_SIMILARITY;
  }

  /**
   * Take the excess of the moment into account; return what is to be done beside the speed.
   *
   * @param {number} excess Samples.
   * @param {number} elapsedS Since the last call.
   * @param {boolean} sounding Whether what is heard comes from the sender.
   * @param {number} overdue Excess beyond what a frame may wait for its neighbours.
   * @returns {Wish}
   */
  follow(excess, elapsedS, sounding, overdue) {
    const samples = elapsedS * SAMPLE_RATE_HZ;
    this.#cooldown -= samples;
    this.#low = Math.min(this.#low, excess);
    this.#lowLeft -= samples;
    if (this.#lowLeft <= 0) {
      this.#lowBefore = this.#low;
      this.#low = excess;
      this.#lowLeft = LOW_WINDOW;
    }
    if (!sounding) return 'none';
    this.#drift.follow((excess * 1000) / SAMPLE_RATE_HZ, elapsedS);
    if (overdue >= SKIP_ABOVE) return 'skip';
    if (this.#cooldown > 0) return 'none';
    if (excess < -SPEED_REACH) return 'expand';
    return this.#steady >= SHORTEST_PERIOD ? 'compress' : 'none';
  }

  /** Excess that was there all the time. */
  get #steady() {
    return Math.min(this.#low, this.#lowBefore);
  }

  /**
   * Return how much sound a change can use beyond what the next block needs.
   *
   * @param {'compress' | 'expand'} wish
   */
  reach(wish) {
    return wish === 'compress' ? Math.min(this.#steady, LONGEST_PERIOD) + OVERLAP : OVERLAP;
  }

  /**
   * Change the sound that waits, if it can be done unheard; else ask for less at the next try.
   *
   * @param {'compress' | 'expand'} wish
   * @param {number} need Samples that the next block needs, which stay.
   * @param {number} wanted Samples to gain.
   */
  stretch(wish, need, wanted) {
    const done = wish === 'compress' ? this.#compress(need) : this.#expand(wanted);
    if (done === 0) {
      this.#cooldown = TRY_SPACING;
      this.#patience -= PATIENCE_STEP;
      return;
    }
    this.#cooldown = done * STRETCH_SPACING;
    this.#patience = Math.min(MIN_SIMILARITY, this.#patience + PATIENCE_REGAINED);
  }

  /** @param {number} need */
  #compress(need) {
    const line = this.#line;
    const at = line.head + this.#lookahead;
    const longest = Math.min(this.#steady, line.waiting - need);
    if (!this.#stretcher.findPeriod(line, at, longest) || !this.#isAlike) return 0;
    const { samples } = this.#stretcher;
    this.#stretcher.compress(line, at, samples);
    this.#low -= samples;
    this.#lowBefore -= samples;
    this.#counters.compressedSamples += samples;
    return samples;
  }

  /** @param {number} wanted */
  #expand(wanted) {
    const line = this.#line;
    line.room(LONGEST_PERIOD);
    const at = line.head + this.#lookahead;
    if (!this.#stretcher.findRepeat(line, at, wanted) || !this.#isAlike) return 0;
    const { samples } = this.#stretcher;
    this.#stretcher.expand(line, at, samples);
    this.#counters.expandedSamples += samples;
    return samples;
  }

  get #isAlike() {
    return this.#stretcher.similarity >= this.#patience;
  }
}
