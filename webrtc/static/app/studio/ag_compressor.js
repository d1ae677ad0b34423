import { make } from '../dom.js';
import { AgCompressorPlot, compressorOf } from './compressor_plot.js';
import { AgReduction } from './reduction_bar.js';
import { StageElement, readout } from './stage.js';
import { isOn } from './stages.js';

/** @typedef {import('./stage.js').Reading} Reading */

/** The compressor: its curve, where the sound is on it, and what it takes away. */
export class AgCompressor extends StageElement {
  #plot = /** @type {AgCompressorPlot} */ (document.createElement('ag-compressor-plot'));
  #bar = /** @type {AgReduction} */ (document.createElement('ag-reduction'));
  #taken = readout('Reduction', 'dB');

  /** @override */
  get heading() {
    return 'Compressor';
  }

  /** @override @returns {'comp'} */
  get stage() {
    return 'comp';
  }

  /** @override */
  figures() {
    return [this.#taken.element];
  }

  /** @override */
  body() {
    return [
      make('div', { class: 'split' }, [
        make('div', { class: 'split-plot' }, [this.#plot, this.#bar]),
        make('div', { class: 'split-side' }, [
          this.knobs([
            ['compThreshold', 'Threshold'],
            ['compRatio', 'Ratio'],
            ['compKnee', 'Knee'],
            ['compAttack', 'Attack'],
            ['compRelease', 'Release'],
            ['makeupGain', 'Make-up'],
            ['sidechainHighPass', 'Key low cut'],
          ]),
          this.toggle('autoMakeup', 'Automatic make-up'),
        ]),
      ]),
    ];
  }

  /** @override @param {import('./settings.js').Values} values */
  show(values) {
    super.show(values);
    if ('preset' in values) this.#plot.show(compressorOf(values), isOn('comp', values));
  }

  /** @override @param {Reading | null} reading */
  hear(reading) {
    const taken = reading?.compDb ?? 0;
    // The gate stands before it: what it holds back does not come here.
    this.#plot.hear(reading ? reading.levelInDb + reading.gateDb : -Infinity, taken);
    this.#bar.hear(taken);
    this.#taken.show(reading ? taken : null);
  }
}
