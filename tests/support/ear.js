/**
 * An ear at the mix that a page hears: `window.ear`, which follows the client from track to track.
 *
 * Runs in a page under test, before or after the page's own scripts. Where the browser hands out
 * every frame of a track (Chromium), nothing is missed; elsewhere an analyser looks now and then.
 */
(() => {
  const PITCHES_HZ = [440, 1000, 2500];
  const BLOCK_MS = 100;
  const SILENT_DBFS = -50;
  const KEEP_FRAMES = 12_000; // two minutes
  const KEEP_BLOCKS = 1200;

  /** Peak level of one pitch, dBFS; a Hann window keeps 200 Hz away more than 90 dB down. */
  function levelOf(pitchHz, samples, rateHz) {
    const turn = (2 * Math.PI * pitchHz) / rateHz;
    const hann = (2 * Math.PI) / samples.length;
    let real = 0;
    let imaginary = 0;
    let weights = 0;
    for (let i = 0; i < samples.length; i++) {
      const weight = 0.5 - 0.5 * Math.cos(hann * (i + 0.5));
      weights += weight;
      real += weight * samples[i] * Math.cos(turn * i);
      imaginary += weight * samples[i] * Math.sin(turn * i);
    }
    return 20 * Math.log10((2 * Math.hypot(real, imaginary)) / weights + 1e-7);
  }

  const levels = (samples, rateHz) =>
    Object.fromEntries(PITCHES_HZ.map((pitch) => [pitch, levelOf(pitch, samples, rateHz)]));

  const decibels = (left, right) => {
    let sum = 0;
    for (const sample of left) sum += sample * sample;
    for (const sample of right) sum += sample * sample;
    return 10 * Math.log10(sum / (left.length + right.length) + 1e-14);
  };

  class Ear {
    /** Blocks of 100 ms: `{ at, left: { pitch: dBFS }, right }`, `at` in ms since the page began. */
    blocks = [];
    /** Frames of about 10 ms: `{ at, ms, dbfs }`; only where the browser hands out all of them. */
    frames = [];
    /** How many tracks there were: one for each connection. */
    tracks = 0;

    constructor(client) {
      if (client.playback.track) void this.#follow(client.playback.track);
      client.on('track', ({ track }) => void this.#follow(track));
    }

    #track = null;
    #newTrack = false;
    #pending = [[], []];

    /** The median level of a pitch in the last `count` blocks, for each side. */
    level(pitchHz, count) {
      const recent = this.blocks.slice(-count);
      const middle = (side) =>
        recent.map((block) => block[side][pitchHz]).sort((a, b) => a - b)[recent.length >> 1];
      return [middle('left'), middle('right')];
    }

    /** The loudest that a pitch was for two blocks in a row (a click of an edit is no tone). */
    loudest(pitchHz, since = 0) {
      const heard = this.blocks
        .filter((block) => block.at >= since)
        .map(({ left, right }) => Math.max(left[pitchHz], right[pitchHz]));
      return Math.max(-140, ...heard.slice(1).map((level, i) => Math.min(level, heard[i])));
    }

    /** The longest stretch without sound since an instant of `performance.now()`, in ms. */
    longestSilenceMs(since) {
      let longest = 0;
      let silent = 0;
      for (const { at, ms, dbfs } of this.frames) {
        if (at < since) continue;
        silent = dbfs < SILENT_DBFS ? silent + ms : 0;
        longest = Math.max(longest, silent);
      }
      return longest;
    }

    /** Resolve once the last `count` blocks hold all `present` pitches and no `absent` one. */
    async until(present, absent, count, timeoutMs) {
      const from = performance.now();
      for (;;) {
        const recent = this.blocks.filter(({ at }) => at >= from).slice(-count);
        const fits = ({ left, right }) =>
          present.every((pitch) => Math.max(left[pitch], right[pitch]) > -50) &&
          absent.every((pitch) => Math.max(left[pitch], right[pitch]) < -60);
        if (recent.length === count && recent.every(fits)) return true;
        if (performance.now() - from > timeoutMs) {
          const last = this.blocks.at(-1);
          throw new Error(
            `wanted ${present} without ${absent}, heard ${JSON.stringify(last)} of ` +
              `${this.blocks.length} blocks, ${Math.round(performance.now() - last?.at)} ms ago`,
          );
        }
        await new Promise((next) => setTimeout(next, 50));
      }
    }

    async #follow(track) {
      this.#track = track;
      this.#newTrack = true;
      this.tracks += 1;
      if (typeof MediaStreamTrackProcessor !== 'function') return this.#sample(track);
      const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 1000 });
      const reader = readable.getReader();
      for (;;) {
        const { value: frame, done } = await reader.read();
        if (done) return;
        const sides = [0, frame.numberOfChannels - 1].map((planeIndex) => {
          const samples = new Float32Array(frame.numberOfFrames);
          frame.copyTo(samples, { planeIndex, format: 'f32-planar' });
          return samples;
        });
        if (track === this.#track) this.#take(sides, frame.sampleRate);
        frame.close();
      }
    }

    #take([left, right], rateHz) {
      const at = performance.now();
      const ms = (1000 * left.length) / rateHz;
      const before = this.frames.at(-1);
      if (this.#newTrack && before) this.frames.push({ at, ms: at - before.at, dbfs: -140 });
      this.#newTrack = false;
      this.frames.push({ at, ms, dbfs: decibels(left, right) });
      if (this.frames.length > KEEP_FRAMES) this.frames.splice(0, KEEP_FRAMES / 2);
      this.#pending[0].push(...left);
      this.#pending[1].push(...right);
      if (this.#pending[0].length * 1000 < BLOCK_MS * rateHz) return;
      this.#block(this.#pending, rateHz);
      this.#pending = [[], []];
    }

    #block([left, right], rateHz) {
      const block = { at: performance.now() };
      block.left = levels(left, rateHz);
      block.right = levels(right, rateHz);
      this.blocks.push(block);
      if (this.blocks.length > KEEP_BLOCKS) this.blocks.splice(0, KEEP_BLOCKS / 2);
    }

    async #sample(track) {
      const context = new AudioContext();
      const source = context.createMediaStreamSource(new MediaStream([track]));
      const splitter = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
      source.connect(splitter);
      const analysers = [0, 1].map((side) => {
        const analyser = new AnalyserNode(context, { fftSize: 8192 });
        splitter.connect(analyser, side);
        return analyser;
      });
      await context.resume();
      while (track === this.#track) {
        await new Promise((next) => setTimeout(next, 2 * BLOCK_MS));
        const sides = analysers.map((analyser) => {
          const samples = new Float32Array(analyser.fftSize);
          analyser.getFloatTimeDomainData(samples);
          return samples;
        });
        this.#block(sides, context.sampleRate);
      }
      await context.close();
    }
  }

  const listen = () => {
    const client = document.querySelector('ag-app')?.client;
    if (client) window.ear = new Ear(client);
    else setTimeout(listen, 10);
  };
  listen();
})();
