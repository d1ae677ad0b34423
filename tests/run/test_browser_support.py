"""The tests' own tools: browsers with a tone for their microphone."""

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.chromium import Chromium
from tests.support.firefox import Firefox, FirefoxError

LOUDEST_PITCH = """
async () => {
  const stream = await navigator.mediaDevices.getUserMedia({audio: {
    echoCancellation: false, noiseSuppression: false, autoGainControl: false}});
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, {fftSize: 8192});
  context.createMediaStreamSource(stream).connect(analyser);
  await context.resume();
  const bins = new Float32Array(analyser.frequencyBinCount);
  for (let tries = 0; tries < 100; tries++) {
    await new Promise(done => setTimeout(done, 50));
    analyser.getFloatFrequencyData(bins);
    const peak = bins.indexOf(Math.max(...bins));
    if (bins[peak] > -40) return peak * context.sampleRate / analyser.fftSize;
  }
  throw new Error("silence");
}
"""
BIN_HZ = 48_000 / 8192


def test_a_tone_file_holds_its_pitch_and_level(tone: Callable[[int], Path]) -> None:
    with wave.open(str(tone(997))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        assert (file.getframerate(), file.getnchannels()) == (48_000, 1)
    spectrum = np.abs(np.fft.rfft(samples))
    assert int(np.argmax(spectrum)) == 997 * 2  # two seconds: two bins per Hz
    assert np.max(np.abs(samples)) == pytest.approx(10 ** (-12 / 20), abs=0.001)
    assert abs(samples[0]) < 0.001


async def test_each_chromium_page_hears_its_own_file(
    chromium: Chromium, tone: Callable[[int], Path]
) -> None:
    # A page needs a secure context for its microphone; a file is one.
    for pitch_hz in (440, 1000):
        page = await chromium.page(tone(pitch_hz).parent.as_uri(), tone(pitch_hz))
        heard = await page.evaluate(LOUDEST_PITCH)
        assert heard == pytest.approx(pitch_hz, abs=2 * BIN_HZ)


async def test_firefox_evaluates_clicks_and_reports(firefox: Firefox) -> None:
    await firefox.goto(
        "data:text/html,<button>press</button><script>document.querySelector('button')"
        ".onclick = () => { document.title = 'clicked'; console.log('heard'); }</script>"
    )
    assert await firefox.evaluate("Promise.resolve({sum: 1 + 2, none: null})") == {
        "sum": 3,
        "none": None,
    }
    assert await firefox.evaluate("undefined") is None
    await firefox.click("button")
    assert await firefox.evaluate("document.title") == "clicked"
    assert "heard" in firefox.log
    with pytest.raises(FirefoxError, match="planted"):
        await firefox.evaluate("Promise.reject(new Error('planted'))")
    with pytest.raises(FirefoxError, match="no element"):
        await firefox.click("#absent")
