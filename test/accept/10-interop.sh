#!/usr/bin/env bash
# Other people's tools work: kcat both ways with every codec, Prometheus names, health.
. "$(dirname "$0")/lib.sh"
for z in none gzip snappy lz4 zstd; do
  echo "from mq $z"   | "$MQ" produce "t-$z" -z "$z" -H a=1 -H a=2 -q
  echo "from kcat $z" | kcat -b "$MQ_BROKERS" -P -t "t-$z" -z "$z"
  eq "$(kcat -b "$MQ_BROKERS" -C -t "t-$z" -e -q | sort | xargs)" "from kcat $z from mq $z" "kcat reads $z"
  eq "$("$MQ" consume "t-$z" -o start:end | sort | xargs)" "from kcat $z from mq $z" "mq reads $z"
done
kcat -b "$MQ_BROKERS" -L -J | jq -e '.topics | length >= 5' >/dev/null
"$MQ" consume t-none -g cg -n 1 -q >/dev/null
curl -fsS "$MQ_HTTP/metrics" | grep -qE '^kafka_consumergroup_lag\{consumergroup="cg",topic="t-none",partition="[0-9]+"\} 1'
curl -fsS "$MQ_HTTP/health/ready" | jq -e '.status == "ok"' >/dev/null
