/**
 * What a control surface says and hears: MIDI 1.0 messages of faders, knobs and keys. A control has a
 * name: `cc/0/7` (channel, controller), `bend/0` (a fader on pitch bend), `note/0/16`.
 */

/**
 * @typedef {object} Gesture
 * @property {string} control
 * @property {number} position 0 to 1.
 * @property {number | null} raw The seven bits of a controller, null for all else.
 * @property {boolean} fine Fourteen bits.
 */

/** @typedef {'absolute' | 'twos' | 'offset'} Mode How a controller counts; the others turn for ever. */

const SEVEN_BITS = 127;
const FOURTEEN_BITS = 16_383;
/** Of a controller below 32 the lower seven bits come as the one 32 above. */
const LOWER = 32;
/** The most notches that a knob which turns for ever tells at once. */
const MOST_NOTCHES = 7;
const LEAST_TURNS = 3;

const CONTROL_CHANGE = 0xb0;
const PITCH_BEND = 0xe0;
const NOTE_ON = 0x90;
const NOTE_OFF = 0x80;

/** Reads one device; remembers the upper bits until the lower ones come. */
export class MidiReader {
  #upper = { control: '', bits: 0 };

  /**
   * @param {ArrayLike<number>} data One message.
   * @returns {Gesture | null} Null for what is no control.
   */
  read(data) {
    const status = data[0] ?? 0;
    const first = data[1] ?? 0;
    const second = data[2] ?? 0;
    const channel = status & 0x0f;
    const { control, bits } = this.#upper;
    this.#upper = { control: '', bits: 0 };
    switch (status & 0xf0) {
      case CONTROL_CHANGE: {
        const name = `cc/${channel}/${first}`;
        const above = `cc/${channel}/${first - LOWER}`;
        if (first >= LOWER && control === above) {
          const position = ((bits << 7) | second) / FOURTEEN_BITS;
          return { control: above, position, raw: null, fine: true };
        }
        if (first < LOWER) this.#upper = { control: name, bits: second };
        return { control: name, position: second / SEVEN_BITS, raw: second, fine: false };
      }
      case PITCH_BEND: {
        const position = ((second << 7) | first) / FOURTEEN_BITS;
        return { control: `bend/${channel}`, position, raw: null, fine: true };
      }
      case NOTE_ON:
      case NOTE_OFF: {
        const isDown = (status & 0xf0) === NOTE_ON && second > 0;
        const position = isDown ? 1 : 0;
        return { control: `note/${channel}/${first}`, position, raw: null, fine: false };
      }
      default:
        return null;
    }
  }
}

/**
 * The messages that bring a motor, a ring of lights or a lamp to a position.
 * @param {string} control
 * @param {number} position 0 to 1.
 * @param {boolean} fine
 * @returns {number[][]}
 */
export function encode(control, position, fine) {
  const [kind, channel = 0, number = 0] = control.split('/').map((part, i) => (i ? Number(part) : part));
  const low = Number(channel);
  const which = Number(number);
  const bits = Math.round(position * FOURTEEN_BITS);
  switch (kind) {
    case 'bend':
      return [[PITCH_BEND | low, bits & 0x7f, bits >> 7]];
    case 'note':
      return [[NOTE_ON | low, which, position >= 0.5 ? SEVEN_BITS : 0]];
    default: {
      const seven = Math.round(position * SEVEN_BITS);
      if (!fine) return [[CONTROL_CHANGE | low, which, seven]];
      return [
        [CONTROL_CHANGE | low, which, bits >> 7],
        [CONTROL_CHANGE | low, which + LOWER, bits & 0x7f],
      ];
    }
  }
}

/**
 * How a controller counts, from what it said while somebody moved it: a knob that turns for ever
 * repeats itself, and stays near 0 (two's complement) or near 64.
 * @param {readonly number[]} raws
 * @returns {Mode}
 */
export function modeOf(raws) {
  const repeats = raws.some((raw, index) => index > 0 && raw === raws[index - 1]);
  if (raws.length < LEAST_TURNS || !repeats) return 'absolute';
  for (const mode of /** @type {const} */ (['twos', 'offset'])) {
    const isTurning = (/** @type {number} */ raw) => {
      const notches = Math.abs(notchesOf(raw, mode));
      return notches > 0 && notches <= MOST_NOTCHES;
    };
    if (raws.every(isTurning)) return mode;
  }
  return 'absolute';
}

/** @param {number} raw @param {Mode} mode @returns {number} Positive to the right. */
export function notchesOf(raw, mode) {
  if (mode === 'offset') return raw - 64;
  return raw < 64 ? raw : raw - 128;
}
