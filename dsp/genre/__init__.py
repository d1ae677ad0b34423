"""What is heard: speech, rock, jazz, electronic or classical music."""
