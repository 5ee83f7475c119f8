# The image of logstream: one static program, and nothing else. make image builds
# it, and README.md says how it is run.
#
# There is no stage that compiles: scripts/image.sh cross-compiles the program
# with this machine's Go, exactly as a release is built, for amd64 and arm64. So
# the build takes no builder image, no emulation and no network, and the program
# in the image is the released one. The certificates of public authorities and the
# time zones are in the program (embedded.go).
FROM scratch

# amd64 or arm64: scripts/image.sh gives it, and BuildKit does so by itself.
ARG TARGETARCH

# The program is root's: it cannot replace itself.
COPY build/image/linux-${TARGETARCH}/logstream /usr/bin/logstream

# A volume that Docker creates takes its owner over.
COPY --chown=65532:65532 build/image/linux-${TARGETARCH}/data /var/lib/logstream

# The configuration is on a volume of its own: its folder, not the file, so that an
# editor that replaces the file is followed. It is read only. ./data, which is its
# default for data, is below the folder here.
ENV PATH=/usr/bin LOGSTREAM_CONFIG=/etc/logstream/config.yaml
WORKDIR /var/lib/logstream
VOLUME /var/lib/logstream

# A number, for whoever forbids root (runAsNonRoot). It has no right to the Docker
# socket by itself: --group-add gives it the socket's group.
USER 65532:65532

EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["logstream", "ready"]
ENTRYPOINT ["logstream"]
CMD ["run"]
