"""A WHIP publisher made of FFmpeg's own muxer: `python ffmpeg_whip.py URL PITCH_HZ CERT KEY`.

It speaks until its standard input is closed.
"""

import sys
import threading
import time

import av
import numpy as np


def main() -> None:
    """Speak."""
    url, pitch_hz, certificate, key = sys.argv[1:]
    end = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        end.set()

    threading.Thread(target=wait, daemon=True).start()
    options = {"handshake_timeout": "20000", "cert_file": certificate, "key_file": key}
    container = av.open(url, "w", format="whip", options=options)
    stream = container.add_stream("libopus", rate=48000, layout="stereo")
    stream.codec_context.options = {"frame_duration": "20", "application": "lowdelay"}
    begin_s, number = time.monotonic(), 0
    while not end.is_set():
        turns = (number * 960 + np.arange(960)) / 48000
        sound = np.round(0.25 * 32767 * np.sin(2 * np.pi * int(pitch_hz) * turns))
        frame = av.AudioFrame.from_ndarray(
            np.repeat(sound.astype(np.int16), 2)[None], format="s16", layout="stereo"
        )
        frame.sample_rate, frame.pts = 48000, number * 960
        for packet in stream.encode(frame):
            container.mux(packet)
        number += 1
        end.wait(max(0.0, begin_s + number * 0.02 - time.monotonic()))
    container.close()


main()
