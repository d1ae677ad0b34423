import { AgFader } from '../desk/ag_fader.js';
import { AgKnob } from '../desk/ag_knob.js';
import { stripHands } from './strip_hands.js';
import { Surface } from './surface.js';

/**
 * A surface for the strips of a room's desk.
 * @param {import('../desk/ag_room.js').AgRoom} room
 * @param {readonly import('./surface.js').Binding[]} bindings
 * @param {() => void} changed
 */
export function startSurface(room, bindings, changed) {
  const hands = stripHands(() => room.store.state, room.actions);
  const surface = new Surface({ hands, bindings, changed });
  for (const type of ['input', 'click']) {
    // On the way down, as `input` of our own controls does not bubble.
    room.addEventListener(type, ({ target }) => offer(surface, target), { capture: true });
  }
  room.store.subscribe(() => surface.show());
  return surface;
}

/** @param {Surface} surface @param {EventTarget | null} element What was moved on the screen. */
function offer(surface, element) {
  if (!(element instanceof HTMLElement)) return;
  const place = element.closest('.strip')?.getAttribute('aria-posinset');
  const part = partOf(element);
  if (place && part) surface.offer(`${part}/${place}`);
}

/** @param {HTMLElement} element */
function partOf(element) {
  if (element instanceof AgFader) return 'fader';
  if (element instanceof AgKnob) return 'pan';
  const part = element.dataset.ref ?? '';
  return ['mute', 'solo'].includes(part) ? part : null;
}
