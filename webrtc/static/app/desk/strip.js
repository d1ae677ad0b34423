import { refs, setText } from '../dom.js';
import { PAN } from './scale.js';
import { genreWords, profileWords } from './content_words.js';
import { movesRoom } from './room_state.js';
import {
  QUALITY_WORDS,
  initialsOf,
  nameOf,
  rankOf,
  stateWords,
} from './strip_words.js';

/**
 * @typedef {import('../../client/roster.js').Participant} Participant
 * @typedef {import('./ag_fader.js').AgFader} AgFader
 * @typedef {import('./ag_knob.js').AgKnob} AgKnob
 * @typedef {import('./ag_meter.js').AgMeter} AgMeter
 * @typedef {import('./meter_board.js').MeterBoard} MeterBoard
 * @typedef {import('./room_state.js').RoomState} RoomState
 */

/**
 * @typedef {object} StripActions What the hand does; each names whom it is about.
 * @property {(participantId: string, change: { gainDb?: number, pan?: number, muted?: boolean,
 *   solo?: boolean }) => void} mix What I alone hear.
 * @property {(participantId: string, change: { fader?: number, pan?: number }) => void} strip What
 *   everybody hears.
 * @property {(participantId: string, change: { priority?: boolean, pinned?: boolean }) => void} turn
 * @property {(participantId: string, role: 'engineer' | 'speaker' | 'listener') => void} role
 * @property {(participantId: string, opener: HTMLElement) => void} open
 */

/** Below this the gate lets nothing through that matters. */
const GATE_CLOSED_DB = -3;
const GATE_OFF_DB = -60;

/**
 * One channel strip: who, how loud, and what the faders do with them. A controller round one `<li>`,
 * which may show somebody else later.
 */
export class Strip {
  /**
   * @param {HTMLTemplateElement} template
   * @param {StripActions} actions
   */
  constructor(template, actions) {
    this.element = document.createElement('li');
    this.element.className = 'strip';
    this.element.append(template.content.cloneNode(true));
    customElements.upgrade(this.element);
    this.#refs = refs(this.element);
    this.#gain = /** @type {AgFader} */ (this.#refs.gain);
    this.#pan = /** @type {AgKnob} */ (this.#refs.pan);
    this.#meter = /** @type {AgMeter} */ (this.#refs.meter);
    this.#pan.scale = PAN;
    this.#pan.caption = 'Pan';
    this.#follow(actions);
  }

  /** @type {Record<string, HTMLElement>} */
  #refs;
  #gain;
  #pan;
  #meter;
  /** @type {Participant | null} */
  #person = null;
  /** What it was drawn from. @type {unknown[]} */
  #shown = [];
  #forAll = false;

  get participantId() {
    return this.#person?.participantId ?? '';
  }

