#!/bin/bash
# Makes the golden directories anew with a real Apache Kafka: KAFKA_HOME=DIR write_with_kafka.sh START_SCRIPT
# START_SCRIPT PORT DIR starts a broker with its data in DIR/data and prints its process id.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
start=$1
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
port=${PORT:-29392}
pid=$(bash "$start" "$port" "$work" log.segment.delete.delay.ms=100)
javac -cp "$KAFKA_HOME/libs/*" -d "$work" "$here/WriteTopics.java"
java -cp "$work:$KAFKA_HOME/libs/*" WriteTopics "127.0.0.1:$port" 2>"$work/err" >"$work/records" ||
  { tail -5 "$work/err" >&2; exit 1; }
kill "$pid"
tail --pid="$pid" -f /dev/null
pid=
for topic in codecs compacted transactions compacted_transactions; do
  rm -rf "${here:?}/$topic-0"
  cp -r "$work/data/$topic-0" "$here/"
done
cp "$work"/data/*-checkpoint "$here/"
cp "$work/records" "$here/records.ndjson"
ls -la "$here" "$here"/*-0
