"""The media worker: one process per core, one UDP port, one tick."""
