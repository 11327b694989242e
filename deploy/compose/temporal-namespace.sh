#!/bin/sh
# Makes the namespace where it is missing, as soon as the server takes it: its port is open a little earlier than that.
set -eu
tries=60
until temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"; do
  tries=$((tries - 1))
  if [ "$tries" -eq 0 ]; then
    echo "the namespace $TEMPORAL_NAMESPACE could not be made at $TEMPORAL_ADDRESS" >&2
    exit 1
  fi
  sleep 1
done
# A new namespace is known to all parts of the server a moment later.
until temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; do sleep 1; done
