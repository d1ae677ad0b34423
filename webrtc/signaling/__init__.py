"""Socket.IO events, wire messages and room presence."""
