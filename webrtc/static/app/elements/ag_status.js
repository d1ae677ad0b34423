import { make, setText } from '../dom.js';
import { statusWords } from '../words.js';

/** The connection's state in words, with what it means for the user. */
export class AgStatus extends HTMLElement {
  #lamp = make('span', { class: 'lamp', attributes: { 'aria-hidden': 'true' } });
  #text = make('b', { class: 'status-text' });
  #hint = make('span', { class: 'status-hint' });
  #retry = make('button', {
    class: 'button small',
    text: 'Try now',
    attributes: { type: 'button' },
  });

  connectedCallback() {
    if (this.#lamp.isConnected) return;
    this.#retry.hidden = true;
    const words = make('span', { class: 'status-words' }, [this.#text, this.#hint]);
    this.replaceChildren(this.#lamp, words, this.#retry);
    this.#retry.addEventListener('click', () => this.dispatchEvent(new Event('retry')));
  }

  /**
   * @param {import('../../client/types.js').ClientState} state
   * @param {import('../../client/media_machine.js').MediaState} mediaState
   */
  show(state, mediaState) {
    const { tone, text, hint } = statusWords(state, mediaState);
    this.dataset.tone = tone;
    setText(this.#text, text);
    setText(this.#hint, hint);
    this.#retry.hidden = state !== 'reconnecting' && mediaState !== 'retrying';
  }
}
