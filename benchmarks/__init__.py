"""Each figure that we quote, one command each."""
