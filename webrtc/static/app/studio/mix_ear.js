import { BANDS, correlationOf, fillBands } from './bands.js';

const SIZE = 4096;
const CHANNEL_SIZE = 2048;

/** @typedef {{ bandsDb: Float32Array, correlation: number, peakDb: number }} Heard */

/**
 * Listens to what this page plays: the mix as it reaches the ear, with my own volumes. Taken from the
 * node that plays it, or from its track while an element does.
 */
export class MixEar {
  /** @param {{ output: AudioNode | null, track: MediaStreamTrack | null }} source */
  constructor({ output, track }) {
    this.#own = output ? null : new AudioContext();
    const context = output?.context ?? /** @type {AudioContext} */ (this.#own);
    const stream = track ? new MediaStream([track]) : null;
    this.#from =
      output ?? (stream && this.#own ? this.#own.createMediaStreamSource(stream) : null);
    this.#mono = new AnalyserNode(context, { fftSize: SIZE, smoothingTimeConstant: 0 });
    this.#splitter = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
    this.#sides = [0, 1].map((channel) => {
      const side = new AnalyserNode(context, { fftSize: CHANNEL_SIZE });
      this.#splitter.connect(side, channel);
      return side;
    });
    this.#from?.connect(this.#mono);
    this.#from?.connect(this.#splitter);
    this.#sampleRateHz = context.sampleRate;
  }

  #own;
  #from;
  #mono;
  #splitter;
  #sides;
  #sampleRateHz;
  #bins = new Float32Array(SIZE / 2);
  #bandsDb = new Float32Array(BANDS);
  #waves = [new Float32Array(CHANNEL_SIZE), new Float32Array(CHANNEL_SIZE)];

  /** @returns {Heard} Of this moment; the bands are written anew by the next call. */
  listen() {
    this.#mono.getFloatFrequencyData(this.#bins);
    fillBands(this.#bins, this.#sampleRateHz, this.#bandsDb);
    const [left, right] = /** @type {[Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>]} */ (
      this.#waves
    );
    this.#sides[0]?.getFloatTimeDomainData(left);
    this.#sides[1]?.getFloatTimeDomainData(right);
    let peak = 0;
    for (const wave of this.#waves) for (const one of wave) peak = Math.max(peak, Math.abs(one));
    return {
      bandsDb: this.#bandsDb,
      correlation: correlationOf(left, right),
      peakDb: 20 * Math.log10(Math.max(peak, 1e-6)),
    };
  }

  close() {
    this.#from?.disconnect(this.#mono);
    this.#from?.disconnect(this.#splitter);
    void this.#own?.close();
  }
}
