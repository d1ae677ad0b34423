/**
 * What a page plays, sample by sample: `window.played`, at the last node of the client's sound graph
 * (ear.js hears the browser's own track instead, which goes on whatever is played).
 *
 * Runs in a page under test, once the client listens. Gaps and clicks need a browser that hands out
 * every frame (Chromium); levels do not.
 */
(() => {
  const SILENT = 10 ** (-50 / 20);
  const KEEP_S = 60;
  /** Around the instant at which the way is changed: when the fade has begun and ended. */
  const BEFORE_S = 0.02;
  const AFTER_S = 0.15;

  class Played {
    #chunks = [];
    #first = 0;
    #total = 0;
    rate = 0;

    /** When the way was changed. */
    #changes = [];

    constructor(output, client) {
      let path = client.playout.path;
      client.on('playout-changed', (now) => {
        if (now.path !== path) this.#changes.push(this.#total);
        path = now.path;
      });
      const { context } = output;
      this.rate = context.sampleRate;
      this.analyser = new AnalyserNode(context, { fftSize: 8192 });
      output.connect(this.analyser);
      if (typeof MediaStreamTrackProcessor !== 'function') return;
      const sink = context.createMediaStreamDestination();
      output.connect(sink);
      void this.#record(sink.stream.getAudioTracks()[0]);
    }

    /** An instant, for the figures below: how many samples there have been. */
    get now() {
      return this.#total;
    }

    /** Peak level of a pitch at this moment, dBFS. */
    level(pitchHz) {
      const samples = new Float32Array(this.analyser.fftSize);
      this.analyser.getFloatTimeDomainData(samples);
      const turn = (2 * Math.PI * pitchHz) / this.rate;
      const hann = (2 * Math.PI) / samples.length;
      let [real, imaginary, weights] = [0, 0, 0];
      samples.forEach((sample, i) => {
        const weight = 0.5 - 0.5 * Math.cos(hann * (i + 0.5));
        weights += weight;
        real += weight * sample * Math.cos(turn * i);
        imaginary += weight * sample * Math.sin(turn * i);
      });
      return 20 * Math.log10((2 * Math.hypot(real, imaginary)) / weights + 1e-7);
    }

    /**
     * How each change of way since an instant went, for a steady tone of one pitch.
     * @returns {{ gapMs: number, clickDbfs: number }[]}
     */
    changes(since, pitchHz) {
      return this.#changes
        .filter((instant) => instant >= since)
        .map((instant) => this.#around(instant))
        .map((samples) => ({
          gapMs: this.#longestGapMs(samples),
          clickDbfs: this.#loudestClickDbfs(samples, pitchHz),
        }));
    }

    /** Of everything since an instant. */
    longestGapMs(since) {
      return this.#longestGapMs(this.#slice(since, this.#total));
    }

    #longestGapMs(samples) {
      let longest = 0;
      let silent = 0;
      for (const sample of samples) {
        silent = Math.abs(sample) < SILENT ? silent + 1 : 0;
        longest = Math.max(longest, silent);
      }
      return (1000 * longest) / this.rate;
    }

    /**
     * What is left of a tone when its pitch is taken out by a filter of three taps, which shows any
     * step at its own height.
     */
    #loudestClickDbfs(samples, pitchHz) {
      const twice = 2 * Math.cos((2 * Math.PI * pitchHz) / this.rate);
      let loudest = 0;
      for (let i = 2; i < samples.length; i++) {
        const rest = samples[i] - twice * samples[i - 1] + samples[i - 2];
        loudest = Math.max(loudest, Math.abs(rest));
      }
      return 20 * Math.log10(loudest + 1e-7);
    }

    #around(instant) {
      return this.#slice(instant - BEFORE_S * this.rate, instant + AFTER_S * this.rate);
    }

    #slice(from, to) {
      const found = [];
      let at = this.#first;
      for (const chunk of this.#chunks) {
        for (let i = 0; i < chunk.length; i++) {
          if (at + i >= from && at + i < to) found.push(chunk[i]);
        }
        at += chunk.length;
      }
      return found;
    }

    async #record(track) {
      const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 1000 });
      const reader = readable.getReader();
      for (;;) {
        const { value: frame, done } = await reader.read();
        if (done) return;
        const samples = new Float32Array(frame.numberOfFrames);
        frame.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
        frame.close();
        this.rate = frame.sampleRate || this.rate;
        this.#chunks.push(samples);
        this.#total += samples.length;
        while (this.#total - this.#first > KEEP_S * this.rate)
          this.#first += this.#chunks.shift().length;
      }
    }
  }

  const { client } = document.querySelector('ag-app');
  window.played = new Played(client.playback.output, client);
})();
