import { make, refs, setText } from '../dom.js';
import { nameOf, networkOf, networkWords } from './network_words.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('../../client/roster.js').Participant} Participant
 */

const EVERYBODY = '';

/**
 * Networks that are made worse on purpose: everybody sees which, who runs the desk chooses. Not there
 * where the operator lets nobody do that, unless something is simulated. Fires `trouble` with
 * `detail.error`, and `done` with `detail.text`.
 */
export class AgNetwork extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {BaseClient | null} */
  #client = null;

  connectedCallback() {
    this.#refs = refs(this);
    this.#ref('form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#simulate();
    });
    for (const name of ['kind', 'quality']) {
      this.#ref(name).addEventListener('input', () => this.#showFields());
    }
    this.#showFields();
  }

  /** @param {BaseClient} client */
  attach(client) {
    this.#client = client;
    client.desk.on('networkchange', () => this.show());
    client.on('rolechange', () => this.show());
    for (const type of /** @type {const} */ ([
      'participantjoined',
      'participantleft',
      'participantupdated',
    ])) {
      client.on(type, () => this.show());
    }
  }

  show() {
    if (!this.#client) return;
    const { desk, room, participants } = this.#client;
    const may = desk.simulates && (room?.rights.includes('run_desk') ?? false);
    const words = networkWords(desk.network, participants);
    this.hidden = !may && words === '';
    this.#ref('form').hidden = !may;
    setText(this.#ref('now'), words || 'Makes networks worse on purpose, to hear what they do.');
    this.#showPeople(participants);
  }

  /** @param {readonly Participant[]} participants */
  #showPeople(participants) {
    const select = /** @type {HTMLSelectElement} */ (this.#ref('who'));
    const people = participants.filter(({ role }) => role !== 'subscriber');
    const wanted = [[EVERYBODY, 'Everybody'], ...people.map((one) => [one.participantId, nameOf(one)])];
    const shown = [...select.options].map(({ value, text }) => [value, text]);
    if (JSON.stringify(wanted) === JSON.stringify(shown)) return;
    const chosen = select.value;
    select.replaceChildren(
      ...wanted.map(([value = '', text = '']) => make('option', { text, attributes: { value } })),
    );
    if (wanted.some(([value]) => value === chosen)) select.value = chosen;
  }

  #showFields() {
    const kind = this.#value('kind');
    this.#ref('qualityField').hidden = kind !== 'quality';
    this.#ref('figuresField').hidden = kind !== 'figures';
    setText(this.#ref('percent'), `${this.#value('quality')} %`);
  }

  async #simulate() {
    const network = networkOf({
      kind: this.#value('kind'),
      quality: this.#value('quality'),
      figures: this.#value('figures'),
    });
    const participantId = this.#value('who') || null;
    const seed = Math.max(0, Math.trunc(Number(this.#value('seed'))) || 0);
    try {
      await this.#client?.desk.setNetwork({ network, participantId, seed });
      const text = network === 'off' ? 'The network is as it is.' : `Simulated network: ${network}.`;
      this.dispatchEvent(new CustomEvent('done', { detail: { text } }));
    } catch (error) {
      this.dispatchEvent(new CustomEvent('trouble', { detail: { error } }));
    }
  }

  /** @param {string} name */
  #value(name) {
    return /** @type {HTMLInputElement | HTMLSelectElement} */ (this.#ref(name)).value;
  }

  /** @param {string} name */
  #ref(name) {
    return /** @type {HTMLElement} */ (this.#refs[name]);
  }
}
