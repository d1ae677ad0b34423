/**
 * Single-key shortcuts of the page; silent while somebody types or holds a modifier key.
 * @param {Record<string, () => void>} actions Lower-case key to what it does.
 */
export function listenForShortcuts(actions) {
  document.addEventListener('keydown', (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
      return;
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

const TEXT_INPUTS = ['text', 'search', 'url', 'email', 'password', 'number'];

/** @param {EventTarget | null} target */
function isTyping(target) {
  if (target instanceof HTMLInputElement) return TEXT_INPUTS.includes(target.type);
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
