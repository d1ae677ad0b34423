"""Who is in which room with which rights and settings."""
