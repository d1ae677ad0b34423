import { AgReduction } from './reduction_bar.js';
import { StageElement, readout } from './stage.js';

/** The limiter: its ceiling, what leaves under it, and what it takes away. */
export class AgLimiter extends StageElement {
  #bar = /** @type {AgReduction} */ (document.createElement('ag-reduction'));
  #peak = readout('True peak', 'dBTP', { holds: true });

  /** @override */
  get heading() {
    return 'Limiter';
  }

  /** @override */
  get settings() {
    return ['limiterCeiling', 'limiterRelease'];
  }

  /** @override */
  figures() {
    return [this.#peak.element];
  }

  /** @override */
  body() {
    return [
      this.#bar,
      this.knobs([
        ['limiterCeiling', 'Ceiling'],
        ['limiterRelease', 'Release'],
      ]),
    ];
  }

  /** @override @param {import('./stage.js').Reading | null} reading */
  hear(reading) {
    this.#bar.hear(reading?.limiterDb ?? 0);
  }

  /** @param {number | null} db True peak of what leaves; null: silence. */
  hearPeak(db) {
    this.#peak.show(db);
  }
}
