"""Playing sound into rooms: files, and whatever else yields samples."""
