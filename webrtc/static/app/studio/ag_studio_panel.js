import { profileWords } from '../desk/content_words.js';
import { icon, make, setText } from '../dom.js';
import { isStill } from './plot.js';
import { refusalWords } from './refusals.js';
import { PRESETS, SCALES, SWITCHES } from './settings.js';
import { BYPASSES, resting } from './stages.js';
import { StripEditor } from './strip_editor.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('../../client/roster.js').Participant} Participant
 * @typedef {import('../../client/desk.js').StripMeters} StripMeters
 * @typedef {import('../../client/desk.js').StripSpectrum} StripSpectrum
 * @typedef {import('./settings.js').Values} Values
 * @typedef {import('./stage.js').StageElement} StageElement
 * @typedef {import('./ag_equaliser.js').AgEqualiser} AgEqualiser
 * @typedef {import('./ag_input.js').AgInput} AgInput
 * @typedef {import('./ag_limiter.js').AgLimiter} AgLimiter
 * @typedef {import('./ag_sight.js').AgSight} AgSight
 */

const STAGES = [
  'ag-input',
  'ag-gate',
  'ag-compressor',
  'ag-equaliser',
  'ag-limiter',
  'ag-place',
  'ag-chorus',
  'ag-delay',
  'ag-reverb',
];
const HOLDER = 'studio';
/** So long after the last word a strip is silent (docs/protocol.md). */
const SILENT_MS = 2000;
const STILL_EVERY_MS = 1000;

/** @type {Values | null} What was copied, to be pasted into any strip. */
let clipboard = null;

/**
 * One strip with all its stages: whose it is says `participantId`, and `client` is the page's. Fires
 * `close` when the user is done or the participant is gone.
 */
export class AgStudioPanel extends HTMLElement {
  /** @type {BaseClient | null} */
  client = null;
  participantId = '';
  /** @type {StripEditor | null} */
  #editor = null;
  /** @type {StageElement[]} */
  #stages = [];
  /** @type {AgSight | null} */
  #sight = null;
  #name = make('span', { class: 'studio-name' });
  #tag = make('span', { class: 'tag' });
  #trouble = make('p', { class: 'studio-trouble', attributes: { role: 'alert' } });
  #status = make('p', { class: 'visually-hidden', attributes: { role: 'status' } });
  #hint = make('p', { class: 'help studio-hint' });
  /** @type {Map<string, HTMLInputElement>} */
  #presets = new Map();
  #custom = make('span', { class: 'tag quiet', text: 'Custom' });
  /** @type {Record<string, HTMLButtonElement>} */
  #tools = {};
  /** @type {(() => void)[]} */
  #listeners = [];
  #heardAt = -Infinity;
  #shownAt = -Infinity;
  #timer = 0;

