import { make } from '../dom.js';
import { AgEqPlot } from './eq_plot.js';
import { bandName } from './eq_bands.js';
import { BANDS } from './settings.js';
import { StageElement } from './stage.js';

const SHORT = ['Low', 'Low mid', 'Mid', 'High mid', 'High'];

/** The equaliser: five bands over the spectrum of what leaves the strip. */
export class AgEqualiser extends StageElement {
  #plot = /** @type {AgEqPlot} */ (document.createElement('ag-eq-plot'));
  /** @type {Map<number, HTMLElement>} */
  #columns = new Map();

  /** @override */
  get heading() {
    return 'Equaliser';
  }

  /** @override @returns {'eq'} */
  get stage() {
    return 'eq';
  }

  /** @override */
  body() {
    this.#plot.addEventListener('bandchange', (event) => {
      this.change(/** @type {CustomEvent} */ (event).detail.change);
    });
    this.#plot.addEventListener('bandpick', (event) => {
      this.#pick(/** @type {CustomEvent<{ band: number }>} */ (event).detail.band);
    });
    const table = make('div', { class: 'eq-bands' }, BANDS.map((band) => this.#column(band)));
    this.#pick(3);
    return [this.#plot, table];
  }

  /** @override @param {import('./settings.js').Values} values */
  show(values) {
    super.show(values);
    this.#plot.show(values);
  }

  /** @override @param {boolean} allowed */
  allow(allowed) {
    super.allow(allowed);
    this.#plot.allow(allowed);
  }

  /** @param {ArrayLike<number> | null} bandsDb */
  hearSpectrum(bandsDb) {
    this.#plot.hear(bandsDb);
  }

  /** @param {number} band */
  #column(band) {
    const name = bandName(band);
    const column = make('div', { class: 'eq-band', attributes: { role: 'group', 'aria-label': name } }, [
      make('span', { class: 'eq-band-name', attributes: { 'aria-hidden': 'true' } }, [
        make('b', { text: String(band) }),
        SHORT[band - 1] ?? '',
      ]),
      make('div', { class: 'knobs' }, [
        this.knob(`eq${band}Freq`, 'Freq', `${name}, frequency`),
        this.knob(`eq${band}Gain`, 'Gain', `${name}, gain`),
        this.knob(`eq${band}Q`, 'Q', `${name}, quality`),
      ]),
    ]);
    column.addEventListener('focusin', () => this.#pick(band));
    this.#columns.set(band, column);
    return column;
  }

  /** @param {number} band */
  #pick(band) {
    this.#plot.pick(band);
    for (const [each, column] of this.#columns) column.classList.toggle('picked', each === band);
  }
}
