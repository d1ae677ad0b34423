import { StageElement, readout } from './stage.js';

/** Where the strip stands in the mix: width, side, and how loud it leaves. */
export class AgPlace extends StageElement {
  #meter = /** @type {import('../desk/ag_meter.js').AgMeter} */ (document.createElement('ag-meter'));
  #loudness = readout('Loudness', 'LUFS');

  /** @override */
  get heading() {
    return 'Place';
  }

  /** @override */
  get settings() {
    return ['stereoWidth', 'pan', 'fader'];
  }

  /** @override */
  figures() {
    return [this.#loudness.element];
  }

  /** @override */
  body() {
    this.#meter.setAttribute('lying', '');
    return [
      this.#meter,
      this.knobs([
        ['stereoWidth', 'Width'],
        ['pan', 'Pan'],
        ['fader', 'Level'],
      ]),
    ];
  }

  /** @override @param {import('./stage.js').Reading | null} reading */
  hear(reading) {
    this.#meter.show({
      peakDb: reading?.outPeakDb ?? -Infinity,
      rmsDb: reading?.outRmsDb ?? -Infinity,
    });
    this.#loudness.show(reading ? reading.shortTermLufs : null);
  }
}
