#!/usr/bin/env bash
# Says where a program of Prometheus is (`prometheus`, `promtool`). What is not on PATH is taken out of Debian's package.
set -euo pipefail
cd "$(dirname "$0")/../.."

if command -v "$1"; then exit; fi
folder=build/prometheus
if [ ! -x "$folder/usr/bin/$1" ]; then
  mkdir -p "$folder"
  (
    cd "$folder"
    apt-get download --quiet prometheus || { apt-get update --quiet && apt-get download --quiet prometheus; }
  ) >&2
  dpkg-deb --extract "$folder"/prometheus_*.deb "$folder"
fi
echo "$PWD/$folder/usr/bin/$1"
