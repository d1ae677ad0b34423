const NOTES_HZ = [523.25, 659.25, 783.99];
const NOTE_S = 0.22;

/**
 * Play a short rising chord on an output.
 * @param {string} deviceId Empty: the system's default.
 * @returns {Promise<void>} Resolves when it is over.
 */
export async function playTestTone(deviceId) {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const element = new Audio();
  if (deviceId && 'setSinkId' in element) await element.setSinkId(deviceId);
  element.srcObject = out.stream;
  await element.play();
  const start = context.currentTime + 0.1;
  NOTES_HZ.forEach((hz, index) => {
    const at = start + index * NOTE_S;
    const tone = new OscillatorNode(context, { frequency: hz });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setTargetAtTime(0.15, at, 0.01);
    gain.gain.setTargetAtTime(0, at + NOTE_S * 0.6, 0.06);
    tone.connect(gain).connect(out);
    tone.start(at);
    tone.stop(at + 4 * NOTE_S);
  });
  await new Promise((resolve) => setTimeout(resolve, (NOTES_HZ.length + 3) * NOTE_S * 1000));
  element.srcObject = null;
  await context.close();
}