  connectedCallback() {
    if (this.childElementCount === 0) this.#build();
    const { client, participantId } = this;
    if (!client) return;
    this.#editor = new StripEditor({
      send: async (change) => {
        await client.setStrip(participantId, change);
        return client.participant(participantId)?.settings ?? {};
      },
      show: (values) => this.#show(values),
      refused: (error) => setText(this.#trouble, refusalWords(error)),
    });
    this.#listeners = [
      client.on('participantupdated', ({ participant }) => {
        if (participant.participantId === participantId) this.#update();
      }),
      client.on('participantleft', ({ participant }) => {
        if (participant.participantId === participantId) this.#close();
      }),
      client.on('rolechange', () => this.#update()),
      client.on('roomclosed', () => this.#close()),
      client.on('reconnected', () => void this.#watch()),
      client.desk.on('meters', (detail) => this.#hear(detail)),
    ];
    this.#timer = window.setInterval(() => this.#fallSilent(), 500);
    if (this.#sight) this.#sight.client = client;
    this.#update();
    void this.#watch();
  }

  disconnectedCallback() {
    for (const stop of this.#listeners.splice(0)) stop();
    window.clearInterval(this.#timer);
    void this.client?.desk.watchMeters({}, { holder: HOLDER }).catch(() => {});
  }

  // ---- what is shown -------------------------------------------------------------------------

  /** Look at the strip anew: somebody changed it, or what we may. */
  #update() {
    const { client, participantId } = this;
    const person = client?.participant(participantId);
    if (!client || !person) return;
    const rights = client.room?.rights ?? [];
    const allowed = rights.includes(person.isMe ? 'edit_own_strip' : 'edit_any_strip');
    setText(this.#name, person.name || 'Guest');
    setText(this.#tag, person.isMe ? 'You' : 'Their strip');
    this.#tag.classList.toggle('quiet', !person.isMe);
    this.#allow(allowed && person.settings !== null);
    setText(this.#hint, hintFor(person, allowed));
    this.#hint.hidden = this.#hint.textContent === '';
    this.#input.explain(profileWords(person));
    if (person.settings) this.#editor?.confirm(person.settings);
  }

  /** @param {Values} values */
  #show(values) {
    for (const stage of this.#stages) stage.show(values);
    for (const [name, input] of this.#presets) input.checked = values.preset === name;
    this.#custom.hidden = values.preset !== 'custom';
    this.#showTools();
  }

  /** @param {boolean} allowed */
  #allow(allowed) {
    this.classList.toggle('read-only', !allowed);
    for (const stage of this.#stages) stage.allow(allowed);
    for (const input of this.#presets.values()) input.disabled = !allowed;
    this.#showTools(allowed);
  }

  #showTools(allowed = !this.classList.contains('read-only')) {
    const { undo, redo, paste, reset } = this.#tools;
    if (undo) undo.disabled = !allowed || !this.#editor?.canUndo;
    if (redo) redo.disabled = !allowed || !this.#editor?.canRedo;
    if (paste) paste.disabled = !allowed || clipboard === null;
    if (reset) reset.disabled = !allowed;
  }

  // ---- what is heard -------------------------------------------------------------------------

  async #watch() {
    const { client, participantId } = this;
    try {
      await client?.desk.watchMeters(
        { participantIds: [participantId], spectrum: participantId },
        { holder: HOLDER },
      );
    } catch {
      setText(this.#status, 'Its meters are not to be seen just now.');
    }
  }

  /** @param {{ meters: StripMeters[], spectrum: StripSpectrum | null }} detail */
  #hear({ meters, spectrum }) {
    const meter = meters.find(({ participantId }) => participantId === this.participantId);
    if (!meter) return;
    const now = performance.now();
    this.#heardAt = now;
    if (isStill() && now - this.#shownAt < STILL_EVERY_MS) return;
    this.#shownAt = now;
    this.#showMeter(meter, spectrum?.participantId === this.participantId ? spectrum : null);
  }

  /** @param {StripMeters} meter @param {StripSpectrum | null} spectrum */
  #showMeter(meter, spectrum) {
    const trimDb = Number(this.#editor?.values.inputTrim ?? 0);
    const silent = meter.inPeakDb <= -120 && meter.outPeakDb <= -120;
    const reading = { ...meter, levelInDb: meter.inPeakDb + meter.autoLevelDb + trimDb };
    for (const stage of this.#stages) stage.hear(silent ? null : reading);
    this.#equaliser.hearSpectrum(spectrum?.bandsDb ?? null);
    this.#limiter.hearPeak(spectrum?.truePeakDb ?? null);
    this.#sight?.hear({
      bandsDb: spectrum?.bandsDb ?? null,
      correlation: spectrum?.correlation ?? 1,
      peakDb: meter.outPeakDb,
      lufs: meter.shortTermLufs,
    });
  }

  #fallSilent() {
    if (performance.now() - this.#heardAt < SILENT_MS) return;
    if (this.#heardAt === -Infinity) return;
    this.#heardAt = -Infinity;
    for (const stage of this.#stages) stage.hear(null);
    this.#equaliser.hearSpectrum(null);
    this.#limiter.hearPeak(null);
    this.#sight?.hear(null);
  }

  get #input() {
    return /** @type {AgInput} */ (this.querySelector('ag-input'));
  }

  get #equaliser() {
    return /** @type {AgEqualiser} */ (this.querySelector('ag-equaliser'));
  }

  get #limiter() {
    return /** @type {AgLimiter} */ (this.querySelector('ag-limiter'));
  }

  // ---- what the user does --------------------------------------------------------------------

  /** @param {Values} change */
  #change(change) {
    setText(this.#trouble, '');
    this.#editor?.change(change);
  }

  /** @param {string} preset */
  #choosePreset(preset) {
    this.#change({ ...Object.fromEntries(BYPASSES.map((name) => [name, false])), preset });
  }

  #copy() {
    clipboard = this.#editor?.copy() ?? null;
    setText(this.#status, 'The sound is copied. Paste it into any strip.');
    this.#showTools();
  }

  #paste() {
    if (clipboard) this.#change(clipboard);
    setText(this.#status, 'The sound is pasted.');
  }

  #resetAll() {
    this.#change({
      ...resting([...Object.keys(SCALES), ...SWITCHES, ...BYPASSES, 'denoise']),
      preset: 'flat',
    });
    setText(this.#status, 'The strip is as it was in the beginning.');
  }

  #close() {
    this.dispatchEvent(new CustomEvent('close'));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const isText = event.target instanceof HTMLInputElement && event.target.type === 'text';
    if (isText || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z') return;
    event.preventDefault();
    if (event.shiftKey) this.#editor?.redo();
    else this.#editor?.undo();
  }

  // ---- how it is built -----------------------------------------------------------------------

  #build() {
    this.#stages = STAGES.map((tag) => /** @type {StageElement} */ (document.createElement(tag)));
    this.#sight = /** @type {AgSight} */ (document.createElement('ag-sight'));
    this.append(
      make('header', { class: 'studio-head' }, [
        make('h2', { class: 'studio-title', attributes: { tabindex: '-1' } }, [
          make('span', { class: 'label', text: 'Studio' }),
          this.#name,
          this.#tag,
        ]),
        this.#makePresets(),
        this.#makeTools(),
      ]),
      this.#trouble,
      this.#hint,
      make('div', { class: 'studio-stages' }, [...this.#stages, this.#sight]),
      this.#status,
    );
    this.addEventListener('stripchange', (event) => {
      this.#change(/** @type {CustomEvent<{ change: Values }>} */ (event).detail.change);
    });
    this.addEventListener('keydown', (event) => this.#key(event));
  }

  #makePresets() {
    const presets = make('fieldset', { class: 'choices presets' }, [
      make('legend', { class: 'visually-hidden', text: 'Preset' }),
    ]);
    for (const [name, text] of Object.entries(PRESETS)) {
      const input = make('input', { attributes: { type: 'radio', name: 'preset', value: name } });
      input.addEventListener('change', () => this.#choosePreset(name));
      this.#presets.set(name, input);
      presets.append(make('label', { class: 'choice' }, [input, make('span', { text })]));
    }
    presets.append(this.#custom);
    return presets;
  }

  #makeTools() {
    const tools = make('div', { class: 'studio-tools', attributes: { role: 'group', 'aria-label': 'Changes' } });
    /** @type {[name: string, label: string, act: () => void][]} */
    const wanted = [
      ['undo', 'Undo', () => this.#editor?.undo()],
      ['redo', 'Redo', () => this.#editor?.redo()],
      ['copy', 'Copy the sound', () => this.#copy()],
      ['paste', 'Paste the sound', () => this.#paste()],
      ['reset', 'Reset the strip', () => this.#resetAll()],
      ['close', 'Close the studio', () => this.#close()],
    ];
    for (const [name, label, act] of wanted) {
      const button = make('button', {
        class: 'tool',
        attributes: { type: 'button', 'aria-label': label, title: label },
      });
      button.append(icon(name));
      button.addEventListener('click', act);
      this.#tools[name] = button;
      tools.append(button);
    }
    return tools;
  }
}

/** @param {Participant} person @param {boolean} allowed */
function hintFor({ settings, isMe }, allowed) {
  if (settings === null) return isMe ? 'You only listen; there is no strip yet.' : 'They only listen.';
  return allowed ? '' : 'You may look; whoever runs the desk may change it.';
}
