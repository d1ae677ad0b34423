"""A WHIP or WHEP client made of GStreamer's webrtcbin: `python3 gstreamer_peer.py URL [PITCH_HZ]`.

With a pitch it publishes that; without one it listens, and prints the strongest pitch that it hears
each half second. It ends when its standard input is closed. GStreamer's certificates are RSA. It
needs the system's Python with gi, and exits with status 77 where GStreamer is not there.
"""

# mypy: ignore-errors
# It runs in the system's Python, with bindings that have no types.
import re
import sys
import threading
import urllib.request

try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstSdp", "1.0")
    gi.require_version("GstWebRTC", "1.0")
    from gi.repository import GLib, Gst, GstSdp, GstWebRTC

    Gst.init(None)
    if not all(map(Gst.ElementFactory.find, ("webrtcbin", "nicesink", "opusenc", "spectrum"))):
        raise ValueError("plugins are missing")
except (ImportError, ValueError):
    sys.exit(77)

URL, PITCH_HZ = sys.argv[1], sys.argv[2:]
OPUS = "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111"
BANDS = 2400
SPEAK = (
    "audiotestsrc is-live=true freq={} volume=0.25 ! audioconvert "
    "! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay pt=111 ! {} "
    "! webrtcbin name=peer bundle-policy=max-bundle"
)
LISTEN = (
    "rtpopusdepay ! opusdec ! audioconvert "
    f"! spectrum bands={BANDS} interval=500000000 threshold=-60 ! fakesink"
)

loop = GLib.MainLoop()
kept = []  # what GStreamer's bindings free too early
if PITCH_HZ:
    pipeline = Gst.parse_launch(SPEAK.format(PITCH_HZ[0], OPUS))
    peer = pipeline.get_by_name("peer")
else:
    pipeline = Gst.Pipeline()
    peer = Gst.ElementFactory.make("webrtcbin", "peer")
    peer.set_property("bundle-policy", "max-bundle")
    pipeline.add(peer)


def offered(promise, *_):
    promise.wait()
    reply = promise.get_reply()
    offer = reply.get_value("offer")
    kept.extend([promise, reply, offer])
    peer.emit("set-local-description", offer, None)


def offer(*_):
    peer.emit("create-offer", None, Gst.Promise.new_with_change_func(offered, None))


def gathered(*_):
    complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
    if peer.get_property("ice-gathering-state") == complete:
        threading.Thread(target=post).start()


def post():
    text = peer.get_property("local-description").sdp.as_text().encode()
    request = urllib.request.Request(URL, text, {"Content-Type": "application/sdp"})
    answer = urllib.request.urlopen(request).read().decode()
    _, message = GstSdp.SDPMessage.new_from_text(answer)
    kind = GstWebRTC.WebRTCSDPType.ANSWER
    description = GstWebRTC.WebRTCSessionDescription.new(kind, message)
    peer.emit("set-remote-description", description, None)


def listen(_, pad):
    if pad.direction == Gst.PadDirection.SRC:
        ear = Gst.parse_bin_from_description(LISTEN, True)
        pipeline.add(ear)
        ear.sync_state_with_parent()
        pad.link(ear.get_static_pad("sink"))


def heard(_, message):
    structure = message.get_structure()
    if structure is not None and structure.get_name() == "spectrum":
        text = structure.to_string().partition("magnitude")[2].partition("phase")[0]
        levels = [float(level) for level in re.findall(r"-?\d+(?:\.\d+)?", text)]
        loudest = max(range(len(levels)), key=levels.__getitem__)
        sys.stdout.write(f"{loudest * 24000 // BANDS} {levels[loudest]}\n")
        sys.stdout.flush()


peer.connect("notify::ice-gathering-state", gathered)
if PITCH_HZ:
    peer.connect("on-negotiation-needed", offer)
else:
    peer.connect("pad-added", listen)
    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message::element", heard)
    pipeline.set_state(Gst.State.READY)
    receives = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
    peer.emit("add-transceiver", receives, Gst.Caps.from_string(OPUS))
    GLib.timeout_add(200, offer)
pipeline.set_state(Gst.State.PLAYING)
threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
loop.run()
pipeline.set_state(Gst.State.NULL)
