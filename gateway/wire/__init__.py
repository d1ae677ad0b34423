"""The gateway's packets, lines and clocks; sans-I/O, for server and client alike."""
