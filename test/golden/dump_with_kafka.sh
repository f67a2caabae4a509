#!/usr/bin/env bash
# Has Kafka's own DumpLogSegments read every .log, .index and .timeindex of partition directories.
#
#     KAFKA_HOME=/opt/kafka test/golden/dump_with_kafka.sh DIRECTORY...
#
# Kafka's jars are taken from $KAFKA_HOME/libs; without them it says so and ends with 0. It fails on
# whatever Kafka complains about: a checksum, an offset or a timestamp that an index gets wrong, bytes
# that are no batch. It wants files at rest: stop the broker first, or copy them.
#
# Of a log that was compacted (../cleaner-offset-checkpoint knows it) Kafka complains also where it has
# compacted it itself: of offsets that are gone, and of an entry of the time index whose batch has no
# record left (its time is told as -1). These two are passed over, there and nowhere else.
set -euo pipefail
[ $# -gt 0 ] || { echo 'usage: dump_with_kafka.sh DIRECTORY...' >&2; exit 2; }
jars=("${KAFKA_HOME:-/nowhere}"/libs/kafka_*.jar)
[ -e "${jars[0]}" ] && command -v java >/dev/null || {
  echo 'skipped: no java, or no Kafka in KAFKA_HOME' >&2
  exit 0
}

out=$(mktemp)
trap 'rm -f "$out"' EXIT
complaints='isvalid: false|invalid bytes|[Mm]ismatch|[Nn]on-consecutive|[Oo]ut of order|[Cc]orrupt'
complaints+='|failed|Exception|Error|Indexed offset|does not match|not found|Could not|WARN'

# The two complaints about compacted logs are taken out of $out.
forgive() {
  awk '
    /^Non-consecutive offsets in |^ +[0-9]+ is followed by [0-9]+$/ { next }
    /^Found timestamp mismatch in / { file = $0; next }
    /^ +Index timestamp: -?[0-9]+, log timestamp: -1$/ { next }
    /^ +Index timestamp: -?[0-9]+, log timestamp: / { print file }
    { print }
  ' "$out" >"$out.forgiven"
  mv "$out.forgiven" "$out"
}

# dump WHAT FILES ARGUMENT... - the output must be there and hold no complaint
dump() {
  local what=$1 files=$2 status=0
  shift 2
  java -Xmx512M -cp "$KAFKA_HOME/libs/*" kafka.tools.DumpLogSegments --files "$files" "$@" \
    >"$out" 2>&1 || status=$?
  sed -i '/^SLF4J\|^WARNING: \|StatusLogger/d' "$out" # of the logging library, not of the files
  if [ "$status" -eq 0 ] && [ -s "$out" ] && [ "$compacted" = yes ]; then
    forgive
    [ -s "$out" ] || return 0 # there was nothing else
  fi
  if [ "$status" -ne 0 ] || [ ! -s "$out" ] || grep -Eq "$complaints" "$out"; then
    echo "FAIL $what: Kafka ended with $status and says:" >&2
    { grep -E "$complaints" "$out" || tail -n 5 "$out"; } | head -n 20 >&2
    exit 1
  fi
}

for directory in "$@"; do
  logs=$(find "$directory" -maxdepth 1 -name '*.log' | sort | paste -sd,)
  indexes=$(find "$directory" -maxdepth 1 \( -name '*.index' -o -name '*.timeindex' \) | sort | paste -sd,)
  compacted=no
  name=$(basename "$directory")
  grep -Eq "^${name%-*} ${name##*-} [0-9]+$" "$directory/../cleaner-offset-checkpoint" 2>/dev/null && compacted=yes
  [ -n "$logs" ] || { echo "FAIL $directory: no segments" >&2; exit 1; }
  dump "$directory records" "$logs" --deep-iteration
  batches=$(grep -c '^baseOffset: ' "$out" || true)
  records=$(grep -c '^| offset: ' "$out" || true)
  if [ -n "$indexes" ]; then
    dump "$directory indexes" "$indexes" --index-sanity-check
    dump "$directory indexes against the log" "$indexes" --verify-index-only
    dump "$directory entries" "$indexes"
  fi
  segments=$(tr ',' '\n' <<<"$logs" | wc -l)
  echo "ok $directory: $segments segments, $batches batches, $records records"
done
