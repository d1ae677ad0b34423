import { icon, make } from './dom.js';

/**
 * @typedef {object} Notice
 * @property {string} title
 * @property {string} text
 * @property {{ label: string, run: () => void }[]} actions
 */

/**
 * Messages that stay until they are dealt with; one per subject.
 */
export class Notices {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place;
  }

  #place;
  /** @type {Map<string, HTMLElement>} */
  #shown = new Map();

  /**
   * Show a message about `subject`, in place of an earlier one.
   * @param {string} subject
   * @param {Notice} notice
   */
  show(subject, { title, text, actions }) {
    const close = make(
      'button',
      {
        class: 'button quiet notice-close',
        attributes: { type: 'button', 'aria-label': `Dismiss: ${title}` },
      },
      [icon('close')],
    );
    close.addEventListener('click', () => this.clear(subject));
    const buttons = actions.map(({ label, run }) => {
      const button = make('button', {
        class: 'button small',
        text: label,
        attributes: { type: 'button' },
      });
      button.addEventListener('click', run);
      return button;
    });
    const element = make('div', { class: 'notice', attributes: { role: 'alert' } }, [
      icon('alert'),
      make('p', { class: 'notice-text' }, [make('b', { text: title }), make('span', { text })]),
      make('div', { class: 'notice-actions' }, buttons),
      close,
    ]);
    const earlier = this.#shown.get(subject);
    if (earlier) earlier.replaceWith(element);
    else this.#place.append(element);
    this.#shown.set(subject, element);
  }

  /** @param {string} subject */
  has(subject) {
    return this.#shown.has(subject);
  }

  /** @param {string} subject */
  clear(subject) {
    this.#shown.get(subject)?.remove();
    this.#shown.delete(subject);
  }
}
