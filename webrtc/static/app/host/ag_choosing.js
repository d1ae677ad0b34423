import { make, refs, setText } from '../dom.js';
import { RULES, rangeWords, readRule } from './choosing.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('./choosing.js').Rule} Rule
 * @typedef {{ rule: Rule, input: HTMLInputElement, said: HTMLElement }} Field
 */

/**
 * The rules by which the room chooses who is heard, for whoever may change them. A value counts when
 * the field is left or Enter is pressed; one that cannot be stays, with what it could be. Fires
 * `trouble` with `detail.error`.
 */
export class AgChoosing extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {BaseClient | null} */
  #client = null;
  /** @type {Field[]} */
  #fields = [];

  connectedCallback() {
    if (this.#fields.length > 0) return;
    this.#refs = refs(this);
    this.#fields = RULES.map((rule) => this.#make(rule));
    this.#ref('reset').addEventListener('click', () => {
      const initial = Object.fromEntries(RULES.map((rule) => [rule.name, rule.initial]));
      for (const field of this.#fields) say(field, '');
      void this.#change(initial);
    });
  }

  /** @param {BaseClient} client */
  attach(client) {
    this.#client = client;
    client.desk.on('roomchange', () => this.#show());
    client.on('rolechange', () => this.#show());
  }

  /** @param {Rule} rule @returns {Field} */
  #make(rule) {
    const id = `rule-${rule.name}`;
    const input = make('input', {
      class: 'input compact',
      attributes: {
        id,
        inputmode: 'decimal',
        autocomplete: 'off',
        size: '6',
        'aria-describedby': `${id}-help ${id}-said`,
      },
    });
    const said = make('p', { class: 'choosing-said', attributes: { id: `${id}-said`, role: 'status' } });
    const help = `${rule.help} (${rangeWords(rule)})`;
    const field = { rule, input, said };
    input.addEventListener('change', () => this.#take(field));
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.#take(field);
      else if (event.key === 'Escape') this.#put(field);
    });
    this.#ref('fields').append(
      make('div', { class: 'choosing-field' }, [
        make('label', { text: rule.label, attributes: { for: id } }),
        make('span', { class: 'choosing-value' }, [input, make('span', { text: rule.unit })]),
        make('p', { class: 'help', text: help, attributes: { id: `${id}-help` } }),
        said,
      ]),
    );
    return field;
  }

  /** @param {Field} field */
  #take(field) {
    const read = readRule(field.rule, field.input.value);
    say(field, 'error' in read ? read.error : '');
    if ('error' in read || read.value === this.#now(field.rule)) return;
    void this.#change({ [field.rule.name]: read.value });
  }

  /** Show what the room has. @param {Field} field */
  #put(field) {
    field.input.value = String(this.#now(field.rule));
    say(field, '');
  }

  #show() {
    const rights = this.#client?.room?.rights ?? [];
    const { settings } = this.#client?.desk ?? {};
    this.hidden = !settings || !rights.includes('choose_speakers');
    if (this.hidden) return;
    for (const field of this.#fields) {
      const isUsed = field.input === document.activeElement || field.said.textContent !== '';
      if (!isUsed) this.#put(field);
    }
    /** @type {HTMLButtonElement} */ (this.#ref('reset')).disabled = RULES.every(
      (rule) => this.#now(rule) === rule.initial,
    );
  }

  /** @param {Rule} rule */
  #now(rule) {
    return this.#client?.desk.settings?.[rule.name] ?? rule.initial;
  }

  /** @param {Partial<import('../../client/desk.js').RoomSettings>} change */
  async #change(change) {
    try {
      await this.#client?.desk.setRoom(change);
    } catch (error) {
      this.dispatchEvent(new CustomEvent('trouble', { bubbles: true, detail: { error } }));
    }
    for (const field of this.#fields) if (field.rule.name in change) this.#put(field);
    this.#show();
  }

  /** @param {string} name */
  #ref(name) {
    return /** @type {HTMLElement} */ (this.#refs[name]);
  }
}

/** @param {Field} field @param {string} error Empty: nothing is wrong. */
function say({ input, said }, error) {
  setText(said, error);
  if (error === '') input.removeAttribute('aria-invalid');
  else input.setAttribute('aria-invalid', 'true');
}
