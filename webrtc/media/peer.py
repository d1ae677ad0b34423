"""One client's media connection: negotiation, what it sends us, what we send it.

States, as told to the front process:

| state | event | next |
|---|---|---|
| new | offer answered | connecting |
| connecting | DTLS-SRTP keys are there | connected |
| connecting | no keys within `CONNECT_S`, or the handshake failed | failed |
| connected | nothing authentic heard for `CONSENT_S` (RFC 7675) | disconnected |
| disconnected | heard again, by check or ICE restart | connected |
| disconnected | for `GIVE_UP_S` | failed |
| any | the client says goodbye, or `close` | closed |

While disconnected nothing is sent. A failed or closed peer is of no further use: the client builds
a new connection and offers again.

What is offered and answered is the matter of `peer_session`.
"""

import asyncio
import logging
from collections import Counter
from typing import Protocol

from pylibsrtp import Error as SrtpError

from mixer.playout import Playout
from mixer.playout_packet import MediaPacket
from mixer.tiers import TierPolicy
from webrtc.control.messages import PeerStateName
from webrtc.media import rtcp, rtp, sdp
from webrtc.media.aiortc_adapter import CertificateSupply, DtlsTransport
from webrtc.media.allowance import Allowance
from webrtc.media.fanout import SendTable
from webrtc.media.forward_table import ForwardTable
from webrtc.media.ice import IceAgent
from webrtc.media.intake import Intake
from webrtc.media.lanes import Lane
from webrtc.media.peer_session import PeerSession
from webrtc.media.reception import Reception
from webrtc.media.sender_reports import SenderReports

logger = logging.getLogger(__name__)

CONNECT_S = 20.0
CONSENT_S = 9.0
GIVE_UP_S = 30.0
CLOSE_S = 1.0
MAX_MEDIA_PER_VISIT = 1000  # packets in a second or two; Opus at 2.5 ms is 400 a second
MAX_SRTP_BYTES = 1500  # the room that pylibsrtp has for a packet
STREAM_CHANGE_S = 1.0  # a sender changes its SSRC after a collision or a reload, not all the time


class PeerHost(Protocol):
    """What a peer needs of its worker."""

    ice: IceAgent
    counters: Counter[str]
    intake: Intake
    table: SendTable
    forward_table: ForwardTable
    certificates: CertificateSupply

    def ntp_now(self, now_s: float) -> int:
        """Return the NTP time of an instant on the worker's clock; never jumps."""

    def media_time(self, peer: "Peer", now_s: float) -> int:
        """Return the media time of the peer's room at an instant, in samples."""

    def peer_changed(self, peer: "Peer", state: PeerStateName) -> None:
        """The peer's state changed."""

    def peer_media(self, peer: "Peer", packet: MediaPacket) -> None:
        """A media packet came."""

    def peer_red(self, peer: "Peer", packet: MediaPacket) -> None:
        """A RED packet came (RFC 2198)."""

    def peer_stream_changed(self, peer: "Peer") -> None:
        """What comes from now on is another RTP stream, with numbers of its own."""

    def peer_tier(self, peer: "Peer", tier: int) -> None:
        """The listener's network bears another bitrate tier."""


