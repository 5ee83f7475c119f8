#!/usr/bin/env bash
# Compiles one logstream of a release: scripts/compile.sh linux arm64 FILE
#
# The same commit, version and Go give the same bytes in every folder of every
# machine: no path, no time of the build and no C compiler gets in. The date is
# that of the commit. VERSION names a version that has no tag yet.
set -euo pipefail
cd "$(dirname "$0")/.."
os=$1 arch=$2 out=$3
version=${VERSION:-$(git describe --tags --always --dirty)}
commit=$(git rev-parse HEAD)
date=$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)
GOFLAGS='' CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=false -o "$out" \
  -ldflags "-s -w -buildid= -X main.version=$version -X main.commit=$commit -X main.date=$date" .
