#!/usr/bin/env bash
# Builds a release into build/release: a program for each system, an SBOM
# (CycloneDX) of each, and SHA256SUMS of all. Two runs on one commit give the same
# bytes. VERSION names a version that has no tag yet.
set -euo pipefail
cd "$(dirname "$0")/.."
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
targets=${TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}
export VERSION=${VERSION:-$(git describe --tags --always --dirty)}
date=$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)
out=build/release
rm -rf "$out"
mkdir -p "$out"
for target in $targets; do
  os=${target%/*} arch=${target#*/}
  file=$out/logstream-$VERSION-$os-$arch
  [ "$os" = windows ] && file=$file.exe
  echo "release: $file"
  scripts/compile.sh "$os" "$arch" "$file"
  # The modules that are in the program, as it says itself, at the commit's time.
  GOFLAGS='' go run -trimpath "$sbom" bin -json -noserial -std -version "$VERSION" -output "$file.sbom.json" "$file"
  sed -i.bak "s/\"timestamp\": \"[^\"]*\"/\"timestamp\": \"$date\"/" "$file.sbom.json" # -i alone differs on macOS
  rm "$file.sbom.json.bak"
done
(cd "$out" && sha256sum -- * >SHA256SUMS)
cat "$out/SHA256SUMS"
