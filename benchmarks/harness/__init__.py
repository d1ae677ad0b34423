"""Starting servers, reading what they cost, and telling the result."""
