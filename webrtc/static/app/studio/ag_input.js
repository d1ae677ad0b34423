import { make, setText } from '../dom.js';
import { DENOISERS, GENRES } from './settings.js';
import { StageElement, readout } from './stage.js';
import { isOn, switched } from './stages.js';

const LEVELLER_COST = 'At the target within 3 s of speech; no later, for 0.04\u00a0% of a core';

/**
 * What comes before the gate: noise suppression, automatic level, trim and low cut; with the level
 * that comes in, and whether it is a voice; and the mixing profile that lies under all stages.
 */
export class AgInput extends StageElement {
  #meter = /** @type {import('../desk/ag_meter.js').AgMeter} */ (document.createElement('ag-meter'));
  #voice = make('span', {
    class: 'voice-light',
    attributes: { title: 'Told by the spectrum, 10 to 32 ms later, in 0.3 % of a core' },
  });
  #levelled = readout('Gain', 'dB');
  #genre = make('select', { class: 'input compact' });
  #followed = make('p', { class: 'help followed' });
  #denoise = make('select', { class: 'input compact' });
  #denoiseCost = make('p', { class: 'help' });
  #lowCutSwitch = make('input', { attributes: { type: 'checkbox', role: 'switch' } });
  #lowCut = make('label', { class: 'switch' }, [
    this.#lowCutSwitch,
    make('span', { class: 'switch-text', text: 'Low cut' }),
  ]);

  /** @override */
  get heading() {
    return 'Input';
  }

  /** @override */
  get settings() {
    return ['inputTrim', 'highPass', 'highPassBypass', 'denoise', 'autoLevel', 'autoLevelTarget'];
  }

  /** @override */
  figures() {
    return [this.#voice];
  }

  /** @override */
  body() {
    this.#meter.setAttribute('lying', '');
    // The first says that no profile is in use; nobody can choose that but by a preset.
    this.#genre.append(new Option('None', ''));
    for (const [genre, text] of Object.entries(GENRES)) this.#genre.append(new Option(text, genre));
    this.#genre.addEventListener('change', () => this.change({ genre: this.#genre.value }));
    for (const [engine, { text }] of Object.entries(DENOISERS)) {
      this.#denoise.append(new Option(text, engine));
    }
    this.#denoise.addEventListener('change', () => this.change({ denoise: this.#denoise.value }));
    this.#lowCutSwitch.addEventListener('change', () => this.change(switched('highPass', this.values)));
    return [
      this.#meter,
      this.knobs([
        ['inputTrim', 'Trim'],
        ['highPass', 'Low cut'],
        ['autoLevelTarget', 'Target'],
      ]),
      make('label', { class: 'genre-row' }, [
        make('span', { text: 'Profile' }),
        this.#genre,
      ]),
      this.#followed,
      make('label', { class: 'genre-row' }, [
        make('span', { text: 'Noise suppression' }),
        this.#denoise,
      ]),
      this.#denoiseCost,
      make('div', { class: 'switches' }, [
        this.#lowCut,
        make('div', { class: 'switch-row' }, [
          this.toggle('autoLevel', 'Automatic level', { title: LEVELLER_COST }),
          this.#levelled.element,
        ]),
      ]),
    ];
  }

  /** @override @param {import('./settings.js').Values} values */
  show(values) {
    super.show(values);
    const unused = (values.profile ?? 'none') === 'none';
    this.#genre.value = unused ? '' : values.genre;
    this.#genre.options.item(0)?.toggleAttribute('disabled', !unused);
    this.#denoise.value = values.denoise ?? 'off';
    setText(this.#denoiseCost, costOf(this.#denoise.value));
    this.#denoiseCost.hidden = this.#denoise.value === 'off';
    this.#lowCutSwitch.checked = 'preset' in values && isOn('highPass', values);
    this.#levelled.element.hidden = !values.autoLevel;
  }

  /** @param {string} words What is heard, and what the strip makes of it; empty: nothing. */
  explain(words) {
    this.#followed.hidden = words === '';
    setText(this.#followed, words);
  }

  /** @override @param {boolean} allowed */
  allow(allowed) {
    super.allow(allowed);
    this.#lowCutSwitch.disabled = !allowed;
    this.#genre.disabled = !allowed;
    this.#denoise.disabled = !allowed;
  }

  /** @override @param {import('./stage.js').Reading | null} reading */
  hear(reading) {
    this.#meter.show({
      peakDb: reading?.inPeakDb ?? -Infinity,
      rmsDb: reading?.inRmsDb ?? -Infinity,
    });
    this.#levelled.show(reading ? reading.autoLevelDb : null);
    const voice = reading?.voice ?? false;
    this.#voice.classList.toggle('on', voice);
    setText(this.#voice, voice ? 'voice' : reading && reading.inPeakDb > -60 ? 'no voice' : 'quiet');
  }
}

/**
 * What noise suppression takes away and what it costs, in words.
 * @param {string} engine
 */
function costOf(engine) {
  const denoiser = DENOISERS[engine];
  if (!denoiser) return '';
  const { takes, latencyMs, us } = denoiser;
  return `Takes ${takes}; ${latencyMs} ms later, for ${(us / 100).toFixed(1)}\u00a0% of a core.`;
}
