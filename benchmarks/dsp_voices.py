"""Nine real voices in five languages: read speech and acted dialogue.

They are cut from Debian packages that `python -m training fetch` downloads; nothing is installed.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from training.cache import packages_folder

RATE_HZ = 48_000
VOICES = {
    "Czech man": ("fillets-ng-data-cs", "*-m-*.ogg"),
    "Czech woman": ("fillets-ng-data-cs", "*-v-*.ogg"),
    "Dutch man": ("fillets-ng-data-nl", "*-m-*.ogg"),
    "Dutch woman": ("fillets-ng-data-nl", "*-v-*.ogg"),
    "Italian man": ("asterisk-core-sounds-it-g722", "*.g722"),
    "Italian woman": ("asterisk-prompt-it-menardi-wav", "*.wav"),
    "Russian man": ("festvox-ru", "wav/*.wav"),
    "Russian woman": ("asterisk-core-sounds-ru-g722", "*.g722"),
    "Spanish woman": ("asterisk-core-sounds-es-g722", "*.g722"),
}

_SHORTEST_S = 0.8  # what is shorter is a word alone
_PAUSE_S = 0.3

Sound = npt.NDArray[np.float32]


def are_there() -> bool:
    """Whether all of them have been downloaded."""
    return all((packages_folder() / package).is_dir() for package, _ in VOICES.values())


def stretch(voice: str, seconds: float, seed: int) -> Sound:
    """Return recordings of a voice in a row, with short pauses, on both channels: (n, 2).

    Args:
        voice: One of `VOICES`.
        seconds: Length.
        seed: Which recordings: by chance, and the same each time.
    """
    package, pattern = VOICES[voice]
    files = sorted((packages_folder() / package).rglob(pattern))
    random.Random(seed).shuffle(files)
    wanted = int(seconds * RATE_HZ)
    parts: list[Sound] = []
    count = 0
    for file in files:
        sound = _decoded(file)
        if len(sound) >= _SHORTEST_S * RATE_HZ:
            parts += [sound, np.zeros(int(_PAUSE_S * RATE_HZ), np.float32)]
            count += len(parts[-2]) + len(parts[-1])
        if count >= wanted:
            break
    return np.repeat(_joined(parts)[:wanted, None], 2, axis=1)


def _decoded(file: Path) -> Sound:
    resampler = av.AudioResampler("fltp", "mono", RATE_HZ)
    with av.open(str(file), format="g722" if file.suffix == ".g722" else None) as opened:
        frames = [*opened.decode(audio=0), None]
        return _joined([made.to_ndarray()[0] for one in frames for made in resampler.resample(one)])


def _joined(parts: Sequence[Sound]) -> Sound:
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
