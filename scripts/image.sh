#!/usr/bin/env bash
# Builds the image logstream with the Docker that the docker command finds:
# scripts/image.sh [ARCH], amd64 or arm64; default: this machine's.
# IMAGE names another name for it.
set -euo pipefail
cd "$(dirname "$0")/.."
arch=${1:-$(go env GOARCH)}
folder=build/image/linux-$arch
rm -rf "$folder"
mkdir -p "$folder/data"
scripts/compile.sh linux "$arch" "$folder/logstream"
chmod 755 "$folder/logstream" "$folder/data" # whatever the umask is
docker build --platform "linux/$arch" --build-arg TARGETARCH="$arch" -t "${IMAGE:-logstream}" .
