import { make } from '../dom.js';

/**
 * @typedef {import('../../client/client.js').BaseClient} BaseClient
 * @typedef {import('./ag_studio_panel.js').AgStudioPanel} AgStudioPanel
 */

const SHEETS = ['studio.css', 'studio_stages.css'];

/** @type {Promise<unknown> | null} */
let loading = null;

/** Fetch style sheets and elements, once; again after a failure. */
function load() {
  loading ??= Promise.all([...SHEETS.map(style), import('./panel_elements.js')]).catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/**
 * @param {string} name
 * @returns {Promise<void>}
 */
function style(name) {
  return new Promise((resolve, reject) => {
    const href = new URL(`../../styles/${name}`, import.meta.url).href;
    const sheet = make('link', { attributes: { rel: 'stylesheet', href } });
    sheet.addEventListener('load', () => resolve());
    sheet.addEventListener('error', () => {
      sheet.remove();
      reject(new Error(`${name} is not to be had`));
    });
    document.head.append(sheet);
  });
}

/**
 * The studio of a strip, over the page as long as it is in it: whose it is says `participantId`, and
 * `client` is the page's. Everybody may change their own, those who may edit any strip others' too.
 * Fires `close` when the user is done or the participant is gone; whoever put it there takes it away.
 * Most of it is fetched when it is opened for the first time.
 */
export class AgStudio extends HTMLElement {
  /** @type {BaseClient | null} */
  client = null;
  participantId = '';
  /** @type {HTMLDialogElement | null} */
  #dialog = null;

  connectedCallback() {
    void this.#open();
  }

  disconnectedCallback() {
    this.#dialog?.remove();
    this.#dialog = null;
  }

  async #open() {
    /** @type {HTMLElement} */
    let inside;
    try {
      await load();
      inside = this.#makePanel();
    } catch {
      inside = this.#makeApology();
    }
    if (!this.isConnected || this.#dialog) return;
    const dialog = make('dialog', { class: 'studio-dialog', attributes: { 'aria-label': 'Studio' } });
    this.#dialog = dialog;
    dialog.append(inside);
    dialog.addEventListener('close', () => this.dispatchEvent(new CustomEvent('close')));
    dialog.addEventListener('pointerdown', (event) => {
      if (event.target === dialog && isOutside(dialog, event)) dialog.close();
    });
    this.append(dialog);
    dialog.showModal();
    dialog.querySelector('h2')?.focus({ preventScroll: true });
  }

  #makePanel() {
    const panel = /** @type {AgStudioPanel} */ (document.createElement('ag-studio-panel'));
    panel.client = this.client;
    panel.participantId = this.participantId;
    panel.addEventListener('close', () => this.#dialog?.close());
    return panel;
  }

  /** The server is away, or a new version is there. */
  #makeApology() {
    const button = make('button', {
      class: 'button',
      text: 'Close',
      attributes: { type: 'button' },
    });
    button.addEventListener('click', () => this.#dialog?.close());
    return make('div', { class: 'panel' }, [
      make('h2', { text: 'Studio', attributes: { tabindex: '-1' } }),
      make('p', { text: 'It could not be fetched. Try again in a moment, or reload the page.' }),
      button,
    ]);
  }
}

/**
 * @param {HTMLElement} element
 * @param {{ clientX: number, clientY: number }} point
 */
function isOutside(element, { clientX: x, clientY: y }) {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return x < left || x > right || y < top || y > bottom;
}
