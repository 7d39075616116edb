#!/usr/bin/env bash
# Each distribution, installed alone from its wheel, imports, and brings only its own commands.
set -euo pipefail
cd "$(dirname "$0")/.."
root="$PWD"
uv="$root/.venv/bin/uv"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
grep -oE '^[A-Za-z0-9_.-]+==[^ ;\\]+' requirements.lock | sort -u -t= -k1,1 > "$work/constraints.txt"

parts=(schemas producers stream_processors sinks exporter deploy)
for part in "${parts[@]}"; do
  "$uv" build --quiet --wheel --no-build-isolation --python .venv/bin/python --out-dir "$work/wheels" "$part"
done

for part in "${parts[@]}"; do
  distribution="auditlane-${part//_/-}"
  "$uv" venv --quiet --python .venv/bin/python "$work/$part"
  "$uv" pip install --quiet --python "$work/$part/bin/python" --find-links "$work/wheels" \
    --constraint "$work/constraints.txt" "$distribution"
  # From an empty folder, so that nothing but the wheel can be found.
  (
    cd "$work"
    for other in "${parts[@]}"; do
      found=no
      "$work/$part/bin/python" -c "import audit_$other" 2> /dev/null && found=yes
      wanted=no
      [[ $other == "$part" || $other == schemas ]] && wanted=yes
      [[ $found == "$wanted" ]] || { echo "$distribution alone: audit_$other importable: $found, expected $wanted" >&2; exit 1; }
    done
    shown="$("$work/$part/bin/audit" --help | sed -n '/^Commands:/,$p' | awk 'NR > 1 && /^  [a-z]/ {print $1}' | sort | paste -sd' ')"
    declared="$(cd "$root" && for p in schemas "$part"; do sed -n '/audit.commands"\]/,/^$/p' "$p/pyproject.toml"; done | sed -n 's/^\([a-z-]*\) = .*/\1/p' | sort -u | paste -sd' ')"
    [[ $shown == "$declared" ]] || { echo "$distribution alone shows the commands $shown, not $declared" >&2; exit 1; }
    echo "$distribution alone: $shown"
  )
done
