"""Sans-I/O mixing: jitter buffer, playout, mixes, the engine."""
