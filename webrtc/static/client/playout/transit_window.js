/**
 * How late frames come: a sliding window of transit times and the delay that suits them.
 *
 * The transit of a frame is its arrival minus its RTP time, in seconds; its zero is arbitrary, only
 * differences mean something. `deadlineS` is the transit by which a frame should be waited for:
 * waiting longer would cost more delay than it saves frames, waiting less the other way round.
 * These are the rules of the server's `mixer/jitter.py`, but that a late frame costs more, because
 * it is heard here, where nobody mixes it under others:
 *
 * - one late frame in a hundred is worth `LATE_COST_S`, so a lone spike does not delay everything
 *   that follows, while jitter that repeats is waited for in full;
 * - the window slides with frames, so the deadline rises with the next frame and falls as old
 *   frames leave;
 * - a stall longer than any delay we would accept is one event, not a hundred late frames: what
 *   was queued behind it is left out;
 * - frames that come late one after the other, at their usual spacing, show a longer path: the
 *   window starts afresh with them;
 * - frames that come much earlier, one after the other, show a shorter path or an output that
 *   paused: the same;
 * - a jump of the media clock makes everything before it worthless: `add` says so and the caller
 *   starts afresh;
 * - delays that come back every few seconds are remembered for a minute (`rare_peaks.js`), at the
 *   height above the fastest frame that follows clocks, but not its flips: where frames come close
 *   to the edge of what an output asks for at once, they fall now on one side of it, now on the
 *   other, and the delay must not wander with that;
 * - a frame that came just before such an edge counts as if it had come after it, before one does.
 *
 * Nothing is allocated after construction.
 */

import { RarePeaks } from './rare_peaks.js';

export const MAX_DELAY_S = 0.2;
const WINDOW_FRAMES = 400; // 4 s at 10 ms, 8 s at 20 ms
const LATE_COST_S = 2; // × share of late frames: 20 ms for one in a hundred
const MAX_LATE_SHARE = 0.05;
const START_ALLOWANCE_S = 0.01; // above what was seen, shrinking until an eighth was seen
const MAX_ALLOWANCE_S = 0.03;
const STALE_S = 2; // without frames; clocks may have drifted apart by then
const SETTLED_FRAMES = WINDOW_FRAMES / 8;
const REFRESH_FRAMES = 8;
const BACKLOG_STEP_S = 0.005;
const SHORTER_STEP_S = 0.04; // below the median; less is left to the window: it may come back
const JUMP_S = 3;
const SHIFTED_FRAMES = 6;
const LEAST_FLIP_S = 0.002; // no clock moves the fastest frame so far at once
const GREATEST_FLIP_S = 0.012; // of an output that asks for 10 ms at once; more is another path

export class TransitWindow {
  /** Transit that frames are waited for; meaningless before the first frame. */
  deadlineS = 0;

  #sorted = new Float64Array(WINDOW_FRAMES);
  #ages = new Float64Array(WINDOW_FRAMES);
  #count = 0;
  #oldest = 0;
  #peaks = new RarePeaks();
  #sinceRefresh = 0;
  #lastTransitS = 0;
  #lastArrivalS = 0;
  #stalled = false;
  #shifted = 0;
  #early = 0;
  #allowanceS = START_ALLOWANCE_S;

  /** Forget every frame. */
  reset() {
    this.#count = 0;
    this.#oldest = 0;
    this.#peaks.reset();
    this.#sinceRefresh = 0;
    this.#stalled = false;
    this.#shifted = 0;
    this.#early = 0;
    this.#allowanceS = START_ALLOWANCE_S;
    this.deadlineS = 0;
  }

  /** Least transit in the window; meaningless before the first frame. */
  get floorS() {
    return this.#count > 0 ? this.#nth(0) : this.deadlineS;
  }

  /**
   * Take one frame into account.
   *
   * @param {number} transitS
   * @param {number} arrivalS
   * @param {number} [riskS] How much later it would have been, had it come a moment later.
   * @returns {boolean} False where the media clock jumped: the caller resets and adds it again.
   */
  add(transitS, arrivalS, riskS = 0) {
    if (this.#count === 0) {
      this.#remember(transitS, arrivalS);
      this.#restart(transitS);
      return true;
    }
    const gapS = arrivalS - this.#lastArrivalS;
    const stepS = transitS - this.#lastTransitS;
    const floorS = this.#nth(0);
    const aboveS = transitS - floorS;
    if (Math.abs(stepS) > JUMP_S || aboveS < -MAX_DELAY_S) return false;
    this.#remember(transitS, arrivalS);
    const bunched = gapS < -stepS; // it came at less than half its spacing
    if (gapS > STALE_S) {
      const targetS = this.deadlineS - this.#nth(0);
      this.#allowanceS = Math.min(MAX_ALLOWANCE_S, Math.max(START_ALLOWANCE_S, targetS));
      this.#restart(transitS);
    } else if (
      this.#pathBecameLonger(transitS, bunched) ||
      this.#pathBecameShorter(transitS) ||
      this.#wasBacklog(aboveS, bunched)
    ) {
      this.#restart(transitS);
    } else if (!this.#isBehindStall(aboveS, bunched) && aboveS <= MAX_DELAY_S) {
      // Jitter beyond that is told by frames that did come later.
      const addedS = aboveS < riskS / 2 ? riskS : 0;
      this.#insert(transitS + addedS);
      this.#peaks.add(Math.max(0, aboveS + addedS), arrivalS);
      this.#followFlip(this.#nth(0) - floorS);
      this.#sinceRefresh += 1;
      const due = this.#sinceRefresh >= REFRESH_FRAMES || this.#count < SETTLED_FRAMES;
      if (due || transitS + addedS > this.deadlineS) this.#refresh();
    }
    return true;
  }

