#!/usr/bin/env bash
# Build the image of deploy/Dockerfile and prove that it works, without a daemon and without a registry of images:
# Debian's buildah (chroot isolation) on a Debian that debootstrap makes. As root, on Debian 12.
#
#   deploy/build.sh            build the image with every service, then look into it and start each service
#   deploy/build.sh projector  the same for the group of one service
#
# With a daemon at hand this is the whole of it: docker build --file deploy/Dockerfile --tag jira-data-integrator:0.1.0 .
set -euo pipefail
cd "$(dirname "$0")/.."

GROUP=${1:-image}
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml | head -1)
REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)
NAME=localhost/jira-data-integrator
TAG=$VERSION
[ "$GROUP" = image ] || TAG=$VERSION-$GROUP
BASE=localhost/debian-bootstrap:bookworm
OUT=${OUT:-build}
export BUILDAH_ISOLATION=chroot

for tool in buildah debootstrap; do
  command -v "$tool" >/dev/null || { echo "$tool is needed: apt-get install buildah debootstrap" >&2; exit 2; }
done

# The base, once. What Debian's own slim image leaves out is left out here, too.
if ! buildah inspect --type image "$BASE" >/dev/null 2>&1; then
  root=$(mktemp -d)
  debootstrap --variant=minbase --include=ca-certificates bookworm "$root" >/dev/null
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,info,locale}/* "$root"/var/log/*.log
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$root" / >/dev/null
  buildah commit --quiet --rm "$container" "$BASE" >/dev/null
  rm -rf "$root"
fi

# How this machine reaches its package index goes in as secrets: it is in no layer. Proxies buildah hands over by itself.
secrets=()
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip config list 2>/dev/null | python3 -c '
import sys
lines = (line.strip().partition("=") for line in sys.stdin)
kept = {name.rpartition(".")[2]: value.strip("\x27") for name, _, value in lines}
known = ("index-url", "extra-index-url", "trusted-host", "timeout", "proxy")  # but for folders of this machine
kept = {name: " ".join(each for each in value.split() if not each.startswith("file:")) for name, value in kept.items()}
print("[global]", *(f"{name} = {kept[name]}" for name in known if kept.get(name)), sep="\n")' >"$work/pip.conf"
secrets+=(--secret "id=pip_conf,src=$work/pip.conf")
ca=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
[ ! -f "$ca" ] || secrets+=(--secret "id=ca,src=$ca")

began=$(date +%s)
buildah build --layers --pull-never --format docker --file deploy/Dockerfile --tag "$NAME:$TAG" \
  --build-arg BASE="$BASE" --build-arg GROUP="$GROUP" --build-arg VERSION="$VERSION" --build-arg REVISION="$REVISION" \
  "${secrets[@]}" .
echo "built $NAME:$TAG in $(($(date +%s) - began)) s"

container=$(buildah from --pull-never "$NAME:$TAG")
trap 'rm -rf "$work"; buildah umount "$container" >/dev/null 2>&1 || true; buildah rm "$container" >/dev/null' EXIT
mounted=$(buildah mount "$container")
mkdir -p "$OUT"
cp "$mounted/opt/jdi/sbom.cdx.json" "$OUT/sbom-$GROUP.cdx.json"
buildah inspect --type image "$NAME:$TAG" >"$work/image.json"
python3 deploy/prove_image.py "$mounted" "$GROUP" "$work/image.json"
