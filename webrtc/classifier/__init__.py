"""The process that says what publishers' sounds are: speech, rock, jazz, electronic, classical."""
