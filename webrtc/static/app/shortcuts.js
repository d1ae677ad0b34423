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

/**
 * A key that does something for as long as it is held, such as push-to-talk. It is left alone where it
 * means something else: on buttons, in fields; but not on what is named `data-held-key`, the switch of
 * the same thing, which whoever clicked it is still at. Losing the window lets it go.
 * @param {string} key
 * @param {{ isWanted: () => boolean, press: () => void, release: () => void }} held
 */
export function listenForHeldKey(key, { isWanted, press, release }) {
  let isHeld = false;
  const letGo = () => {
    if (!isHeld) return;
    isHeld = false;
    release();
  };
  const isElsewhere = (/** @type {EventTarget | null} */ target) =>
    isUsed(target) && !(target instanceof Element && target.closest('[data-held-key]'));
  document.addEventListener('keydown', (event) => {
    if (event.key !== key || isElsewhere(event.target) || event.ctrlKey || event.metaKey || event.altKey)
      return;
    if (!isHeld && !isWanted()) return;
    event.preventDefault();
    if (event.repeat || isHeld) return;
    isHeld = true;
    press();
  });
  document.addEventListener('keyup', (event) => {
    if (event.key !== key || !isHeld) return;
    event.preventDefault(); // or a button would be clicked
    letGo();
  });
  window.addEventListener('blur', letGo);
}

const TEXT_INPUTS = ['text', 'search', 'url', 'email', 'password', 'number'];

/** @param {EventTarget | null} target */
function isTyping(target) {
  if (target instanceof HTMLInputElement) return TEXT_INPUTS.includes(target.type);
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

/** @param {EventTarget | null} target */
const isUsed = (target) =>
  target instanceof Element && target.closest('button, input, select, textarea, a, summary') !== null;
