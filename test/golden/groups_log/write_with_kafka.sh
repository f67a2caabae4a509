#!/bin/bash
# Makes the golden log anew with a real Apache Kafka: KAFKA_HOME=DIR write_with_kafka.sh START_SCRIPT
# START_SCRIPT PORT DIR SETTING... starts a broker with its data in DIR/data and prints its process id.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
start=$1
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
port=${PORT:-29394}
pid=$(bash "$start" "$port" "$work" offsets.topic.num.partitions=1)
javac -cp "$KAFKA_HOME/libs/*" -d "$work" "$here/WriteGroups.java"
java -cp "$work:$KAFKA_HOME/libs/*" WriteGroups "127.0.0.1:$port" >"$work/out" 2>&1 ||
  { tail -5 "$work/out" >&2; exit 1; }
kill "$pid"
tail --pid="$pid" -f /dev/null
pid=
log=$work/data/__consumer_offsets-0/00000000000000000000.log
cp "$log" "$here/"
# A line per record; a metadata hash does not fit into a number of JavaScript.
java -cp "$KAFKA_HOME/libs/*" kafka.tools.DumpLogSegments --offsets-decoder --files "$log" 2>/dev/null |
  sed -nE 's/^\| .*headerKeys: \[\] key: (.*) payload: (.*)$/{"key":\1,"value":\2}/p' |
  sed -E 's/"value":<DELETE>/"value":null/; s/"metadataHash":(-?[0-9]+)/"metadataHash":"\1"/' >"$here/records.ndjson"
wc -l "$here/records.ndjson"
