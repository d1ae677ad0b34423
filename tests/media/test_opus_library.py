"""Finding and loading libopus."""

import pytest

from webrtc.media.opus_library import Library, OpusLibraryMissingError, _candidates, library


def test_every_copy_of_libopus_that_is_found_loads() -> None:
    loaded = []
    for path in _candidates():
        try:
            loaded.append(Library(path))
        except OSError:
            continue
    assert loaded
    assert loaded[0].path == library().path
    assert all(candidate.version.startswith("libopus") for candidate in loaded)


def test_no_libopus_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrtc.media.opus_library._candidates", lambda: ["/nowhere/libopus.so"])
    library.cache_clear()
    try:
        with pytest.raises(OpusLibraryMissingError, match="libopus0"):
            library()
    finally:
        library.cache_clear()
