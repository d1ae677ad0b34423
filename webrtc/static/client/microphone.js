/**
 * The microphone: opening it with the right processing, changing it while on air, and noticing
 * when it is taken away. Its level is read on demand, so that an idle page costs nothing.
 */

import { AudioStreamingError, microphoneError } from './errors.js';
import { Emitter } from './emitter.js';

/**
 * @typedef {object} Processing What the browser does to the voice before we get it.
 * @property {boolean} echoCancellation
 * @property {boolean} noiseSuppression
 * @property {boolean} autoGainControl
 */

/**
 * @typedef {object} MicrophoneWishes
 * @property {string | null} deviceId Null: the browser's default.
 * @property {boolean} musicMode Processing off, whatever the switches say.
 * @property {Processing} processing
 */

/**
 * @typedef {object} MicrophoneEvents
 * @property {{ track: MediaStreamTrack }} change Another track took over.
 * @property {{ error: AudioStreamingError }} lost The device is gone and no other was found.
 */

/** @type {Processing} */
export const DEFAULT_PROCESSING = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};

/**
 * The constraints for `getUserMedia`; all are wishes but the device.
 * @param {MicrophoneWishes} wishes
 * @returns {MediaTrackConstraints}
 */
export function microphoneConstraints({ deviceId, musicMode, processing }) {
  const effective = musicMode
    ? { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
    : processing;
  return /** @type {MediaTrackConstraints} */ ({
    ...effective,
    sampleRate: 48000,
    channelCount: 2,
    latency: 0.01,
    ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
  });
}

/** @extends {Emitter<MicrophoneEvents>} */
export class Microphone extends Emitter {
  /** @param {{ mediaDevices: MediaDevices | undefined, isSecureContext: boolean }} platform */
  constructor({ mediaDevices, isSecureContext }) {
    super();
    this.#devices = mediaDevices;
    this.#secure = isSecureContext;
  }

  #devices;
  #secure;
  /** @type {MicrophoneWishes} */
  #wishes = { deviceId: null, musicMode: false, processing: { ...DEFAULT_PROCESSING } };
  /** @type {MediaStreamTrack | null} */
  #track = null;
  #owned = true;
  #generation = 0;
  #enabled = true;
  /** @type {LevelMeter | null} */
  #meter = null;

  get track() {
    return this.#track;
  }

  /**
   * Whether what the page plays by WebAudio comes back as an echo although echo cancellation is on:
   * `true` takes out all that the browser plays, `remote-only` what elements play of a connection.
   */
  get hearsWebAudio() {
    /** @type {{ echoCancellation?: unknown }} */
    const { echoCancellation } = this.#track?.getSettings() ?? {};
    return echoCancellation === 'remote-only';
  }

  /** @type {Readonly<MicrophoneWishes>} */
  get wishes() {
    return this.#wishes;
  }

  /**
   * Open the microphone, or change what is open to the new wishes.
   * @param {Partial<MicrophoneWishes>} [change]
   * @returns {Promise<MediaStreamTrack>}
   * @throws {AudioStreamingError} `insecure_origin`, `permission_denied`, `no_microphone`,
   *   `device_busy`, `aborted`.
   */
  async open(change = {}) {
    const wishes = { ...this.#wishes, ...change };
    const devices = this.#require();
    const generation = ++this.#generation;
    let stream;
    try {
      stream = await devices.getUserMedia({ audio: microphoneConstraints(wishes) });
    } catch (error) {
      throw microphoneError(error);
    }
    const track = /** @type {MediaStreamTrack} */ (stream.getAudioTracks()[0]);
    if (generation !== this.#generation) {
      track.stop();
      throw new AudioStreamingError('aborted', 'The microphone was closed meanwhile.');
    }
    this.#wishes = wishes;
    this.#replace(track, true);
    return track;
  }

  /**
   * Remember wishes without opening anything.
   * @param {Partial<MicrophoneWishes>} change
   */
  prefer(change) {
    this.#wishes = { ...this.#wishes, ...change };
  }

  /**
   * Use a track that the caller made and keeps.
   * @param {MediaStreamTrack} track
   */
  adopt(track) {
    this.#generation += 1;
    this.#replace(track, false);
  }

  /**
   * Let the voice through or not.
   * @param {boolean} enabled
   */
  setEnabled(enabled) {
    this.#enabled = enabled;
    if (this.#track) this.#track.enabled = enabled;
  }

  close() {
    this.#generation += 1;
    this.#release();
  }

  /**
   * What comes in at this moment, muted or not.
   * @returns {{ peakDbfs: number, rmsDbfs: number }} −Infinity when nothing is open.
   */
  level() {
    if (!this.#track) return { peakDbfs: -Infinity, rmsDbfs: -Infinity };
    this.#meter ??= new LevelMeter(this.#track);
    return this.#meter.read();
  }

  #require() {
    if (!this.#secure || !this.#devices?.getUserMedia) {
      throw new AudioStreamingError(
        'insecure_origin',
        'Browsers give the microphone only to https pages and to localhost.',
      );
    }
    return this.#devices;
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {boolean} owned
   */
  #replace(track, owned) {
    this.#release();
    track.enabled = this.#enabled;
    track.contentHint = this.#wishes.musicMode ? 'music' : 'speech';
    this.#track = track;
    this.#owned = owned;
    track.addEventListener('ended', this.#onEnded);
    this.emit('change', { track });
  }

  #release() {
    this.#meter?.close();
    this.#meter = null;
    this.#track?.removeEventListener('ended', this.#onEnded);
    if (this.#owned) this.#track?.stop();
    this.#track = null;
  }

  /** The device went away: go on with the default one, or say that there is none. */
  #onEnded = async () => {
    const owned = this.#owned;
    this.#release();
    try {
      if (!owned) throw new Error("the track was the caller's");
      await this.open({ deviceId: null });
    } catch (cause) {
      const reason = cause instanceof AudioStreamingError ? cause.reason : '';
      if (reason === 'aborted') return;
      const error =
        reason === 'permission_denied'
          ? microphoneError(cause)
          : new AudioStreamingError(
              'device_lost',
              'The microphone was unplugged or taken away.',
              cause,
            );
      this.emit('lost', { error });
    }
  };
}

/**
 * Reads peak and RMS of a track through an analyser that is not connected to any output. It has a copy
 * of the track, so that it also tells whoever is muted that their microphone hears them.
 */
class LevelMeter {
  /** @param {MediaStreamTrack} track */
  constructor(track) {
    this.#copy = track.clone();
    this.#copy.enabled = true;
    this.#context = new AudioContext({ latencyHint: 'interactive' });
    this.#source = this.#context.createMediaStreamSource(new MediaStream([this.#copy]));
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#source.connect(this.#analyser);
    this.#samples = new Float32Array(this.#analyser.fftSize);
  }

  #copy;
  #context;
  #source;
  #analyser;
  #samples;

  read() {
    if (this.#context.state === 'suspended') void this.#context.resume();
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let peak = 0;
    let sum = 0;
    for (const sample of this.#samples) {
      peak = Math.max(peak, Math.abs(sample));
      sum += sample * sample;
    }
    const rms = Math.sqrt(sum / this.#samples.length);
    return { peakDbfs: 20 * Math.log10(peak), rmsDbfs: 20 * Math.log10(rms) };
  }

  close() {
    this.#source.disconnect();
    this.#copy.stop();
    void this.#context.close();
  }
}
