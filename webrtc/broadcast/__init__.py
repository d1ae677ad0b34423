"""Broadcasts: the mix of a room as HLS, for audiences beyond WebRTC."""
