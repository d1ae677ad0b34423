import { make, refs } from '../dom.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('../../client/desk.js').SceneInfo} SceneInfo
 */

/**
 * Scenes of the room: store, recall with a crossfade, delete; for those who run the desk. Fires
 * `trouble` with `detail.error`, and `done` with `detail.text`, what to tell.
 */
export class AgScenes extends HTMLElement {
  /** @type {Record<string, HTMLElement>} */
  #refs = {};
  /** @type {BaseClient | null} */
  #client = null;
  /** @type {string | null} The one that was asked to be deleted, once. */
  #doomed = null;

  connectedCallback() {
    this.#refs = refs(this);
    this.#ref('store').addEventListener('submit', (event) => {
      event.preventDefault();
      const name = this.#name.value.trim();
      if (name !== '') void this.#store(name);
    });
  }

  /** @param {BaseClient} client */
  attach(client) {
    this.#client = client;
    client.desk.on('sceneschange', () => this.show());
    client.on('rolechange', () => this.show());
  }

  show() {
    const may = this.#client?.room?.rights.includes('run_desk') ?? false;
    this.hidden = !may;
    const scenes = this.#client?.desk.scenes ?? [];
    this.#ref('none').hidden = scenes.length > 0;
    this.#ref('list').replaceChildren(...scenes.map((scene) => this.#row(scene)));
  }

  /** @param {SceneInfo} scene */
  #row({ name, strips }) {
    const recall = this.#button('Recall', `Recall ${name}`, () => this.#recall(name));
    const isDoomed = this.#doomed === name;
    const remove = this.#button(
      isDoomed ? 'Sure?' : 'Delete',
      `${isDoomed ? 'Sure? Delete' : 'Delete'} ${name}`,
      () => this.#delete(name),
    );
    return make('li', { class: 'scene' }, [
      make('span', { class: 'scene-name', text: name, attributes: { title: name } }),
      make('span', { class: 'scene-size', text: strips === 1 ? '1 strip' : `${strips} strips` }),
      recall,
      remove,
    ]);
  }

  /** @param {string} text @param {string} label @param {() => unknown} act */
  #button(text, label, act) {
    const attributes = { type: 'button', 'aria-label': label };
    const button = make('button', { class: 'key', text, attributes });
    button.addEventListener('click', () => void act());
    return button;
  }

  /** @param {string} name */
  async #store(name) {
    await this.#attempt(this.#client?.desk.storeScene(name), `Scene ${name} stored.`);
    this.#name.value = '';
  }

  /** @param {string} name */
  #recall(name) {
    const seconds = Number(/** @type {HTMLSelectElement} */ (this.#ref('fade')).value);
    const fade = { fadeMs: seconds * 1000 };
    return this.#attempt(this.#client?.desk.recallScene(name, fade), `Scene ${name} recalled.`);
  }

  /** The second click does it. @param {string} name */
  async #delete(name) {
    if (this.#doomed !== name) {
      this.#doomed = name;
      this.show();
      this.#focus(`Sure? Delete ${name}`);
      return;
    }
    this.#doomed = null;
    await this.#attempt(this.#client?.desk.deleteScene(name), `Scene ${name} deleted.`);
    this.#name.focus();
  }

  /** @param {string} label */
  #focus(label) {
    const buttons = [...this.querySelectorAll('button')];
    buttons.find((button) => button.getAttribute('aria-label') === label)?.focus();
  }

  /** @param {Promise<unknown> | undefined} step @param {string} text */
  async #attempt(step, text) {
    try {
      await step;
      this.dispatchEvent(new CustomEvent('done', { detail: { text } }));
    } catch (error) {
      this.dispatchEvent(new CustomEvent('trouble', { detail: { error } }));
    }
  }

  get #name() {
    return /** @type {HTMLInputElement} */ (this.#ref('name'));
  }

  /** @param {string} name */
  #ref(name) {
    return /** @type {HTMLElement} */ (this.#refs[name]);
  }
}
