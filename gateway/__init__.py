"""Another door into the rooms: raw samples or Opus over UDP, with a TCP line beside it."""
