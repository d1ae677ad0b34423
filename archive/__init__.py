"""Sessions: who said what in a room, kept for a while; and the formats that sound is kept in."""
