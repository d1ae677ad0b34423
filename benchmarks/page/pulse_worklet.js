/**
 * Sends short tone bursts at irregular times and reports how long each takes to come back, in ms.
 *
 * Both ends are samples of one audio clock. A burst that did not come back before the next one
 * is reported as null.
 */

const BURST_S = 0.005;
const BURST_HZ = 1500;
const THRESHOLD = 0.15;

class PulseLoop extends AudioWorkletProcessor {
  constructor() {
    super();
    this.startsAt = sampleRate;
    this.sentAt = -1;
    this.awaited = false;
  }

  /**
   * @param {Float32Array[][]} inputs
   * @param {Float32Array[][]} outputs
   */
  process(inputs, outputs) {
    const heard = inputs[0]?.[0];
    const [left, right] = outputs[0];
    for (let k = 0; k < left.length; k += 1) {
      const now = currentFrame + k;
      if (now >= this.startsAt) this.begin(now);
      const age = now - this.sentAt;
      const value =
        this.sentAt >= 0 && age < BURST_S * sampleRate
          ? 0.8 * Math.sin((2 * Math.PI * BURST_HZ * age) / sampleRate)
          : 0;
      left[k] = value;
      right[k] = value;
      if (this.awaited && heard && Math.abs(heard[k]) > THRESHOLD) {
        this.awaited = false;
        this.port.postMessage((age / sampleRate) * 1000);
      }
    }
    return true;
  }

  /** @param {number} now */
  begin(now) {
    if (this.awaited) this.port.postMessage(null);
    this.sentAt = now;
    this.awaited = true;
    this.startsAt = now + Math.floor(sampleRate * (0.4 + 0.1 * Math.random()));
  }
}

registerProcessor('pulse-loop', PulseLoop);
