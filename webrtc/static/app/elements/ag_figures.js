import { make, setText } from '../dom.js';
import { formatCount, formatKbps, formatMs, formatPpm, formatShare } from '../format.js';
import { HOPS } from '../words.js';

/**
 * @typedef {import('../../client/stats.js').AudioStats} AudioStats
 */

/** Rows of figures: words, and how to read them from the stats. */
const ROWS = /** @type {readonly (readonly [string, (stats: AudioStats) => string])[]} */ ([
  ['Round trip', ({ roundTripMs }) => formatMs(roundTripMs)],
  ['Jitter', ({ jitterMs }) => formatMs(jitterMs)],
  ['Lost up', ({ loss }) => formatShare(loss.up)],
  ['Lost down', ({ loss }) => formatShare(loss.down)],
  ['Rate up', ({ bitrateKbps }) => formatKbps(bitrateKbps.up)],
  ['Rate down', ({ bitrateKbps }) => formatKbps(bitrateKbps.down)],
  ['Concealed', ({ concealedRatio }) => formatShare(concealedRatio)],
  ['Packets', ({ packetMs }) => formatMs(packetMs)],
  ['Redundancy', ({ redundancy }) => (redundancy ? 'on' : 'off')],
  ['Underruns', ({ playout }) => formatCount(playout.underruns)],
  ['Clock drift', ({ playout }) => formatPpm(playout.driftPpm)],
]);

/** Figures of the connection, and where a voice spends its time on the way. */
export class AgFigures extends HTMLElement {
  #bound = make('span', { class: 'bound', text: 'at least ' });
  #total = make('b', { class: 'figure total', text: '–' });
  #bar = make('div', { class: 'budget', attributes: { 'aria-hidden': 'true' } });
  /** @type {HTMLElement[]} */
  #segments = [];
  /** @type {HTMLElement[]} */
  #hopValues = [];
  /** @type {HTMLElement[]} */
  #rowValues = [];

  connectedCallback() {
    if (this.#bar.isConnected) return;
    this.#segments = HOPS.map(([, , zone]) => make('span', { class: `segment ${zone}` }));
    this.#bar.append(...this.#segments);
    this.replaceChildren(
      make('div', { class: 'panel-head' }, [
        make('h2', { class: 'section-title', text: 'From mouth to ear' }),
        make('span', { class: 'nowrap' }, [this.#bound, this.#total]),
      ]),
      this.#bar,
      this.#table(
        'budget-list',
        HOPS.map(([, name, zone]) => ({ name, zone })),
        this.#hopValues,
      ),
      make('h2', { class: 'section-title', text: 'Connection' }),
      this.#table(
        'figure-list',
        ROWS.map(([name]) => ({ name, zone: '' })),
        this.#rowValues,
      ),
    );
  }

  /** @param {AudioStats | null} stats Null: nothing is known. */
  show(stats) {
    const total = stats?.latency.totalMs ?? 0;
    setText(this.#total, total > 0 ? formatMs(total) : '–');
    this.#bound.hidden = total === 0 || (stats?.latency.isComplete ?? false);
    HOPS.forEach(([key], index) => {
      const ms = stats?.latency[key] ?? null;
      const segment = this.#segments[index];
      const value = this.#hopValues[index];
      if (segment) segment.style.flexGrow = String(total > 0 ? (ms ?? 0) / total : 0);
      if (value) setText(value, stats && ms === null ? 'unknown' : formatMs(ms));
    });
    ROWS.forEach(([, read], index) => {
      const value = this.#rowValues[index];
      if (value) setText(value, stats ? read(stats) : '–');
    });
  }

  /**
   * @param {string} className
   * @param {{ name: string, zone: string }[]} rows
   * @param {HTMLElement[]} values Filled with the elements that hold the figures.
   */
  #table(className, rows, values) {
    const list = make('dl', { class: className });
    for (const { name, zone } of rows) {
      const value = make('dd', { class: 'figure', text: '–' });
      values.push(value);
      const term = make('dt', { text: name });
      if (zone)
        term.prepend(
          make('span', { class: `swatch ${zone}`, attributes: { 'aria-hidden': 'true' } }),
        );
      list.append(make('div', {}, [term, value]));
    }
    return list;
  }
}
