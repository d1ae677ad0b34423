/** Small helpers around the DOM; nothing here knows what is shown. */

/**
 * The parts of an element that its own markup names with `data-ref`.
 * @param {ParentNode} root
 * @returns {Record<string, HTMLElement>}
 */
export function refs(root) {
  /** @type {Record<string, HTMLElement>} */
  const found = {};
  for (const node of root.querySelectorAll('[data-ref]')) {
    const element = /** @type {HTMLElement} */ (node);
    found[/** @type {string} */ (element.dataset.ref)] = element;
  }
  return found;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {{ class?: string, text?: string, attributes?: Record<string, string> }} [options]
 * @param {(Node | string)[]} [children]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, { class: className, text, attributes = {} } = {}, children = []) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * An icon of the page's sprite.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * Set text only when it differs, so that nothing is laid out or read again for nothing.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
