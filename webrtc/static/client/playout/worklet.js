/**
 * The processor on the audio thread: takes frames, reads the clock, fills blocks. Glue only; what
 * is played when is decided in `playout_core.js`.
 *
 * The decoder is compiled once for all processors of a context, when this module is loaded.
 */

import createLibopus from '../../vendor/libopus.js';
import { OpusDecoder } from './decoder.js';
import { FrameRing } from './frame_ring.js';
import { Fader } from './gain.js';
import { Playout } from './playout_core.js';

const REPORT_S = 0.25;
/** A frame that waited less for the audio thread may come a batch of blocks later next time. */
const CLOSE_MS = 2;

/** @typedef {import('./types.js').EncodedFrame} EncodedFrame */

const library = createLibopus();
library.catch(() => {}); // each processor tells of it

class PlayoutProcessor extends AudioWorkletProcessor {
  #fader = new Fader();
  /** @type {Playout | null} */
  #playout = null;
  /** @type {OpusDecoder | null} */
  #decoder = null;
  /** @type {import('./types.js').FramesSink | null} */
  #source = null;
  /** @type {FrameRing | null} */
  #ring = null;
  /** Frames that came by the port since the last block. @type {EncodedFrame[]} */
  #come = [];
  #batchS;
  #starving = false;
  #nextFrame = currentFrame;
  #reportAt = currentFrame;
  #ended = false;

  /**
   * @param {{ processorOptions?: { batchS: number } }} [options] `batchS`: of the sound that the
   *   output asks for at once, as far as the browser tells; else 0.
   */
  constructor({ processorOptions } = {}) {
    super();
    this.#batchS = processorOptions?.batchS ?? 0;
    this.port.onmessage = (event) => this.#obey(event.data);
    library.then(
      (libopus) => this.#begin(libopus),
      (/** @type {unknown} */ error) => this.#fail(error),
    );
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, outputs) {
    const left = outputs[0]?.[0];
    const right = outputs[0]?.[1];
    if (this.#ended || left === undefined || right === undefined) return !this.#ended;
    this.#nextFrame = currentFrame + left.length;
    if (this.#playout === null) return true;
    try {
      this.#ring?.drain(this.#take);
      if (this.#come.length > 0) this.#come.splice(0).forEach(this.#take);
      this.#playout.pull(left, right, currentFrame / sampleRate);
    } catch (error) {
      left.fill(0);
      right.fill(0);
      this.#fail(error);
      return false;
    }
    this.#fader.apply(left, right, currentFrame);
    this.#watch(this.#playout);
    return true;
  }

  /** @param {import('./decoder.js').Libopus} libopus */
  #begin(libopus) {
    if (this.#ended) return;
    try {
      this.#decoder = new OpusDecoder(libopus);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#playout = new Playout(this.#decoder, sampleRate);
    this.#listen();
    this.#tell({ type: 'ready' });
  }

  /** @param {import('./types.js').PlayoutCommand} command */
  #obey(command) {
    if (this.#ended) return;
    if (command.type === 'frames') {
      if (this.#source !== null) {
        this.#source.port?.close();
        this.#come.length = 0;
        this.#playout?.reset();
      }
      this.#source = command.source;
      this.#listen();
    } else if (command.type === 'gain') {
      const start = Math.round((command.atTime ?? 0) * sampleRate);
      const length = Math.round((command.durationMs / 1000) * sampleRate);
      this.#fader.fadeTo(command.gain, Math.max(start, this.#nextFrame), length);
    } else {
      this.#end();
    }
  }

  /** Take frames once they come and can be decoded; until then they wait where they are. */
  #listen() {
    if (this.#source === null || this.#playout === null) return;
    const { ring, port } = this.#source;
    this.#ring = ring ? new FrameRing(ring) : null;
    if (port) port.onmessage = (event) => void this.#come.push(event.data);
  }

  #take = (/** @type {EncodedFrame} */ frame) => {
    const waitedMs = Date.now() - frame.handedMs;
    const riskS = waitedMs < CLOSE_MS ? this.#batchS : 0;
    this.#playout?.push(frame, currentFrame / sampleRate, riskS, waitedMs);
  };

  /** @param {Playout} playout */
  #watch(playout) {
    if (playout.isStarving && !this.#starving) this.#tell({ type: 'starving' });
    this.#starving = playout.isStarving;
    if (currentFrame < this.#reportAt) return;
    this.#reportAt = currentFrame + Math.round(REPORT_S * sampleRate);
    this.#tell({ type: 'stats', stats: { ...playout.stats(), gain: this.#fader.gain } });
  }

  /** @param {unknown} error */
  #fail(error) {
    if (this.#ended) return;
    this.#end();
    this.#tell({ type: 'failed', message: String(error) });
  }

  #end() {
    this.#ended = true;
    this.#source?.port?.close();
    this.#ring = null;
    this.#decoder?.free();
    this.#decoder = null;
    this.#playout = null;
  }

  /** @param {import('./types.js').PlayoutReport} report */
  #tell(report) {
    this.port.postMessage(report);
  }
}

registerProcessor('ag06-playout', PlayoutProcessor);
