#!/usr/bin/env bash
# Shell manners: SIGPIPE, exit codes, no prompt without a terminal, exact keys, stdout only for data.
. "$(dirname "$0")/lib.sh"
seq 100000 | "$MQ" produce big -q
eq "$("$MQ" consume big -o start:end | head -n1)" 1 'head closes the pipe: exit 0 under pipefail, no stack trace'
[ -z "$("$MQ" consume big -o start:end 2>&1 >/dev/null | head -c1)" ]
eq "$("$MQ" consume big -o start:end | wc -l | tr -d ' ')" 100000 'nothing is cut off at exit'
for k in 0123 1e3 0x10 12345678901234567890 '' - true; do printf v | "$MQ" produce keys --key "$k" -q; done
eq "$("$MQ" consume keys -o start:end -f '%k|' )" '0123|1e3|0x10|12345678901234567890||-|true|' 'keys are text, always'
eq "$("$MQ" consume big -p 0 -o -1 -n 1)" "$("$MQ" consume big -p 0 -o=-1 -n 1)" 'both spellings of a negative offset'
rc 2 "$MQ" topic creat x
{ "$MQ" topic creat x 2>&1 || true; } | grep -q "Did you mean 'topic create'"
rc 2 "$MQ" consume big --ofset 1;  rc 3 "$MQ" topic describe nosuch;  rc 3 "$MQ" consume nosuch -o start:end
rc 5 "$MQ" topic list -b 127.0.0.1:1 --timeout 1s;  rc 5 "$MQ" consume big -o end -n 1 --timeout 300ms
rc 2 "$MQ" topic delete big < /dev/null            # would need a prompt: says "use --yes", changes nothing
{ "$MQ" topic describe nosuch --json 2>/dev/null || true; } | jq -e '.error.code == "UNKNOWN_TOPIC_OR_PARTITION"' >/dev/null
[ -z "$("$MQ" topic list --json 2>&1 >/dev/null)" ]
NO_COLOR=1 "$MQ" --help | grep -q Examples
