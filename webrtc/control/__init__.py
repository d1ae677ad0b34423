"""The typed conversation between the front process and the media workers."""
