import { formatPan } from './format.js';
import { refs, setText } from './dom.js';

/**
 * @typedef {import('../client/roster.js').Participant} Participant
 * @typedef {import('./desk/ag_meter.js').AgMeter} AgMeter
 * @typedef {import('./desk/ag_fader.js').AgFader} AgFader
 */

/**
 * One participant: who, how loud, and how I hear them. A controller round one `<li>`; calls
 * `onMix` with what the user changed.
 */
export class Strip {
  /**
   * @param {HTMLTemplateElement} template
   * @param {string} participantId
   * @param {(change: { gainDb?: number, pan?: number, muted?: boolean }) => void} onMix
   * @param {(change: { priority?: boolean, pinned?: boolean }) => void} onTurn Whether this one comes
   *   first when more speak than are heard.
   * @param {(role: 'engineer' | 'speaker') => void} onRole Whether this one runs the desk, too.
   */
  constructor(template, participantId, onMix, onTurn, onRole) {
    this.element = document.createElement('li');
    this.element.className = 'strip';
    this.element.dataset.participantId = participantId;
    this.element.append(template.content.cloneNode(true));
    customElements.upgrade(this.element);
    const found = refs(this.element);
    this.#name = /** @type {HTMLElement} */ (found.name);
    this.#you = /** @type {HTMLElement} */ (found.you);
    this.#state = /** @type {HTMLElement} */ (found.state);
    this.#controls = /** @type {HTMLElement} */ (found.controls);
    this.#own = /** @type {HTMLElement} */ (found.own);
    this.#mute = /** @type {HTMLButtonElement} */ (found.mute);
    this.#gain = /** @type {AgFader} */ (found.gain);
    this.#pan = /** @type {HTMLInputElement} */ (found.pan);
    this.#panValue = /** @type {HTMLElement} */ (found.panValue);
    this.#track = /** @type {HTMLElement} */ (found.track);
    this.#turn = /** @type {HTMLElement} */ (found.turn);
    this.#priority = /** @type {HTMLButtonElement} */ (found.priority);
    this.#pin = /** @type {HTMLButtonElement} */ (found.pin);
    this.#engineer = /** @type {HTMLElement} */ (found.engineer);
    this.#role = /** @type {HTMLElement} */ (found.role);
    this.#giveRole = /** @type {HTMLButtonElement} */ (found.giveRole);
    this.meter = /** @type {AgMeter} */ (found.meter);
    this.#giveRole.addEventListener('click', () => onRole(this.#isEngineer ? 'speaker' : 'engineer'));
    this.#priority.addEventListener('click', () => onTurn({ priority: !isOn(this.#priority) }));
    this.#pin.addEventListener('click', () => onTurn({ pinned: !isOn(this.#pin) }));
    this.#mute.addEventListener('click', () => onMix({ muted: !this.#mixMuted }));
    this.#gain.addEventListener('input', () => onMix({ gainDb: this.#gain.db }));
    this.#pan.addEventListener('input', () => onMix({ pan: Number(this.#pan.value) / 100 }));
    this.#pan.addEventListener('dblclick', () => onMix({ pan: 0 }));
  }

  #name;
  #you;
  #state;
  #controls;
  #own;
  #mute;
  #gain;
  #pan;
  #panValue;
  #track;
  #turn;
  #priority;
  #pin;
  #engineer;
  #role;
  #giveRole;
  #mixMuted = false;
  #mayChoose = false;
  #maySetRoles = false;
  #isEngineer = false;

  /** @param {Participant} person */
  show(person) {
    const name = person.name || 'Guest';
    setText(this.#name, name);
    this.#you.hidden = !person.isMe;
    this.#mute.hidden = person.isMe;
    this.#controls.hidden = person.isMe;
    this.#own.hidden = !person.isMe;
    setText(this.#own, ownHint(person.role));
    this.element.classList.toggle('me', person.isMe);
    this.#showMix(name, person.mix);
    this.#showTurn(name, person);
    this.#showRole(name, person);
    this.showVoice(person);
  }

  /** @param {readonly string[]} rights Mine: whether I choose who comes first, and set roles. */
  allow(rights) {
    this.#mayChoose = rights.includes('choose_speakers');
    this.#maySetRoles = rights.includes('set_roles');
  }

  /** @param {number | null} number Of my tracks on which this one is heard, from 1. */
  showTrack(number) {
    this.#track.hidden = number === null;
    setText(this.#track, number === null ? '' : `Track ${number}`);
  }

  /**
   * @param {string} name
   * @param {Participant} person
   */
  #showTurn(name, { role, priority, pinned }) {
    this.#turn.hidden = !this.#mayChoose || role === 'subscriber';
    this.#priority.setAttribute('aria-pressed', String(priority));
    this.#priority.setAttribute('aria-label', `Priority for ${name}`);
    this.#pin.setAttribute('aria-pressed', String(pinned));
    this.#pin.setAttribute('aria-label', `Pin ${name}`);
  }

  /**
   * @param {string} name
   * @param {Participant} person
   */
  #showRole(name, { rights, isMe }) {
    const isHost = rights.includes('set_roles');
    this.#isEngineer = rights.includes('run_desk') && !isHost;
    this.#engineer.hidden = !this.#isEngineer;
    this.#role.hidden = !this.#maySetRoles || isHost || isMe;
    const word = this.#isEngineer ? 'Take back' : 'Make engineer';
    setText(this.#giveRole, word);
    this.#giveRole.setAttribute('aria-label', `${word}: ${name}`);
  }

  /**
   * The part that changes many times a second.
   * @param {Participant} person
   */
  showVoice(person) {
    const speaking = person.speaking && !person.muted;
    this.element.classList.toggle('speaking', speaking && !person.mix.muted);
    this.element.classList.toggle('silenced', person.muted || person.mix.muted);
    setText(this.#state, stateWord(person, speaking));
    if (person.isMe) return;
    const level = person.muted ? -Infinity : person.levelDbov;
    this.meter.show({ peakDb: level, rmsDb: level });
  }

  /**
   * @param {string} name
   * @param {import('../client/roster.js').ListenerMix} mix
   */
  #showMix(name, mix) {
    this.#mixMuted = mix.muted;
    this.#mute.setAttribute('aria-pressed', String(mix.muted));
    this.#mute.setAttribute('aria-label', `Mute ${name} for me`);
    this.#gain.name = name;
    this.#gain.db = mix.gainDb;
    this.#pan.value = String(Math.round(mix.pan * 100));
    this.#pan.setAttribute('aria-label', `Pan of ${name}`);
    this.#pan.setAttribute('aria-valuetext', panWords(mix.pan));
    setText(this.#panValue, formatPan(mix.pan));
  }
}

/** @param {HTMLElement} button */
const isOn = (button) => button.getAttribute('aria-pressed') === 'true';

/**
 * @param {Participant} person
 * @param {boolean} speaking
 */
function stateWord(person, speaking) {
  if (person.mix.muted) return 'muted by you';
  if (person.role === 'subscriber') return person.deafened ? 'hears nothing' : 'listening';
  if (person.muted) return 'microphone off';
  if (speaking) return 'speaking';
  return person.deafened ? 'hears nothing' : '';
}

/** @param {string} role */
const ownHint = (role) =>
  role === 'subscriber' ? 'You are here to listen.' : 'Your own voice is never in what you hear.';

/** @param {number} pan */
function panWords(pan) {
  const percent = Math.round(Math.abs(pan) * 100);
  if (percent === 0) return 'centre';
  return `${percent} percent ${pan < 0 ? 'left' : 'right'}`;
}
