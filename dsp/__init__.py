"""Sans-I/O signal processing."""
