import { playTestTone } from './test_tone.js';

/**
 * @typedef {import('../client/microphone.js').MicrophoneWishes} MicrophoneWishes
 * @typedef {import('../client/playout_paths.js').PlayoutMode} PlayoutMode
 */

/** Microphone and output: ties their two panels to the client and to what the user likes. */
export class Devices {
  /**
   * @param {object} parts
   * @param {import('../client/client.js').BaseClient} parts.client
   * @param {import('./elements/ag_microphone.js').AgMicrophone} parts.microphone
   * @param {import('./elements/ag_speaker.js').AgSpeaker} parts.speaker
   * @param {import('./kept_likes.js').KeptLikes} parts.likes
   * @param {(subject: string, error: unknown) => void} parts.trouble
   */
  constructor({ client, microphone, speaker, likes, trouble }) {
    this.#client = client;
    this.#microphone = microphone;
    this.#speaker = speaker;
    this.#likes = likes;
    this.#trouble = trouble;
    this.#follow();
  }

  #client;
  #microphone;
  #speaker;
  #likes;
  #trouble;

  /** Show what the user likes, and ask for it. */
  fill() {
    const { broadcast, listen, inputId, musicMode, processing, playout } = this.#likes.all;
    this.#microphone.attach(this.#client);
    this.#microphone.wanted = broadcast;
    this.#microphone.fill({ deviceId: inputId, musicMode, processing });
    this.#speaker.wanted = listen;
    this.#speaker.choosePlayout(playout);
    void this.#client.setInputDevice({ deviceId: inputId, musicMode, processing });
  }

  /** List what is there. */
  async list() {
    const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    const { outputId } = this.#likes.all;
    this.#microphone.list(
      devices.filter(({ kind }) => kind === 'audioinput'),
      this.#client.microphone.wishes.deviceId,
    );
    this.#speaker.list(
      devices.filter(({ kind }) => kind === 'audiooutput'),
      outputId,
      this.#client.playback.canChooseOutput,
    );
  }

  /** Play on the output that the user likes; where that is not possible, on the default one. */
  async useOutput() {
    const { outputId } = this.#likes.all;
    if (outputId) await this.#client.setOutputDevice(outputId).catch(() => {});
  }

  #follow() {
    this.#microphone.addEventListener('wish', (event) => {
      void this.#wish(/** @type {CustomEvent<Partial<MicrophoneWishes>>} */ (event).detail);
    });
    this.#speaker.addEventListener('test', () => {
      this.#attempt('output', playTestTone(this.#likes.all.outputId));
    });
    this.#speaker.addEventListener('output', (event) => {
      const { deviceId } = /** @type {CustomEvent<{ deviceId: string }>} */ (event).detail;
      this.#likes.change({ outputId: deviceId });
      this.#attempt('output', this.#client.setOutputDevice(deviceId));
    });
    this.#speaker.addEventListener('playout', (event) => {
      const { mode } = /** @type {CustomEvent<{ mode: PlayoutMode }>} */ (event).detail;
      this.#likes.change({ playout: mode });
      this.#attempt('output', this.#client.setPlayout(mode));
    });
  }

  /** @param {Partial<MicrophoneWishes>} wish */
  async #wish(wish) {
    const { deviceId: inputId, ...rest } = wish;
    this.#likes.change({ ...rest, ...(inputId === undefined ? {} : { inputId }) });
    await this.#attempt('microphone', this.#client.setInputDevice(wish));
  }

  /**
   * @param {string} subject
   * @param {Promise<unknown>} step
   */
  async #attempt(subject, step) {
    try {
      await step;
    } catch (error) {
      this.#trouble(subject, error);
    }
  }
}