  /** @param {number} riseS By how much later the fastest frame of late is now. */
  #followFlip(riseS) {
    const stepS = Math.abs(riseS);
    if (stepS > LEAST_FLIP_S && stepS < GREATEST_FLIP_S) this.#peaks.lower(riseS);
  }

  /**
   * @param {number} transitS
   * @param {boolean} bunched
   */
  #pathBecameLonger(transitS, bunched) {
    this.#shifted = transitS > this.deadlineS && !bunched ? this.#shifted + 1 : 0;
    return this.#shifted >= SHIFTED_FRAMES;
  }

  /** @param {number} transitS */
  #pathBecameShorter(transitS) {
    const usualS = this.#nth(this.#count >> 1);
    this.#early = transitS < usualS - SHORTER_STEP_S ? this.#early + 1 : 0;
    return this.#early >= SHIFTED_FRAMES;
  }

  /**
   * Return whether the few frames so far had queued up before we came to hear of them.
   *
   * @param {number} aboveS
   * @param {boolean} bunched
   */
  #wasBacklog(aboveS, bunched) {
    const early = aboveS < -BACKLOG_STEP_S || (bunched && aboveS < 0);
    return early && this.#count < SETTLED_FRAMES;
  }

  /**
   * @param {number} aboveS
   * @param {boolean} bunched
   */
  #isBehindStall(aboveS, bunched) {
    if (aboveS > MAX_DELAY_S) this.#stalled = true;
    else if (!bunched) this.#stalled = false;
    return this.#stalled && bunched;
  }

  /**
   * @param {number} transitS
   * @param {number} arrivalS
   */
  #remember(transitS, arrivalS) {
    this.#lastTransitS = transitS;
    this.#lastArrivalS = arrivalS;
  }

  /**
   * Begin the window with one frame.
   *
   * @param {number} transitS
   */
  #restart(transitS) {
    this.#count = 0;
    this.#oldest = 0;
    this.#shifted = 0;
    this.#early = 0;
    this.#insert(transitS);
    this.#refresh();
  }

  /** @param {number} transitS */
  #insert(transitS) {
    if (this.#count === WINDOW_FRAMES) this.#forgetOldest();
    const place = this.#placeOf(transitS);
    this.#sorted.copyWithin(place + 1, place, this.#count);
    this.#sorted[place] = transitS;
    this.#ages[(this.#oldest + this.#count) % WINDOW_FRAMES] = transitS;
    this.#count += 1;
  }

  #forgetOldest() {
    const place = this.#placeOf(/** @type {number} */ (this.#ages[this.#oldest]));
    this.#sorted.copyWithin(place, place + 1, this.#count);
    this.#oldest = (this.#oldest + 1) % WINDOW_FRAMES;
    this.#count -= 1;
  }

  /**
   * Return the first place whose transit is not below `transitS`.
   *
   * @param {number} transitS
   */
  #placeOf(transitS) {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#nth(middle) < transitS) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {number} place */
  #nth(place) {
    return /** @type {number} */ (this.#sorted[place]);
  }

  /** Choose the deadline of least cost: its own length plus what it lets come late. */
  #refresh() {
    const count = this.#count;
    const floorS = this.#nth(0);
    let bestS = this.#nth(count - 1);
    let bestCostS = bestS;
    for (let late = 1; late <= Math.floor(count * MAX_LATE_SHARE); late += 1) {
      const costS = this.#nth(count - 1 - late) + (LATE_COST_S * late) / count;
      if (costS < bestCostS) {
        bestCostS = costS;
        bestS = this.#nth(count - 1 - late);
      }
    }
    if (count < SETTLED_FRAMES) bestS += this.#allowanceS * (1 - count / SETTLED_FRAMES);
    bestS = Math.max(bestS, floorS + this.#peaks.worthwhileS);
    this.deadlineS = Math.min(bestS, floorS + MAX_DELAY_S);
    this.#sinceRefresh = 0;
  }
}
