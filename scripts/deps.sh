#!/usr/bin/env bash
# Installs on Debian and Ubuntu the real parts that `make test` runs on. What is there already is left alone.
set -euo pipefail

compose_version=v5.0.2
plugin=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins/docker-compose

kafka_pom=$(dirname "$0")/../e2e/kafka/pom.xml
kafka_version=$(sed -n '/<artifactId>kafka_/{n;s/.*<version>\(.*\)<.*/\1/p}' "$kafka_pom")
# A folder for each content of the file: another checkout's stays as it is.
kafka=${XDG_CACHE_HOME:-$HOME/.cache}/logstream-e2e/kafka-$kafka_version-$(sha256sum "$kafka_pom" | cut -c1-8)

python_requirements=$(dirname "$0")/../e2e/kafka/python/requirements.txt
python=${XDG_CACHE_HOME:-$HOME/.cache}/logstream-e2e/python-$(sha256sum "$python_requirements" | cut -c1-8)
# The current Docker engine and what it runs on; current.sum has the hashes of all that they are built from.
engine_pins=$(dirname "$0")/../e2e/engine/current
engine_version=$(awk '$1 == "github.com/moby/moby/v2" { print $2 }' "$engine_pins.mod")
engine=${XDG_CACHE_HOME:-$HOME/.cache}/logstream-e2e/engine-29-$engine_version-$(sha256sum "$engine_pins.sum" | cut -c1-8)

if [ "$(id -u)" = 0 ]; then as_root() { "$@"; }; else as_root() { sudo "$@"; }; fi

missing=()
command -v dockerd >/dev/null || missing+=(docker.io)
command -v chromium >/dev/null || missing+=(chromium)
command -v iptables >/dev/null || missing+=(iptables)
command -v node >/dev/null || missing+=(nodejs npm)
command -v gcc >/dev/null || missing+=(gcc libc6-dev) # for the race detector
command -v kcat >/dev/null || missing+=(kcat)
command -v promtool >/dev/null || missing+=(prometheus)
command -v prometheus-alertmanager >/dev/null || missing+=(prometheus-alertmanager)
command -v systemd-analyze >/dev/null || missing+=(systemd) # to read the unit
command -v java >/dev/null || missing+=(default-jre-headless) # for Apache Kafka
if ! cmp -s "$engine/current.sum" "$engine_pins.sum"; then # for runc
  command -v pkg-config >/dev/null || missing+=(pkg-config)
  pkg-config --exists libseccomp 2>/dev/null || missing+=(libseccomp-dev)
fi
cmp -s "$kafka/pom.xml" "$kafka_pom" || command -v mvn >/dev/null || missing+=(maven)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv) # for kafka-python
# The tests start databases of their own: only the programs are wanted, no system service.
services=()
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || services+=(postgresql)
command -v redis-server >/dev/null || services+=(redis-server)
PATH=$PATH:/usr/sbin command -v mariadbd >/dev/null || missing+=(mariadb-server-core) # which has no service
missing+=("${services[@]}")
if [ ${#missing[@]} -gt 0 ]; then
  echo "deps: installing ${missing[*]}"
  as_root apt-get update -q
  (
    policy=/usr/sbin/policy-rc.d # packages ask it before they start a service; 101 forbids that
    if [ ! -e "$policy" ]; then
      trap 'as_root rm -f "$policy"' EXIT
      printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
      as_root chmod 755 "$policy"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${missing[@]}"
  )
  if [ ${#services[@]} -gt 0 ] && command -v systemctl >/dev/null; then # nor at the next boot
    as_root systemctl disable -q "${services[@]}"
  fi
fi

if ! "$plugin" version 2>/dev/null | grep -q "${compose_version#v}"; then
  echo "deps: building Docker Compose $compose_version"
  bin=$(mktemp -d)
  trap 'rm -rf "$bin"' EXIT
  GOBIN=$bin GOFLAGS= go install -ldflags "-X github.com/docker/compose/v5/internal.Version=$compose_version" "github.com/docker/compose/v5/cmd@$compose_version"
  mkdir -p "$(dirname "$plugin")"
  install -m 755 "$bin/cmd" "$plugin"
fi

if ! cmp -s "$kafka/pom.xml" "$kafka_pom"; then # the copy is made last: what is half fetched has none
  echo "deps: fetching Apache Kafka $kafka_version"
  rm -rf "$kafka"
  mvn -q -B -f "$kafka_pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$kafka"
  cp "$kafka_pom" "$kafka/pom.xml"
fi

if ! cmp -s "$python/requirements.txt" "$python_requirements"; then
  echo "deps: installing kafka-python"
  rm -rf "$python"
  python3 -m venv "$python"
  "$python/bin/pip" install -q --disable-pip-version-check --only-binary :all: --require-hashes -r "$python_requirements"
  cp "$python_requirements" "$python/requirements.txt"
fi

if ! cmp -s "$engine/current.sum" "$engine_pins.sum"; then # the copy is made last: what is half built has none
  echo "deps: building Docker 29 ($engine_version of its modules), containerd and runc: some minutes, once"
  rm -rf "$engine"
  mkdir -p "$engine"
  GOBIN=$(cd "$engine" && pwd) GOFLAGS= CGO_ENABLED=1 go install -modfile="$engine_pins.mod" -tags seccomp \
    -ldflags "-s -w -X github.com/moby/moby/v2/dockerversion.Version=29-moby-$engine_version" tool
  cp "$engine_pins.sum" "$engine/"
fi

go mod download
go tool staticcheck -version
echo "deps: all parts are installed"
