"""The archive of rooms in the front process: what is kept, who may have it, and as what."""
