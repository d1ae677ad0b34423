# AG06 Mixer as a container: docs/kubernetes.md says what is in it and why.
#
#   docker build -t ag06-mixer .
#   docker compose up

FROM node:24-bookworm-slim AS page
WORKDIR /page
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

# Wheels only: no stage has a compiler. Each has the hash that was pinned with its version, and all
# that is needed is pinned.
FROM python:3.11-slim-bookworm AS packages
COPY requirements-hashes.txt ./
RUN python -m venv /opt/ag06/venv \
    && /opt/ag06/venv/bin/pip install --no-cache-dir --only-binary :all: --require-hashes --no-deps \
        -r requirements-hashes.txt

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libopus0 tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin ag06
WORKDIR /opt/ag06
COPY --from=packages /opt/ag06/venv venv
COPY --from=page /page/node_modules node_modules
COPY requirements.txt requirements-models.txt requirements-tracing.txt ./
COPY start_webrtc.py LICENSE THIRD_PARTY_NOTICES.md ./
COPY deploy/container/start.sh /usr/local/bin/start-ag06
COPY dsp dsp
COPY mixer mixer
COPY gateway gateway
COPY rooms rooms
COPY archive archive
COPY webrtc webrtc

# The kernels are compiled here, for a CPU that nearly all servers surpass and not for the one that
# happens to build: an image runs elsewhere. arm64 takes `--build-arg KERNEL_CPU=generic`.
ARG KERNEL_CPU=x86-64-v3
ENV NUMBA_CPU_NAME=${KERNEL_CPU} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN venv/bin/python -m compileall -q -j 0 venv dsp mixer gateway rooms archive webrtc \
    && NUMBA_CACHE_DIR=/opt/ag06/kernels venv/bin/python -m webrtc.media.warm \
    && chmod -R a+rX /opt/ag06

# numba wants to write beside what it reads; the root file system is read-only.
ENV AG06_KERNELS=/opt/ag06/kernels \
    NUMBA_CACHE_DIR=/tmp/kernels
USER 10001
EXPOSE 8080/tcp 8081/tcp 40000-40127/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["venv/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/health', timeout=2)"]
ENTRYPOINT ["tini", "--", "start-ag06"]