  /**
   * @param {Participant} person
   * @param {RoomState} state
   */
  show(person, state) {
    const shown = [person, state.layer, state.rights, state.tracks];
    if (shown.every((value, index) => value === this.#shown[index])) return;
    this.#shown = shown;
    const isOther = person.participantId !== this.participantId;
    this.#person = person;
    this.#forAll = movesRoom(state, person);
    const name = nameOf(person);
    this.element.dataset.participantId = person.participantId;
    this.element.dataset.layer = this.#forAll ? 'room' : 'mine';
    this.element.classList.toggle('me', person.isMe);
    setText(this.#ref('name'), name);
    this.#ref('name').title = name;
    setText(this.#ref('initials'), initialsOf(name));
    if (isOther) {
      this.#meter.reset();
      this.#showMore(false);
    }
    this.#showTags(person, state);
    this.#showMix(name, person);
    this.#showRights(name, person, state);
    this.showVoice(person);
  }

  /**
   * The part that changes many times a second.
   * @param {Participant} person
   */
  showVoice(person) {
    const speaking = person.speaking && !person.muted;
    const silenced = person.muted || (person.mix.muted && !person.mix.solo);
    this.element.classList.toggle('speaking', speaking);
    this.element.classList.toggle('silenced', silenced);
    setText(this.#ref('state'), stateWords(person, speaking));
  }

  /** @param {MeterBoard} board Asked before every frame. */
  followBoard(board) {
    this.#meter.read = () => board.readingOf(this.participantId);
  }

  /** @param {MeterBoard} board */
  showGate(board) {
    const meters = board.metersOf(this.participantId);
    const threshold = Number(this.#person?.settings?.gateThreshold ?? GATE_OFF_DB);
    const gate = this.#ref('gate');
    gate.hidden = !meters || threshold <= GATE_OFF_DB;
    if (!meters || gate.hidden) return;
    const closed = meters.gateDb < GATE_CLOSED_DB;
    gate.dataset.tone = closed ? 'idle' : 'good';
    setText(gate, closed ? 'Gate closed' : 'Gate open');
  }

  /** Nobody is shown any more; no frames are taken. */
  release() {
    this.#meter.read = null;
    this.element.remove();
  }

  /** @param {StripActions} actions */
  #follow(actions) {
    const id = () => this.participantId;
    this.#gain.addEventListener('input', () => {
      if (this.#forAll) actions.strip(id(), { fader: this.#gain.db });
      else actions.mix(id(), { gainDb: this.#gain.db });
    });
    this.#pan.addEventListener('input', () => {
      const pan = this.#pan.value;
      if (this.#forAll) actions.strip(id(), { pan });
      else actions.mix(id(), { pan });
    });
    const clicks = /** @type {Record<string, () => void>} */ ({
      mute: () => actions.mix(id(), { muted: !this.#person?.mix.muted }),
      solo: () => actions.mix(id(), { solo: !this.#person?.mix.solo }),
      pin: () => actions.turn(id(), { pinned: !this.#person?.pinned }),
      priority: () => actions.turn(id(), { priority: !this.#person?.priority }),
      engineer: () => actions.role(id(), this.#isEngineer ? 'speaker' : 'engineer'),
      listener: () => actions.role(id(), this.#person?.role === 'subscriber' ? 'speaker' : 'listener'),
      open: () => actions.open(id(), this.#ref('open')),
      more: () => this.#showMore(this.#ref('more').getAttribute('aria-expanded') !== 'true'),
    });
    for (const [name, act] of Object.entries(clicks)) {
      this.#ref(name).addEventListener('click', act);
    }
    this.#ref('sheet').addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      this.#showMore(false);
      this.#ref('more').focus();
    });
  }

  get #isEngineer() {
    return this.#person !== null && rankOf(this.#person) === 'Engineer';
  }

  /** @param {boolean} shown */
  #showMore(shown) {
    this.#ref('more').setAttribute('aria-expanded', String(shown));
    this.#ref('sheet').hidden = !shown;
  }

  /**
   * @param {Participant} person
   * @param {RoomState} state
   */
  #showTags(person, state) {
    const { quality } = person;
    const track = state.tracks.get(person.participantId);
    this.#tag('you', person.isMe ? 'You' : '');
    this.#tag('rank', rankOf(person));
    this.#tag('track', track === undefined ? '' : `Track ${track}`);
    this.#tag('first', person.pinned ? 'Pinned' : person.priority ? 'Priority' : '');
    this.#tag('network', person.network ? `Network ${person.network.conditions}` : '');
    this.#tag('genre', genreWords(person.genre));
    this.#ref('genre').title = profileWords(person);
    const badge = this.#ref('quality');
    badge.hidden = quality === null;
    badge.dataset.quality = quality ?? '';
    setText(this.#ref('qualityWord'), quality === null ? '' : QUALITY_WORDS[quality]);
  }

  /** @param {string} ref @param {string} text Empty: it is not there. */
  #tag(ref, text) {
    const tag = this.#ref(ref);
    tag.hidden = text === '';
    setText(tag, text);
  }

  /**
   * @param {string} name
   * @param {Participant} person
   */
  #showMix(name, person) {
    const { mix, settings, isMe } = person;
    this.#gain.what = this.#forAll ? 'Room fader' : 'Volume';
    this.#gain.name = name;
    this.#gain.db = this.#forAll ? Number(settings?.fader ?? 0) : mix.gainDb;
    this.#pan.label = `${this.#forAll ? 'Room pan' : 'Pan'} of ${name}`;
    this.#pan.value = this.#forAll ? Number(settings?.pan ?? 0) : mix.pan;
    setText(this.#ref('layer'), this.#forAll ? 'for everybody' : 'for you');
    this.#ref('keys').classList.toggle('void', isMe);
    this.#press('mute', mix.muted, `Mute ${name} for me`);
    this.#press('solo', mix.solo, `Solo ${name} for me`);
  }

  /**
   * @param {string} name
   * @param {Participant} person
   * @param {RoomState} state
   */
  #showRights(name, person, { rights }) {
    const { isMe, role, pinned, priority } = person;
    const isHost = rankOf(person) === 'Host';
    const speaks = role !== 'subscriber';
    const choose = rights.includes('choose_speakers') && speaks;
    const setRoles = rights.includes('set_roles') && !isHost && !isMe;
    const edits = isMe ? rights.includes('edit_own_strip') : rights.includes('edit_any_strip');
    this.#ref('turn').classList.toggle('void', !choose);
    this.#press('pin', pinned, `Pin ${name}`);
    this.#press('priority', priority, `Priority for ${name}`);
    this.#ref('open').hidden = !(edits && speaks && customElements.get('ag-studio'));
    this.#ref('open').setAttribute('aria-label', `Open the strip of ${name}`);
    this.#ref('more').hidden = !setRoles;
    this.#ref('more').setAttribute('aria-label', `Role of ${name}`);
    if (!setRoles) this.#showMore(false);
    this.#word('engineer', this.#isEngineer ? 'Take back' : 'Make engineer', name);
    this.#word('listener', speaks ? 'Make listener' : 'Let speak', name);
  }

  /** @param {string} ref @param {boolean} pressed @param {string} label */
  #press(ref, pressed, label) {
    this.#ref(ref).setAttribute('aria-pressed', String(pressed));
    this.#ref(ref).setAttribute('aria-label', label);
  }

  /** @param {string} ref @param {string} word @param {string} name */
  #word(ref, word, name) {
    setText(this.#ref(ref), word);
    this.#ref(ref).setAttribute('aria-label', `${word}: ${name}`);
  }

  /** @param {string} name */
  #ref(name) {
    return /** @type {HTMLElement} */ (this.#refs[name]);
  }
}
