#!/usr/bin/env bash
# `make pin`: writes behind the tag of every foreign image of compose.yaml the digest that the tag has now, so that what
# runs is what was looked at. Needs skopeo and the registries. All are asked before anything is written; a tag that has
# moved gets its new digest when this runs again.
set -euo pipefail
cd "$(dirname "$0")/.."
file=${1:-compose.yaml}
ours=jira-data-integrator

command -v skopeo >/dev/null || { echo "make pin needs skopeo: apt-get install skopeo" >&2; exit 2; }

edits=()
for image in $(sed -nE 's/^ *image: ([^ @]+)(@sha256:[0-9a-f]+)?$/\1/p' "$file" | grep -v "^$ours:" | sort -u); do
  # The digest of what the tag names as it stands: of the index, where there are several platforms.
  manifest=$(mktemp) && skopeo inspect --raw "docker://$image" >"$manifest"
  digest=sha256:$(sha256sum <"$manifest" | cut -d' ' -f1) && rm "$manifest"
  echo "$image@$digest"
  edits+=(--expression "s|^( *image: ${image//./\\.})(@sha256:[0-9a-f]+)?\$|\1@$digest|")
done
[ ${#edits[@]} -gt 0 ] || { echo "$file names no image" >&2; exit 1; }
sed --in-place --regexp-extended "${edits[@]}" "$file"
