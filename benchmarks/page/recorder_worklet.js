/** Hands out what its inputs get, mixed down to one channel each, a tenth of a second at a time, as 16 bits. */

const BLOCK = 128;
const PIECE = 38 * BLOCK;

class Recorder extends AudioWorkletProcessor {
  constructor({ numberOfInputs }) {
    super();
    this.pieces = Array.from({ length: numberOfInputs }, () => new Int16Array(PIECE));
    this.filled = 0;
    this.first = currentFrame;
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    inputs.forEach((channels, input) => {
      const piece = this.pieces[input];
      for (let k = 0; k < BLOCK; k += 1) {
        let sum = 0;
        for (const channel of channels) sum += channel[k];
        const sample = channels.length ? sum / channels.length : 0;
        piece[this.filled + k] = Math.max(-32768, Math.min(32767, Math.round(32767 * sample)));
      }
    });
    this.filled += BLOCK;
    if (this.filled === PIECE) this.hand();
    return true;
  }

  hand() {
    const pieces = this.pieces.map((piece) => piece.slice());
    this.port.postMessage({ first: this.first, pieces }, pieces.map(({ buffer }) => buffer));
    this.first += this.filled;
    this.filled = 0;
  }
}

registerProcessor('recorder', Recorder);
