"""Records the offers of the browsers installed here: `python -m tests.media.vectors.record_offers`.

Each offer is what a page of that browser hands to its server; `test_sdp.py` answers them.
"""

import asyncio
from pathlib import Path

from tests.support.chromium import Chromium
from tests.support.firefox import Firefox

HERE = Path(__file__).parent

SCENES = {
    "speak": "pc.addTrack(track, stream)",
    "listen": 'pc.addTransceiver("audio", {direction: "recvonly"})',
    "send": 'pc.addTransceiver(track, {direction: "sendonly", streams: [stream]})',
    "muted": 'pc.addTransceiver("audio", {direction: "inactive"})',
    "video_data": (
        'pc.addTransceiver("video"), pc.addTransceiver(track), pc.createDataChannel("chat")'
    ),
}
REDUNDANT = (
    "pc.addTrack(track, stream), pc.getTransceivers()[0].setCodecPreferences("
    '["audio/red", "audio/opus"].map(type => '
    'RTCRtpSender.getCapabilities("audio").codecs.find(codec => codec.mimeType === type)))'
)
"""RED before Opus; Firefox has no RED."""

# Gathered in full, so that candidates (mDNS names among them) stand in the offer.
_OFFER = """(async () => {
  const stream = await navigator.mediaDevices.getUserMedia({audio: true});
  const track = stream.getAudioTracks()[0];
  const pc = new RTCPeerConnection();
  %s;
  const gathered = new Promise(done => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done();
    setTimeout(done, 3000);
  });
  await pc.setLocalDescription();
  await gathered;
  const sdp = pc.localDescription.sdp;
  pc.close();
  return sdp;
})()"""


def keep(browser: str, scene: str, sdp: str) -> None:
    """Write an offer to its file."""
    assert "m=audio" in sdp
    (HERE / f"{browser}_{scene}.sdp").write_bytes(sdp.encode())


async def record() -> None:
    """Record every scene in both browsers."""
    async with Chromium() as chromium:
        # A page served from nowhere has no microphone; a file has.
        page = await chromium.page((HERE / "blank.html").as_uri())
        for scene, setup in {**SCENES, "redundant": REDUNDANT}.items():
            keep("chromium", scene, await page.evaluate(_OFFER % setup))
    async with Firefox({"media.devices.insecure.enabled": True}) as firefox:
        await firefox.goto((HERE / "blank.html").as_uri())
        for scene, setup in SCENES.items():
            keep("firefox", scene, await firefox.evaluate(_OFFER % setup))


if __name__ == "__main__":
    asyncio.run(record())
