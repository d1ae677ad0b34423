import { make } from '../dom.js';
import { nameOf } from './strip_words.js';

/** @typedef {import('../../client/roster.js').Participant} Participant */

const MOST = 3;

/**
 * Who speaks out of sight: names that lead to their strips.
 */
export class SpeakingNow {
  /**
   * @param {HTMLElement} place
   * @param {(participantId: string) => void} go
   */
  constructor(place, go) {
    this.#place = place;
    this.#go = go;
  }

  #place;
  #go;
  #shown = '';

  /**
   * @param {readonly Participant[]} people Out of sight, the loudest first.
   * @param {boolean} isNeeded Whether anybody is; the place is kept then, so that nothing jumps.
   */
  show(people, isNeeded) {
    this.#place.hidden = !isNeeded;
    const first = people.slice(0, MOST).sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
    const shown = first.map(({ participantId, name }) => `${participantId} ${name}`).join();
    // What somebody is about to press stays.
    if (shown === this.#shown || this.#place.contains(document.activeElement)) return;
    this.#shown = shown;
    const heading = first.length === 0 ? [] : [make('span', { text: 'Speaking' })];
    this.#place.replaceChildren(...heading, ...first.map((person) => this.#button(person)));
  }

  /** @param {Participant} person */
  #button(person) {
    const button = make('button', {
      class: 'key',
      text: nameOf(person),
      attributes: { type: 'button', 'aria-label': `Go to ${nameOf(person)}, who is speaking` },
    });
    button.addEventListener('click', () => {
      button.blur();
      this.#go(person.participantId);
    });
    return button;
  }
}
