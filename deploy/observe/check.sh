#!/usr/bin/env bash
# Everything of deploy/observe that promtool can check: syntax of configuration and rules, every alert in a case of its
# own, and the expressions of all dashboards.
set -euo pipefail
cd "$(dirname "$0")/../.."

promtool=$(deploy/observe/program.sh promtool)
"$promtool" check config deploy/observe/prometheus/prometheus.yml
"$promtool" test rules deploy/observe/prometheus/tests/*.yml
.venv/bin/python -m tests.unit.observe.dashboards > build/dashboard-rules.yml
"$promtool" check rules build/dashboard-rules.yml
