"""The desktop client: microphone, loudspeaker, and a window or a terminal."""
