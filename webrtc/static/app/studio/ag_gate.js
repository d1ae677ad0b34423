import { make, setText } from '../dom.js';
import { AgGatePlot } from './gate_plot.js';
import { StageElement } from './stage.js';
import { isOn } from './stages.js';

/** What a closing gate has taken away when its light goes out. */
const CLOSED_DB = -3;

/** The noise gate: the level against its threshold, and a light that says whether it is open. */
export class AgGate extends StageElement {
  #plot = /** @type {AgGatePlot} */ (document.createElement('ag-gate-plot'));
  #light = make('span', { class: 'gate-light' });

  /** @override */
  get heading() {
    return 'Gate';
  }

  /** @override @returns {'gate'} */
  get stage() {
    return 'gate';
  }

  /** @override */
  figures() {
    return [this.#light];
  }

  /** @override */
  body() {
    this.#plot.addEventListener('threshold', (event) => {
      const { value } = /** @type {CustomEvent<{ value: number }>} */ (event).detail;
      this.change({ gateThreshold: value });
    });
    return [
      this.#plot,
      this.knobs([
        ['gateThreshold', 'Threshold'],
        ['gateRange', 'Range'],
        ['gateHysteresis', 'Hysteresis'],
        ['gateAttack', 'Attack'],
        ['gateHold', 'Hold'],
        ['gateRelease', 'Release'],
      ]),
    ];
  }

  /** @override @param {import('./settings.js').Values} values */
  show(values) {
    super.show(values);
    if (!('preset' in values)) return;
    const { gateThreshold: thresholdDb, gateHysteresis: hysteresisDb } = values;
    this.#plot.show({ thresholdDb, hysteresisDb }, isOn('gate', values));
  }

  /** @override @param {boolean} allowed */
  allow(allowed) {
    super.allow(allowed);
    this.#plot.allow(allowed);
  }

  /** @override @param {import('./stage.js').Reading | null} reading */
  hear(reading) {
    this.#plot.hear(reading?.levelInDb ?? -Infinity, reading?.gateDb ?? 0);
    const acts = !this.classList.contains('off');
    const open = reading !== null && reading.levelInDb > -100 && reading.gateDb > CLOSED_DB;
    this.#light.classList.toggle('open', acts && open);
    setText(this.#light, acts ? (open ? 'open' : 'closed') : '');
  }
}
