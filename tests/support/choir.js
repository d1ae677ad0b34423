/**
 * Voices in one page, each a client of its own that sends a pitch, and a client that listens: what
 * is heard on which of its tracks. `window.choir` once this has run.
 */
(() => {
  const BIN_HZ = 48000 / 8192;
  const HEARD_DB = -45;

  /** @type {any} */
  let Client = null;
  const context = new AudioContext();

  const load = async () => {
    Client ??= (await import('/webrtc_client.js')).AudioStreamingClient;
    return new Client(window.location.origin, { playout: 'browser' });
  };

  const sing = (pitchHz) => {
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    const output = context.createMediaStreamDestination();
    oscillator.frequency.value = pitchHz;
    gain.gain.value = 0.25;
    oscillator.connect(gain).connect(output);
    oscillator.start();
    return { gain, track: output.stream.getAudioTracks()[0] };
  };

  class Choir {
    voices = new Map();
    listener = null;
    #ears = new Map();

    async addVoice(name, pitchHz, options) {
      const client = await load();
      const { gain, track } = sing(pitchHz);
      await context.resume();
      await client.connect();
      await client.joinRoom({ name, ...options });
      await client.startPublishing({ track });
      this.voices.set(name, { client, gain });
      return client.room.participantId;
    }

    async listen(options) {
      this.listener = await load();
      await this.listener.connect();
      await this.listener.joinRoom({ name: 'Ear', role: 'subscriber', ...options });
      await this.listener.startSubscribing();
    }

    /** The pitches of `candidates` that sound at this moment, by track; `mix` is the first. */
    pitches(candidates) {
      const tracks = [...this.listener.tracks, { mid: 'mix', track: this.listener.playback.track }];
      return Object.fromEntries(
        tracks.map(({ mid, track }) => [mid, track ? this.#heard(track, candidates) : []]),
      );
    }

    /** Who is on each track, by the events of the server and by the packets themselves. */
    people() {
      return this.listener.tracks.map(({ mid, participantId }) => {
        const transceiver = this.#transceivers().find((one) => one.mid === mid);
        const csrcs = transceiver.receiver.getContributingSources().map(({ source }) => source);
        const person = participantId && this.listener.participant(participantId);
        return { mid, name: person?.name ?? null, csrc: person?.csrc ?? null, csrcs };
      });
    }

    /** The contributing sources of the mix, by name. */
    contributors() {
      const [first] = this.#transceivers();
      const named = new Map(this.listener.participants.map(({ csrc, name }) => [csrc, name]));
      const names = first.receiver.getContributingSources().map(({ source }) => named.get(source));
      return [...new Set(names)].sort();
    }

    /** What a track's receiver counted: audible concealment in ms, losses, packets. */
    async counted(mid) {
      const transceiver = this.#transceivers().find((one) => one.mid === mid);
      const report = await transceiver.receiver.getStats();
      const inbound = [...report.values()].find(({ type }) => type === 'inbound-rtp') ?? {};
      const { concealedSamples = 0, silentConcealedSamples = 0 } = inbound;
      return {
        audibleConcealedMs: (concealedSamples - silentConcealedSamples) / 48,
        packetsLost: inbound.packetsLost ?? 0,
        packetsDiscarded: inbound.packetsDiscarded ?? 0,
        packetsReceived: inbound.packetsReceived ?? 0,
      };
    }

    sections() {
      return this.listener.peerConnection.remoteDescription.sdp.match(/^m=audio.*$/gm).length;
    }

    #transceivers() {
      return this.listener.peerConnection.getTransceivers();
    }

    #heard(track, candidates) {
      let ear = this.#ears.get(track);
      if (!ear) {
        ear = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
        context.createMediaStreamSource(new MediaStream([track])).connect(ear);
        this.#ears.set(track, ear);
      }
      const levels = new Float32Array(ear.frequencyBinCount);
      ear.getFloatFrequencyData(levels);
      return candidates.filter((pitch) => {
        const at = Math.round((pitch * 48000) / context.sampleRate / BIN_HZ);
        return Math.max(...levels.slice(at - 2, at + 3)) > HEARD_DB;
      });
    }
  }

  window.choir = new Choir();
})();
