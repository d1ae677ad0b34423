"""What a client and we have told each other in session descriptions.

Who offers: the client at first and whenever it likes, we when its tracks are to become more or less
or its packets longer or shorter. An offer of the client's makes ours void.
"""

import secrets
from dataclasses import replace

from webrtc.errors import ClientError
from webrtc.media import sdp, sdp_offer
from webrtc.media.aiortc_adapter import SharedCertificate
from webrtc.media.ice import Channel
from webrtc.media.tracks import PeerTracks


class PeerSession:
    """The session of one connection, as both sides have described it.

    Attributes:
        audio: The section of the client's last offer that we took.
        tracks: What we send it besides.
        ptime_ms: Packet time that we ask it for in the next description.
        ssrc: Of what we send it.
        cname: Names us as the sender.
    """

    def __init__(
        self, channel: Channel, certificate: SharedCertificate, ptime_ms: int, bitrate_bps: int
    ) -> None:
        """Begin before the first offer.

        Args:
            channel: Our end of the connection.
            certificate: Of its handshake.
            ptime_ms: Packet time to ask the client for.
            bitrate_bps: What it may send at most.
        """
        self.audio: sdp.RemoteAudio | None = None
        self.tracks = PeerTracks()
        self.ptime_ms = ptime_ms
        self.ssrc = secrets.randbits(32) or 1
        self.cname = secrets.token_urlsafe(12)
        self._channel = channel
        self._certificate = certificate
        self._bitrate_bps = bitrate_bps
        self._id = secrets.randbits(62)
        self._version = 0
        self._sections: tuple[sdp.Section, ...] = ()
        self._theirs: tuple[str, ...] = ()  # the client's session, of its last offer
        self._told_ptime_ms = ptime_ms

    # ---- the client's offers ---------------------------------------------------------------

    def is_same_connection(self, offer: sdp.Offer) -> bool:
        """Whether an offer comes from the peer connection that we know, not from a new one.

        A client may give a certificate that it has kept to a new connection, which begins with a
        handshake of its own. Such an offer differs from one that restarts ICE by its session.
        Session alone says nothing: aiortc names another one in each offer.
        """
        known, audio = self.audio, offer.audio
        if known is None or known.fingerprints != audio.fingerprints:
            return False
        return not self.restarts_ice(offer) or self._theirs == offer.session

    def restarts_ice(self, offer: sdp.Offer) -> bool:
        """Whether an offer has other ICE credentials than the one before it."""
        known, audio = self.audio, offer.audio
        if known is None:
            return False
        return (known.ufrag, known.password) != (audio.ufrag, audio.password)

    def take_offer(self, offer: sdp.Offer) -> None:
        """Take an offer of the client's."""
        self.audio = offer.audio
        self._sections = offer.sections
        self._theirs = offer.session
        self.tracks.offered(offer.receiving, {section.mid for section in offer.sections})

    def answer(self, offer: sdp.Offer, *, sends: bool, receives: bool) -> str:
        """Return our answer to an offer that was taken.

        Args:
            offer: The offer.
            sends: Whether we send.
            receives: Whether we take what is sent.
        """
        local = self._describe(sends=sends, receives=receives)
        return sdp.write_answer(offer, local, self.tracks.local())

    # ---- ours ------------------------------------------------------------------------------

    def want_tracks(self, count: int) -> bool:
        """Want so many further tracks; return whether the client has to be offered anything."""
        ours = {track.mid for track in self.tracks.all}
        taken = {section.mid for section in self._sections} - ours
        self.tracks.want(count, taken)
        return self.tracks.is_unsettled or self._told_ptime_ms != self.ptime_ms

    def offer(self, now_s: float, *, sends: bool, receives: bool) -> str:
        """Return an offer of ours, for the tracks that are wanted; the rest is as in `answer`."""
        if self.audio is None:
            raise RuntimeError("the client offers first")
        local = self._describe(sends=sends, receives=receives)
        return sdp_offer.write_offer(self.audio, self._sections, local, self.tracks.offer(now_s))

    def take_answer(self, text: str) -> None:
        """Take the client's answer to our open offer.

        Raises:
            ClientError: `no_offer_pending`, `bad_sdp`.
        """
        if self.audio is None or not self.tracks.is_answer_due:
            raise ClientError("no_offer_pending", "The server has made no offer.")
        answered = sdp_offer.read_answer(text)
        here = {section.mid for section in self._sections}
        profile = next(s.profile for s in self._sections if s.mid == self.audio.mid)
        self._sections += tuple(
            sdp.Section("audio", profile, str(self.audio.opus_type), section.mid)
            for section in answered
            if section.mid not in here
        )
        self.tracks.answered(answered)
        for section in answered:
            if section.mid == self.audio.mid:
                self.audio = replace(self.audio, sends=section.sends, receives=section.receives)

    def _describe(self, *, sends: bool, receives: bool) -> sdp.LocalAudio:
        self._version += 1
        self._told_ptime_ms = self.ptime_ms
        return sdp.LocalAudio(
            session_id=self._id,
            version=self._version,
            candidates=self._channel.candidates,
            ufrag=self._channel.ufrag,
            password=self._channel.password,
            fingerprint=self._certificate.sha256(),
            lite=self._channel.is_lite,
            sends=sends,
            receives=receives,
            ssrc=self.ssrc,
            cname=self.cname,
            ptime_ms=self.ptime_ms,
            bitrate_bps=self._bitrate_bps,
        )
