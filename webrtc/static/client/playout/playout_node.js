/**
 * The page's end of the processor: makes the node, gives it commands, tells what it reports.
 */

const WORKLET = new URL('./worklet.js', import.meta.url);

/** Contexts that have the processor, or are getting it. @type {WeakMap<BaseAudioContext, Promise<void>>} */
const loaded = new WeakMap();

export class PlayoutNode {
  /** @type {(report: import('./types.js').PlayoutReport) => void} */
  onreport = () => {};
  /** The processor ended by an exception. @type {() => void} */
  onprocessorerror = () => {};

  #context;
  #node;
  /** @type {number | null} */
  #offsetMs = null;

  /**
   * Make a node that plays frames. It begins silent: `fade(1, …)`.
   *
   * @param {AudioContext} context
   * @returns {Promise<PlayoutNode>} When the processor's module is loaded. The decoder may still be
   *   compiling; frames wait for it.
   * @throws {Error} The browser cannot load the module, or the page's policy forbids it.
   */
  static async create(context) {
    let loading = loaded.get(context);
    if (loading === undefined) {
      loading = context.audioWorklet.addModule(WORKLET);
      loaded.set(context, loading);
    }
    await loading;
    return new PlayoutNode(context);
  }

  /**
   * Not for callers: `create` waits for the processor.
   *
   * @param {AudioContext} context
   */
  constructor(context) {
    this.#context = context;
    this.#node = new AudioWorkletNode(context, 'ag06-playout', {
      numberOfInputs: 0,
      numberOfOutputs: 1,
      outputChannelCount: [2],
      processorOptions: { batchS: context.baseLatency },
    });
    this.#node.port.onmessage = (event) => this.#hear(event.data);
    this.#node.onprocessorerror = () => this.onprocessorerror();
  }

  /**
   * @param {AudioNode} destination Gets stereo.
   */
  connect(destination) {
    this.#node.connect(destination);
  }

  /**
   * Play the frames that come from `source` from now on; the buffer starts afresh.
   *
   * @param {import('./types.js').FramesSink} source A port is given away.
   */
  takeFrames(source) {
    this.#command({ type: 'frames', source }, source.port ? [source.port] : []);
  }

  /**
   * Fade to a gain along a raised cosine (`fadeCurve` in `gain.js` is its shape).
   *
   * @param {number} gain 0 to 1.
   * @param {number} durationMs
   * @param {number} [atTime] Time of the context in s; at once without it.
   */
  fade(gain, durationMs, atTime) {
    this.#command({ type: 'gain', gain, durationMs, ...(atTime === undefined ? {} : { atTime }) });
  }

  /**
   * Return how long a frame takes from the worker to the ear, output latency included, in ms;
   * `null` while nothing was played or the browser does not tell.
   */
  delayToEarMs() {
    const offsetMs = this.#offsetMs;
    const { contextTime, performanceTime } = this.#context.getOutputTimestamp();
    if (offsetMs === null || !contextTime || !performanceTime) return null;
    return offsetMs + performance.timeOrigin + performanceTime - contextTime * 1000;
  }

  /** End the processor and disconnect. */
  close() {
    this.#command({ type: 'close' });
    this.#node.disconnect();
    this.#node.port.close();
  }

  /**
   * @param {import('./types.js').PlayoutCommand} command
   * @param {Transferable[]} [transfer]
   */
  #command(command, transfer = []) {
    this.#node.port.postMessage(command, transfer);
  }

  /** @param {import('./types.js').PlayoutReport} report */
  #hear(report) {
    if (report.type === 'stats') this.#offsetMs = report.stats.playoutOffsetMs;
    this.onreport(report);
  }
}
