"""Everything that talks to a browser or an operator."""
