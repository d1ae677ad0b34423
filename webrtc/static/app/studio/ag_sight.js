import { make, setText } from '../dom.js';
import { eachFrame } from '../frame_loop.js';
import { AgCorrelation } from './correlation_bar.js';
import { AgLevelHistory } from './level_history.js';
import { MixEar } from './mix_ear.js';
import { isStill } from './plot.js';
import { AgSpectrogram } from './spectrogram.js';
import { readout } from './stage.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {{ bandsDb: ArrayLike<number> | null, correlation: number, peakDb: number, lufs: number }}
 *   Seen What there is to see of a moment.
 */

const MIX_EVERY_MS = 40;
const STILL_EVERY_MS = 1000;
const LEVELS = 'Peaks, and short-term loudness as a line';
const MIX_LEVELS = 'Peaks';

/**
 * Seeing sound: spectrogram, levels and stereo of this strip, or of what I hear.
 */
export class AgSight extends HTMLElement {
  /** @type {BaseClient | null} */
  client = null;
  #spectrogram = /** @type {AgSpectrogram} */ (document.createElement('ag-spectrogram'));
  #history = /** @type {AgLevelHistory} */ (document.createElement('ag-level-history'));
  #correlation = /** @type {AgCorrelation} */ (document.createElement('ag-correlation'));
  #stereo = readout('Correlation', '');
  #peak = readout('Peak', 'dBFS', { holds: true });
  #levels = make('figcaption', { class: 'label', text: LEVELS });
  #isMix = false;
  /** @type {MixEar | null} */
  #ear = null;
  /** @type {AudioNode | null} What the ear is at. */
  #heard = null;
  /** @type {(() => void) | null} */
  #stop = null;

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.classList.add('stage');
    this.setAttribute('role', 'group');
    this.setAttribute('aria-labelledby', 'ag-sight-title');
    const title = { class: 'stage-title', text: 'Seeing sound', attributes: { id: 'ag-sight-title' } };
    this.append(
      make('div', { class: 'stage-head' }, [
        make('h3', title),
        this.#makeChoice(),
        make('div', { class: 'stage-figures' }, [this.#peak.element, this.#stereo.element]),
      ]),
      make('div', { class: 'sights' }, [
        figure(captionOf('Spectrum of the last seconds'), this.#spectrogram),
        figure(this.#levels, this.#history),
        figure(captionOf('Left and right: inverted, unrelated, the same'), this.#correlation),
      ]),
    );
  }

  disconnectedCallback() {
    this.#listenToMix(false);
  }

  /** @param {Seen | null} seen Of the strip; null: silence. */
  hear(seen) {
    if (!this.#isMix) this.#show(seen);
  }

  /** @param {Seen | null} seen */
  #show(seen) {
    this.#spectrogram.hear(seen?.bandsDb ?? null);
    this.#history.hear(seen?.peakDb ?? -Infinity, seen?.lufs ?? -Infinity);
    this.#correlation.hear(seen?.correlation ?? 1);
    this.#peak.show(seen?.peakDb ?? null);
    this.#stereo.show(seen?.bandsDb ? seen.correlation : null);
  }

  #makeChoice() {
    const choice = make('fieldset', { class: 'choices' }, [
      make('legend', { class: 'visually-hidden', text: 'What is seen' }),
    ]);
    for (const [text, isMix] of /** @type {const} */ ([
      ['This strip', false],
      ['What I hear', true],
    ])) {
      const input = make('input', { attributes: { type: 'radio', name: 'sight' } });
      input.checked = isMix === this.#isMix;
      input.addEventListener('change', () => this.#choose(isMix));
      choice.append(make('label', { class: 'choice' }, [input, make('span', { text })]));
    }
    return choice;
  }

  /** @param {boolean} isMix */
  #choose(isMix) {
    this.#isMix = isMix;
    setText(this.#levels, isMix ? MIX_LEVELS : LEVELS);
    this.#spectrogram.clear();
    this.#history.clear();
    this.#show(null);
    this.#listenToMix(isMix);
  }

  /** @param {boolean} wanted */
  #listenToMix(wanted) {
    this.#stop?.();
    this.#stop = null;
    this.#closeEar();
    if (!wanted) return;
    const everyMs = isStill() ? STILL_EVERY_MS : MIX_EVERY_MS;
    this.#stop = eachFrame(() => this.#listen(), { everyMs });
  }

  #listen() {
    const playback = this.client?.playback;
    const output = playback?.output ?? null;
    const track = playback?.track ?? null;
    if (this.#ear && this.#heard !== output) this.#closeEar(); // the sound takes another way
    if (!output && !track) {
      this.#show(null);
      return;
    }
    if (!this.#ear) {
      this.#ear = new MixEar({ output, track });
      this.#heard = output;
    }
    this.#show({ ...this.#ear.listen(), lufs: -Infinity });
  }

  #closeEar() {
    this.#ear?.close();
    this.#ear = null;
    this.#heard = null;
  }
}

/** @param {string} text */
const captionOf = (text) => make('figcaption', { class: 'label', text });

/**
 * @param {HTMLElement} caption
 * @param {HTMLElement} plot
 */
const figure = (caption, plot) =>
  make('figure', { class: `sight ${plot.localName}-sight` }, [plot, caption]);
