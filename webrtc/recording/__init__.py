"""Recording rooms: a tap in the media worker, a process that writes files, and who runs them."""
