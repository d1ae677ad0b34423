import { dragged, keyed, stepped } from './scale.js';

/** @typedef {import('./scale.js').Scale} Scale */

/** With Shift a drag moves by so much less. */
const FINE = 0.1;
/** A finger that goes sideways is about to swipe the row: so far it has to go up or down first. */
const FINGER_SLOP_PX = 6;
/** So soon after the page was scrolled the wheel is meant for the page. */
const SCROLLED_MS = 400;

let scrolledAt = -Infinity;
globalThis.document?.addEventListener('scroll', () => (scrolledAt = performance.now()), {
  capture: true,
  passive: true,
});

/**
 * Let an element be moved like a fader or a knob: by dragging up and down (finely with Shift, and
 * always from where it stands, so that no level jumps), wheel and keys; a double click resets it.
 *
 * @param {HTMLElement} element
 * @param {object} handle
 * @param {() => Scale} handle.scale
 * @param {() => number} handle.value
 * @param {(value: number) => void} handle.move Called with every value on the way.
 * @param {() => number} handle.travelPx How far a drag goes from end to end.
 * @param {() => boolean} handle.isDisabled
 */
export function followHand(element, { scale, value, move, travelPx, isDisabled }) {
  /** @type {{ y: number, position: number, rests: boolean } | null} */
  let drag = null;

  /** @param {number} next */
  const put = (next) => {
    if (next !== value()) move(next);
  };

  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || isDisabled()) return;
    event.preventDefault(); // no text is selected; so the focus comes by hand
    element.focus({ preventScroll: true });
    element.setPointerCapture(event.pointerId);
    const rests = event.pointerType === 'touch';
    drag = { y: event.clientY, position: scale().positionOf(value()), rests };
    element.dataset.held = '';
  });
  element.addEventListener('pointermove', (event) => {
    if (!drag) return;
    if (drag.rests) {
      if (Math.abs(event.clientY - drag.y) >= FINGER_SLOP_PX) {
        drag = { ...drag, y: event.clientY, rests: false };
      }
      return;
    }
    const way = (drag.y - event.clientY) / travelPx();
    const position = drag.position + way * (event.shiftKey ? FINE : 1);
    drag = { y: event.clientY, position: Math.min(1, Math.max(0, position)), rests: false };
    put(dragged(scale(), drag.position, event.shiftKey));
  });
  const release = () => {
    drag = null;
    delete element.dataset.held;
  };
  element.addEventListener('pointerup', release);
  element.addEventListener('pointercancel', release);
  element.addEventListener('lostpointercapture', release);

  element.addEventListener('dblclick', () => {
    if (!isDisabled()) put(scale().initial);
  });
  element.addEventListener(
    'wheel',
    (event) => {
      // Shift turns the wheel on its side; else sideways is meant for the row of strips.
      const notches = event.shiftKey ? event.deltaY || event.deltaX : event.deltaY;
      const meantForPage =
        performance.now() - scrolledAt < SCROLLED_MS ||
        (!event.shiftKey && Math.abs(event.deltaX) > Math.abs(event.deltaY));
      if (isDisabled() || event.ctrlKey || meantForPage || notches === 0) return;
      event.preventDefault();
      put(stepped(scale(), value(), -Math.sign(notches), event.shiftKey));
    },
    { passive: false },
  );
  element.addEventListener('keydown', (event) => {
    if (isDisabled() || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = keyed(scale(), value(), event.key, event.shiftKey);
    if (next === null) return;
    event.preventDefault();
    put(next);
  });
}
