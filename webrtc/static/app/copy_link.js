import { setText } from './dom.js';

const BACK_AFTER_MS = 3000;

/**
 * Let a button put the page's address into the clipboard, and say whether it did.
 * @param {HTMLElement} button
 * @param {(text: string) => void} say
 */
export function copyLinkBy(button, say) {
  const text = /** @type {HTMLElement} */ (button.querySelector('span'));
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(window.location.href);
      setText(text, 'Link copied');
      say('Link copied.');
    } catch {
      setText(text, 'Copy it from the address bar');
    }
    window.setTimeout(() => setText(text, 'Copy link'), BACK_AFTER_MS);
  });
}
