import { make, setText } from '../dom.js';
import { facts, formatName, length, wavePath } from './words.js';

/**
 * @typedef {import('./api.js').Session} Session
 * @typedef {import('./api.js').Details} Details
 * @typedef {'info' | 'play' | 'room' | 'stop' | 'wav' | 'flac' | 'opus' | 'delete'} Verb
 */

/** @type {[Verb, string][]} */
const VERBS = [
  ['info', 'Info'],
  ['play', 'Play here'],
  ['room', 'Play into room'],
  ['stop', 'Stop'],
  ['wav', 'WAV'],
  ['flac', 'FLAC'],
  ['opus', 'Opus'],
  ['delete', 'Delete'],
];

/** One session: what is known of it, and what can be done with it. Knows no server. */
export class SessionCard {
  /** @type {number} The candidate of an unknown format that was chosen by hand. */
  choice = -1;
  element;
  #name = make('h3', { class: 'session-name' });
  #state = make('span', { class: 'tag' });
  #when = make('span', { class: 'session-when' });
  #details = make('div', { class: 'session-details' });
  /** @type {Map<Verb, HTMLButtonElement>} */
  #buttons = new Map();
  #onVerb;
  #session;

  /**
   * @param {Session} session
   * @param {{ mayDelete: boolean, onVerb: (verb: Verb, card: SessionCard) => void }} options
   */
  constructor(session, { mayDelete, onVerb }) {
    this.#session = session;
    this.#onVerb = onVerb;
    const row = make('div', { class: 'row' });
    for (const [verb, text] of VERBS) {
      if (verb === 'delete' && !mayDelete) continue;
      if (verb === 'room' && session.room_id === null) continue;
      const button = make('button', { class: 'button small', text, attributes: { type: 'button' } });
      button.dataset.verb = verb;
      button.addEventListener('click', () => onVerb(verb, this));
      this.#buttons.set(verb, button);
      row.append(button);
    }
    const head = make('div', { class: 'session-head' }, [this.#name, this.#state, this.#when]);
    this.element = make('li', { class: 'session' }, [head, row, this.#details]);
    this.element.dataset.session = session.session_id;
    this.update(session);
  }

  get session() {
    return this.#session;
  }

  /** @param {Session} session */
  update(session) {
    this.#session = session;
    const name = session.name || session.participant_id || session.session_id;
    setText(this.#name, name);
    const state = session.playing ? 'playing' : session.state;
    this.#state.dataset.state = state;
    setText(this.#state, { live: 'Live', ended: 'Ended', playing: 'Playing' }[state]);
    const begun = session.started_at;
    const when = begun === null ? '' : new Date(begun * 1000).toLocaleString();
    const lasted = session.duration_s === null ? '' : `, ${length(session.duration_s)}`;
    setText(this.#when, `${session.room_id ?? session.kind} · ${when}${lasted}`);
    for (const [verb, button] of this.#buttons) {
      button.setAttribute('aria-label', `${button.textContent}: ${name}`);
      if (verb === 'stop') button.disabled = !session.playing;
    }
  }

  /** @param {Details} details */
  showDetails(details) {
    this.update(details.session);
    const parts = [];
    if (details.analysis) parts.push(wave(details.analysis.waveform));
    if (details.guess?.garbage) {
      parts.push(make('p', { class: 'trouble', text: 'This does not look like sound.' }));
    }
    if (details.guess?.candidates.length) parts.push(this.#candidates(details.guess.candidates));
    const list = make('dl', { class: 'facts' });
    for (const [what, much] of facts(details)) {
      list.append(make('div', {}, [make('dt', { text: what }), make('dd', { text: much })]));
    }
    if (!details.kept) parts.push(make('p', { class: 'help', text: 'Nothing is kept of it yet.' }));
    this.#details.replaceChildren(...parts, list, ...this.#player());
  }

  /** @param {string} url @param {number} positionS */
  showPlayer(url, positionS) {
    const audio = make('audio', { attributes: { controls: '', preload: 'auto', src: url } });
    audio.setAttribute('aria-label', `Player: ${this.#name.textContent}`);
    audio.currentTime = positionS;
    audio.addEventListener('ended', () => this.#onVerb('stop', this), { once: true });
    this.hidePlayer();
    this.#details.append(audio);
    return audio;
  }

  hidePlayer() {
    for (const audio of this.#player()) {
      audio.pause();
      audio.removeAttribute('src');
      audio.load();
      audio.remove();
    }
  }

  #player() {
    return [...this.#details.querySelectorAll('audio')];
  }

  /** @param {import('./api.js').Candidate[]} candidates */
  #candidates(candidates) {
    const select = make('select', { class: 'input' });
    for (const { choice, format, confidence } of candidates) {
      const text = `${formatName(format)} (${Math.round(confidence * 100)} %)`;
      select.append(make('option', { text, attributes: { value: String(choice) } }));
    }
    select.value = String(Math.max(0, this.choice));
    select.addEventListener('change', () => {
      this.choice = Number(select.value);
      this.#onVerb('info', this);
    });
    return make('label', { class: 'field' }, [make('span', { text: 'Format' }), select]);
  }
}

/** @param {number[]} peaks */
function wave(peaks) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('class', 'wave');
  svg.setAttribute('viewBox', `0 0 ${Math.max(1, peaks.length)} 1`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', 'Waveform');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', wavePath(peaks));
  path.setAttribute('stroke-width', '0.8');
  svg.append(path);
  return svg;
}
