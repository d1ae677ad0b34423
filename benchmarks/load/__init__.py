"""A WebRTC load client: hundreds of participants on a fraction of a core.

Nothing of the server is used here except its libopus binding, so that a mistake of the server is
not repeated, and thereby hidden, by the client that measures it.
"""
