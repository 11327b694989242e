#!/usr/bin/env bash
# Everything of deploy/observe that promtool can check: syntax of configuration and rules, every alert in a case of its
# own, and the expressions of all dashboards. Where promtool is not on PATH it is taken out of Debian's package.
set -euo pipefail
cd "$(dirname "$0")/../.."

promtool=$(command -v promtool || true)
if [ -z "$promtool" ]; then
  promtool=$PWD/build/prometheus/usr/bin/promtool
  if [ ! -x "$promtool" ]; then
    mkdir -p build/prometheus
    (
      cd build/prometheus
      apt-get download --quiet prometheus || { apt-get update --quiet && apt-get download --quiet prometheus; }
    )
    dpkg-deb --extract build/prometheus/prometheus_*.deb build/prometheus
  fi
fi

"$promtool" check config deploy/observe/prometheus/prometheus.yml
"$promtool" test rules deploy/observe/prometheus/tests/*.yml
.venv/bin/python -m tests.unit.observe.dashboards > build/dashboard-rules.yml
"$promtool" check rules build/dashboard-rules.yml
