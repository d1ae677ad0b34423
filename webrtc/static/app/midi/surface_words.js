/** Controls and what they move, in words. */

/** @type {Readonly<Record<string, string>>} */
const PARTS = { fader: 'Fader', pan: 'Pan', mute: 'Mute', solo: 'Solo' };

/** @param {string} target For example `fader/3`. */
export function nameOfTarget(target) {
  const [part = '', place] = target.split('/');
  return `${PARTS[part] ?? part} of strip ${place}`;
}

/** @param {string} control For example `cc/0/7`. */
export function nameOfControl(control) {
  const [kind, channel, number] = control.split('/');
  const where = `channel ${Number(channel) + 1}`;
  if (kind === 'bend') return `Fader, ${where}`;
  return kind === 'note' ? `Key ${number}, ${where}` : `Controller ${number}, ${where}`;
}
