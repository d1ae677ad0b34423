/**
 * Several people's tracks at once, without a server: `window.tracks`, between two connections of this
 * page, played by the client's own playout as the server serves it. The first is the mix, the others
 * are those of a room that forwards.
 */
window.openTracks = async (pitches) => {
  const { browserPlatform } = await import('/client/platform.js');
  const { Playback } = await import('/client/playback.js');
  const studio = new AudioContext();
  await studio.resume();
  const playback = new Playback(browserPlatform(null), 'low-latency');
  await playback.prepare();
  playback.start();

  const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
  const early = { from: [], to: [] };
  from.onicecandidate = ({ candidate }) => early.to.push(candidate);
  to.onicecandidate = ({ candidate }) => early.from.push(candidate);
  to.ontrack = ({ receiver, track, transceiver }) => {
    if (playback.track) {
      playback.tracks.put(transceiver.mid, track, receiver);
      return;
    }
    playback.attach(receiver);
    playback.setTrack(track);
  };
  for (const frequency of pitches) {
    const tone = new OscillatorNode(studio, { frequency });
    const level = new GainNode(studio, { gain: 0.125 });
    const stream = studio.createMediaStreamDestination();
    tone.connect(level).connect(stream);
    tone.start();
    from.addTrack(stream.stream.getAudioTracks()[0], stream.stream);
  }
  const plain = (sdp) => sdp.replace(/a=fmtp:111 /g, 'a=fmtp:111 stereo=1;');
  const offer = await from.createOffer();
  await from.setLocalDescription(offer);
  await to.setRemoteDescription({ type: 'offer', sdp: plain(offer.sdp) });
  const answer = await to.createAnswer();
  await to.setLocalDescription(answer);
  await from.setRemoteDescription({ type: 'answer', sdp: plain(answer.sdp) });
  const people = playback.tracks.all.map(({ mid }) => ({ mid, participantId: `who is on ${mid}` }));
  playback.tracks.assign(people);
  for (const [pc, held] of [[from, early.from], [to, early.to]]) {
    for (const candidate of held) await pc.addIceCandidate(candidate);
    held.push = (candidate) => void pc.addIceCandidate(candidate);
  }

  let analyser = null;
  window.tracks = {
    playback,
    get paths() {
      return [playback.playout.path, ...playback.tracks.all.map(({ path }) => path)];
    },
    /** Levels of all pitches in what is played now, dBFS. */
    levels() {
      const { output } = playback;
      if (!output) return pitches.map(() => -140);
      if (analyser?.context !== output.context) {
        analyser = new AnalyserNode(output.context, { fftSize: 16384 });
        output.connect(analyser);
      }
      const samples = new Float32Array(analyser.fftSize);
      analyser.getFloatTimeDomainData(samples);
      return pitches.map((pitch) => {
        const turn = (2 * Math.PI * pitch) / output.context.sampleRate;
        let [real, imaginary, weights] = [0, 0, 0];
        samples.forEach((sample, i) => {
          const weight = 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / samples.length);
          weights += weight;
          real += weight * sample * Math.cos(turn * i);
          imaginary += weight * sample * Math.sin(turn * i);
        });
        return 20 * Math.log10((2 * Math.hypot(real, imaginary)) / weights + 1e-7);
      });
    },
    /** Of the nth track after the mix. */
    setMix: (nth, mix) => playback.tracks.setMix(people[nth].participantId, mix),
  };
};
