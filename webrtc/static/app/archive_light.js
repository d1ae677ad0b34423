import { setText } from './dom.js';

/**
 * Show everybody in the room whether what they say is kept.
 * @param {HTMLElement} light
 * @param {{ archive?: boolean } | null} settings
 */
export function showArchive(light, settings) {
  const on = settings?.archive === true;
  light.dataset.archive = on ? 'on' : 'off';
  setText(light, on ? 'Archive on' : '');
  light.title = on ? 'What is said is kept for a while' : '';
}
