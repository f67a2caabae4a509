#!/usr/bin/env bash
# Lets Apache Kafka and mq compact the same logs, twice one after the other, and compares what is left:
# every record, every batch header, the base offsets of the segments and the transaction indexes.
#
#     KAFKA_HOME=/opt/kafka KAFKA_START=start.sh test/golden/compact_with_kafka.sh [PORT]
#
# KAFKA_START is a script "PORT DIRECTORY SETTING..." that formats and starts a broker and writes its
# process id to DIRECTORY/srv.pid. Without it, or without Kafka, this says so and ends with 0.
# CompactionFill.java writes plain, compressed, idempotent and transactional records and tombstones.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${1:-23791}
jars=("${KAFKA_HOME:-/nowhere}"/libs/kafka_*.jar)
[ -e "${jars[0]}" ] && [ -x "${KAFKA_START:-/nowhere}" ] && command -v java >/dev/null || {
  echo 'skipped: no java, no Kafka in KAFKA_HOME, or no KAFKA_START' >&2
  exit 0
}

work=$(mktemp -d)
trap 'kill "$(cat "$work/kafka/srv.pid")" 2>/dev/null || true; rm -rf "$work"' EXIT
settings=(log.cleaner.backoff.ms=300 transaction.state.log.num.partitions=1)

start() {
  "$KAFKA_START" "$port" "$work/kafka" "${settings[@]}" "$@" >/dev/null
  kill -0 "$(cat "$work/kafka/srv.pid")" || { echo "port $port is taken" >&2; exit 1; }
}
stop() {
  local pid
  pid=$(cat "$work/kafka/srv.pid")
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
}
# keep NAME - a copy of the partition as it is now, with the cleaner's checkpoint
keep() {
  mkdir "$work/$1"
  cp "$work/kafka/data/c-0/"* "$work/$1/"
  cp "$work/kafka/data/cleaner-offset-checkpoint" "$work/$1/" 2>/dev/null || true
}

for round in 1 2; do
  start log.cleaner.enable=false
  java -XX:TieredStopAtLevel=1 -cp "$KAFKA_HOME/libs/*" "$here/CompactionFill.java" \
    "127.0.0.1:$port" "$round" >/dev/null 2>&1
  stop
  keep "before$round"
  start log.cleaner.enable=true
  checkpoint=$work/kafka/data/cleaner-offset-checkpoint
  for _ in $(seq 60); do
    sleep 0.5
    grep -q '^c 0 ' "$checkpoint" && ! cmp -s "$checkpoint" "$work/before$round/${checkpoint##*/}" && break
  done
  stop
  keep "kafka$round"
  cp -r "$work/before$round" "$work/mq$round"
  "$here/../../node_modules/.bin/bun" "$here/compact_and_compare.ts" "$work/mq$round" "$work/kafka$round"
done
