"""Data set and training of the content classifier; nothing of the server imports it."""