class Peer:
    """A client's connection to this worker.

    Attributes:
        receives: Whether we take sound from it, as negotiated.
        session: What was offered and answered.
        allowance: How much it may send.
    """

    def __init__(
        self,
        participant_id: str,
        host: PeerHost,
        now_s: float,
        ptime_ms: int = 10,
        bitrate_bps: int = sdp.BITRATE_BPS,
    ) -> None:
        """Make a peer; `negotiate` brings it to life."""
        self.participant_id = participant_id
        self.allowance = Allowance(bitrate_bps, now_s)
        self.state: PeerStateName = "connecting"
        self.receives = False
        self.reception: Reception | None = None
        self.round_trip_s: float | None = None
        self.remote_loss = 0.0
        self.remote_jitter_s = 0.0
        self.bytes_received = 0
        self.tiers = TierPolicy()
        self._host = host
        self._channel = host.ice.open(self)
        self._channel.heard_s = now_s
        self._certificate = host.certificates.take(now_s)
        self.session = PeerSession(self._channel, self._certificate, ptime_ms, bitrate_bps)
        self._dtls = DtlsTransport(self._channel, self._certificate, self._dtls_changed)
        self._keyed = False  # the SRTP sessions are there
        self._intake_row: int | None = None
        self._handshake: asyncio.Task[None] | None = None
        self._sends = False
        self._row: int | None = None
        self._born_s = now_s
        self._reports = SenderReports(self.session.ssrc, self.session.cname, now_s)
        self._media_since_visit = 0
        self._stream_changed_s = float("-inf")
        self._is_greedy = False  # its lane brought more than is allowed

    @property
    def row(self) -> int | None:
        """Its row of the fan-out table while it may be sent to, else None."""
        return self._row if self._sends else None

    # ---- negotiation -----------------------------------------------------------------------

    async def prepare(self, offer: sdp.Offer) -> None:
        """Do what takes time before `negotiate`: ICE restarts with new credentials in the offer."""
        if self.session.restarts_ice(offer):
            self._channel.rotate()
        await self._channel.prepare()

    def negotiate(self, offer: sdp.Offer, *, publishes: bool, subscribes: bool) -> str:
        """Return our answer to a first or a further offer, after `prepare`.

        Args:
            offer: What the client offers.
            publishes: Whether the participant may send.
            subscribes: Whether it may receive.
        """
        audio = offer.audio
        self._channel.set_remote(audio.ufrag, audio.password, audio.candidates)
        self.session.take_offer(offer)
        self.allow(publishes=publishes, subscribes=subscribes)
        if self._handshake is None:
            self._handshake = asyncio.create_task(
                self._dtls.start(
                    server=not audio.client_waits, fingerprints=list(audio.fingerprints)
                ),
                name=f"dtls {self.participant_id}",
            )
            self._handshake.add_done_callback(self._handshake_ended)
        return self.session.answer(offer, sends=self._sends, receives=self.receives)

    def offer(self, now_s: float) -> str:
        """Return an offer of ours, for the tracks that are wanted; after `negotiate`."""
        return self.session.offer(now_s, sends=self._sends, receives=self.receives)

    def take_answer(self, text: str, *, publishes: bool, subscribes: bool) -> None:
        """Take the client's answer to our open offer.

        Raises:
            ClientError: `no_offer_pending`, `bad_sdp`.
        """
        self.session.take_answer(text)
        self.allow(publishes=publishes, subscribes=subscribes)

    def sent(self) -> tuple[int, int]:
        """Return how many packets it was sent, mix and tracks together, and their octets."""
        packets = octets = 0
        if self._row is not None:
            packets, octets, _ = self._host.table.counters(self._row)
        for track in self.session.tracks.all:
            if track.row is not None:
                more, longer, _ = self._host.forward_table.report(track.row, 0.0)
                packets, octets = packets + more, octets + longer
        return packets, octets

    @property
    def outputs(self) -> list[int]:
        """Rows of the forward table on which it may be sent to."""
        return self.session.tracks.rows if self._sends and self.state == "connected" else []

    def allow(self, *, publishes: bool, subscribes: bool) -> None:
        """Let the participant do what its rights and its last offer have in common."""
        audio = self.session.audio
        self.receives = audio is not None and audio.sends and publishes
        self._sends = audio is not None and audio.receives and subscribes
        if self._dtls.state == "connected":
            self._take_row()

    def _handshake_ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("handshake of a peer broke", exc_info=error)
            self._become("failed")

    def _dtls_changed(self, state: str) -> None:
        if state == "connected":
            self._keyed = True
            self._take_intake_row()
            self._take_row()
            self._become("connected")
        elif state == "failed":
            self._become("failed")
        elif state == "closed":
            self._become("closed")

    def _take_intake_row(self) -> None:
        audio, intake, address = self.session.audio, self._host.intake, self._channel.address
        if self._channel.is_lite and audio is not None:
            self._intake_row = intake.add(self._dtls.incoming, audio.level_id, self._on_rtp)
            if self._intake_row is not None and address is not None:
                intake.route(address, self._intake_row)

    def _take_row(self) -> None:
        # Kept until the end even while nothing is sent: SRTP refuses a sequence that goes back.
        session, address, via = self.session, self._channel.address, self._channel.via
        if session.audio is None or address is None:
            return
        outgoing, payload_type = self._dtls.outgoing, session.audio.opus_type
        if self._sends and self._row is None:
            self._row = self._host.table.add(outgoing, session.ssrc, payload_type, address, via)
        for track in session.tracks.flowing:
            if track.row is None:
                track.row = self._host.forward_table.add(
                    outgoing, track.ssrc, payload_type, address, via
                )

    def _become(self, state: PeerStateName) -> None:
        if state != self.state and self.state not in ("failed", "closed"):
            self.state = state
            self._host.peer_changed(self, state)

    def add_candidate(self, candidate: str) -> None:
        """Take a trickled candidate."""
        self._channel.add_candidate(candidate)

    # ---- what comes in ---------------------------------------------------------------------

    def on_selected(self, address: int) -> None:
        """Send to another address from now on, and expect media from there."""
        if self._intake_row is not None:
            self._host.intake.route(address, self._intake_row)
        if self._row is not None:
            self._host.table.move(self._row, address)
        for track in self.session.tracks.all:
            if track.row is not None:
                self._host.forward_table.move(track.row, address)

    def on_srtp(self, data: bytes, arrival_s: float) -> None:
        """Take an SRTP or SRTCP packet that the intake did not decrypt."""
        counters = self._host.counters
        if not self._keyed:
            counters["srtp_early"] += 1
            return
        if not 12 <= len(data) <= MAX_SRTP_BYTES:
            counters["srtp_rejected"] += 1
            return
        try:
            if 192 <= data[1] <= 223:  # RFC 5761 section 4
                self._on_rtcp(self._dtls.incoming.unprotect_rtcp(data), arrival_s)
                return
            packet = rtp.parse_rtp(
                self._dtls.incoming.unprotect(data),
                self.session.audio.level_id if self.session.audio else 0,
            )
        except SrtpError:
            counters["srtp_rejected"] += 1
            return
        if packet is None:
            counters["rtp_malformed"] += 1
        else:
            media = MediaPacket(
                packet.sequence,
                packet.timestamp,
                packet.payload,
                arrival_s,
                packet.marker,
                packet.level_dbov,
                packet.voice,
            )
            if self._intake_row is not None:  # it came from an address that has no route
                self._host.intake.leave_lane(self._intake_row)
            self._on_rtp(media, packet.payload_type, packet.ssrc)

    def _on_rtp(self, packet: MediaPacket, payload_type: int, ssrc: int) -> None:
        """Take an authentic media packet."""
        self._channel.heard_s = packet.arrival_s
        audio = self.session.audio
        self._media_since_visit += 1
        if audio is None or not self.receives:
            self._host.counters["rtp_unwanted"] += 1
        elif self._media_since_visit > MAX_MEDIA_PER_VISIT:
            self._host.counters["rtp_flood"] += 1
        elif payload_type not in (audio.opus_type, audio.red_type):
            self._host.counters["rtp_unknown_type"] += 1
        elif not self.allowance.admits(len(packet.payload), packet.arrival_s):
            self._host.counters["rtp_over_bitrate"] += 1
        else:
            reception = self.reception
            if reception is None or reception.ssrc != ssrc:
                reception = self._begin_stream(ssrc, packet.arrival_s)
                if reception is None:
                    self._host.counters["rtp_second_stream"] += 1
                    return
            self.bytes_received += len(packet.payload)
            reception.count(packet.sequence, packet.timestamp, packet.arrival_s)
            if payload_type == audio.opus_type:
                self._host.peer_media(self, packet)
            else:
                self._host.peer_red(self, packet)

    def lend(self, playout: Playout, source: int, packet: MediaPacket) -> Lane | None:
        """Let its stream go by a lane from now on, None when that cannot be.

        Args:
            playout: What plays it.
            source: Row of the source arena into which it plays.
            packet: The last that came, which the playout has.
        """
        lanes, reception, audio = self._host.intake.lanes, self.reception, self.session.audio
        if lanes is None or self._intake_row is None or reception is None or audio is None:
            return None
        if not self.allowance.is_ample(packet.arrival_s):
            return None
        return lanes.lend(
            self._intake_row,
            playout,
            self,
            source=source,
            ssrc=reception.ssrc,
            payload_type=audio.opus_type,
            sequence=packet.sequence,
            timestamp=packet.timestamp,
            jitter=reception.jitter,
        )

    def on_lane(self, packets: int, octets: int, jitter: float, arrival_s: float) -> None:
        """Take note of authentic media that went by a lane."""
        self._channel.heard_s = max(self._channel.heard_s, arrival_s)
        self.bytes_received += octets
        if self.reception is not None:
            self.reception.follow(packets, jitter)
        if self.allowance.charge(octets, arrival_s):
            self._is_greedy = True  # the lane is being read just now: the next visit ends it

    def _begin_stream(self, ssrc: int, now_s: float) -> Reception | None:
        """Return where a new stream is counted; None when it comes too soon after another change.

        A client may take another SSRC (RFC 3550 section 8.2). One that sends two streams at once
        would make us start afresh with every packet.
        """
        if self.reception is not None:
            if now_s - self._stream_changed_s < STREAM_CHANGE_S:
                return None
            self._stream_changed_s = now_s
            self._host.peer_stream_changed(self)
        self.reception = Reception(ssrc)
        return self.reception

    def _on_rtcp(self, data: bytes, arrival_s: float) -> None:
        self._channel.heard_s = arrival_s
        report = rtcp.parse_rtcp(data)
        if report is None:
            self._host.counters["rtcp_malformed"] += 1
            return
        for ssrc, ntp_middle in report.sender_reports:
            if self.reception is not None and self.reception.ssrc == ssrc:
                self.reception.sender_report(ntp_middle, arrival_s)
        tracks = {track.ssrc for track in self.session.tracks.flowing}
        for block in report.blocks:
            if block.ssrc == self.session.ssrc:
                self._on_report(block, arrival_s)
            elif block.ssrc in tracks:
                self._note_report(block, arrival_s)

    def _on_report(self, block: rtcp.ReportBlock, arrival_s: float) -> None:
        self._note_report(block, arrival_s)
        tier = self.tiers.tier
        if self.tiers.report(block.fraction_lost, arrival_s) != tier:
            self._host.peer_tier(self, self.tiers.tier)

    def _note_report(self, block: rtcp.ReportBlock, arrival_s: float) -> None:
        self.remote_loss = block.fraction_lost
        self.remote_jitter_s = block.jitter / 48000
        if block.last_sr:
            now = rtcp.middle_32(self._host.ntp_now(arrival_s))
            trip = (now - block.last_sr - block.delay_since_last_sr) & 0xFFFFFFFF
            if trip < 0x80000000:
                self.round_trip_s = trip / 65536

    # ---- what goes out ---------------------------------------------------------------------

    def visit(self, now_s: float) -> None:
        """Look after the connection; about once a second."""
        self._media_since_visit = 0
        if self._is_greedy and self._intake_row is not None:  # each packet is looked at from now on
            self._host.intake.leave_lane(self._intake_row)
        self._is_greedy = False
        silent_s = now_s - self._channel.heard_s
        if self.state == "connecting":
            if now_s - self._born_s > CONNECT_S:
                self._become("failed")
        elif self.state == "connected" and silent_s > CONSENT_S:
            self._become("disconnected")
        elif self.state == "disconnected":
            if silent_s < CONSENT_S:
                self._become("connected")
            elif silent_s > GIVE_UP_S:
                self._become("failed")
        if self.state == "connected":
            self._report(now_s)

    def _report(self, now_s: float) -> None:
        host = self._host
        media_time = host.media_time(self, now_s)
        parts = self._reports.due(host, self.row, self.session.tracks.all, media_time, now_s)
        if self.reception is not None:
            parts.append(rtcp.receiver_report(self.session.ssrc, self.reception.block(now_s)))
        if not parts or self._channel.address is None:
            return
        parts.append(rtcp.source_description(self.session.ssrc, self.session.cname))
        packet = self._dtls.outgoing.protect_rtcp(b"".join(parts))
        self._channel.send(packet)

    async def close(self) -> None:
        """End the connection and free everything it holds."""
        self._sends = False
        if self._intake_row is not None:
            self._host.intake.remove(self._intake_row)
            self._intake_row = None
        if self._row is not None:
            self._host.table.remove(self._row)
            self._row = None
        for track in self.session.tracks.all:
            if track.row is not None:
                self._host.forward_table.remove(track.row)
                track.row = None
        self._become("closed")
        if self._handshake is not None:
            self._handshake.cancel()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._dtls.stop()
        except TimeoutError:
            logger.info("a peer could not be told goodbye")
        finally:
            self._channel.close()
