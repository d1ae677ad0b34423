#!/bin/sh
# Install what the tests need beside Python and npm packages, where that is allowed; otherwise say
# how. Never fails: tests whose program is missing skip themselves and say so.
missing=""
have() { command -v "$1" >/dev/null 2>&1; }
have chromium || missing="$missing chromium"
have firefox-esr || missing="$missing firefox-esr"
have Xvfb || missing="$missing xvfb"
have turnserver || missing="$missing coturn"
have xdotool || missing="$missing xdotool"
have redis-server || missing="$missing redis-server"
# The desktop client: its window, and a sound system without devices.
.venv/bin/python -c "import tkinter" 2>/dev/null ||
    ls /usr/lib/python3*/lib-dynload/_tkinter*.so >/dev/null 2>&1 || missing="$missing python3-tk"
have pulseaudio || missing="$missing pulseaudio"
have parec || missing="$missing pulseaudio-utils"
ls /usr/lib*/*/alsa-lib/libasound_module_pcm_pulse.so >/dev/null 2>&1 ||
    missing="$missing libasound2-plugins"
/sbin/ldconfig -p 2>/dev/null | grep -q 'libportaudio\.so\.2' || missing="$missing libportaudio2"
# Recordings of a voice.
[ -f /usr/share/sounds/alsa/Side_Right.wav ] || missing="$missing alsa-utils"
library() { /sbin/ldconfig -p 2>/dev/null | grep -q "$1"; }
library 'libopus\.so\.0' || missing="$missing libopus0"
# Of pedalboard's wheel, beside which strips are held.
library 'libatomic\.so\.1' || missing="$missing libatomic1"
# A WHIP and WHEP client that is nobody's of ours: GStreamer's, driven by the system's Python.
typelib() { ls /usr/lib*/*/girepository-1.0/"$1"-1.0.typelib >/dev/null 2>&1; }
plugin() { ls /usr/lib*/*/gstreamer-1.0/libgst"$1".so >/dev/null 2>&1; }
[ -d /usr/lib/python3/dist-packages/gi ] || missing="$missing python3-gi"
typelib GstWebRTC || missing="$missing gir1.2-gst-plugins-bad-1.0"
plugin webrtc || missing="$missing gstreamer1.0-plugins-bad"
plugin spectrum || missing="$missing gstreamer1.0-plugins-good"
plugin nice || missing="$missing gstreamer1.0-nice"
[ -n "$missing" ] || exit 0

by_hand="apt-get install --no-install-recommends$missing"
if ! have apt-get; then
    echo "For all tests, install by your package manager the Debian packages' equivalents:$missing." \
        "Tests that need them are skipped."
    exit 0
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif have sudo && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "For all tests, run first: sudo $by_hand"
    echo "Until then, tests that need these packages are skipped."
    exit 0
fi
echo "Installing for the tests, by the system's package manager:$missing"
export DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes
$as_root apt-get update -qq || echo "The package lists could not be refreshed; trying as they are."
for package in $missing; do
    # One by one: a package that this system lacks must not keep the others away.
    $as_root apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
        echo "$package could not be installed; tests that need it are skipped."
done
