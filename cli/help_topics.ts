/** The texts of `mq help TOPIC`: what holds for many commands at once. */

import type { Library } from "./context.ts";

export interface HelpTopic {
  readonly name: string;
  readonly summary: string;
  /** What only the library knows is made from it. */
  readonly text: string | ((library: Library) => string);
}

const exitCodes: HelpTopic = {
  name: "exit-codes",
  summary: "what the exit code of a command says",
  text: `Exit codes

  0    done; also when the reader of stdout closed the pipe (mq consume t -o start | head -n1)
  1    failed, wholly or for one of several targets
  2    usage: an unknown command or flag, a bad value or setting, or a question would be needed and
       there is no terminal (say --yes)
  3    a named thing was not found: a topic, a group, a file
  4    not authenticated, or not allowed
  5    unreachable, or --timeout or -n was not met
  10   asked, and the answer is no: mq check group is over a limit, mq log verify found damage,
       mq log repair has something to do
  130  ended by SIGINT; what was read before has been delivered, and committed with -g
  143  ended by SIGTERM

mq broker start is meant to be ended by a signal: after an orderly stop by SIGINT or SIGTERM it gives
0. A second signal ends it at once with 130 or 143.

Under --json an error is also a document on stdout:
  {"error":{"code":"UNKNOWN_TOPIC_OR_PARTITION","message":"…","hint":"…","retriable":true}}
`,
};

const environment: HelpTopic = {
  name: "environment",
  summary: "variables that mq reads",
  text: `Environment

  MQ_BROKERS       where to connect, HOST:PORT,…; -b goes before
  MQ_FORMAT        form of lists and descriptions; -f and --json go before
  MQ_TIMEOUT       as --timeout
  MQ_NO_INPUT      never ask, as --no-input, when it is not empty
  MQ_DEBUG         show where an unexpected error came from
  NO_COLOR         no colours, when it is not empty
  FORCE_COLOR      colours, also into a pipe; CLICOLOR_FORCE does the same
  XDG_DATA_HOME    mq broker start keeps its data in $XDG_DATA_HOME/mq, else in ~/.local/share/mq

A flag goes before a variable, a variable before a default. CI changes nothing.
`,
};

const formatting: HelpTopic = {
  name: "formatting",
  summary: "how output and records are written",
  text: `Formatting

stdout carries data only; stderr carries talk, which -q silences, and errors. Lists are aligned on a
terminal and TAB-separated in a pipe; --no-header leaves out the names of the columns.

  -f text|wide    columns                         -f json     one JSON array or object; as --json
  -f name         bare names, for xargs           -f ndjson   one JSON object a line
  -f csv          RFC 4180

Records, mq consume -f:

  value           the value and a newline (the default); -0 ends it with a NUL, -D with other text
  kv              key, TAB, value
  json            one JSON object a line; mq produce -f json takes it back without loss
  '%k %v\\n'       a template; nothing is added at its end:
      %t topic  %p partition  %o offset  %T timestamp in ms  %d timestamp as RFC 3339
      %k key  %v value (or %s)  %K and %V their lengths in bytes, -1 for null (%S is %V)
      %h headers as name=value,…  %% a percent sign
      \\n newline  \\t TAB  \\r return  \\0 NUL  \\\\ backslash  \\xHH a byte

A record in JSON: {"topic":"t","partition":0,"offset":42,"timestamp":"2026-01-02T09:00:00.000Z",
"key":"0123","value":"…","headers":[["h","1"],["n",null]]}. null is no key, or a tombstone. What is not
UTF-8 is base64 and says so: "valueEncoding":"base64". For mq produce -f json only "value" or "key" is
required; topic and offset are ignored; timestamp is RFC 3339 or milliseconds.

Flags: -p 0, -p0, -p=0, --partition 0 and --partition=0 are the same; switches may be joined (-qv). A
flag takes the next word whatever it looks like, so -o -1 works. Behind -- all words are arguments. Keys
and values are always text: --key 0123 is "0123". Durations have a unit: 300ms, 10s, 5m, 1h30m.
`,
};

const offsets: HelpTopic = {
  name: "offsets",
  summary: "the ranges of mq consume -o",
  text: `Offset ranges

A point alone reads from there and then follows. A range A:B reads from A and stops before B.

  start            the first record there is        end              the end as it is now
  N                offset N                         +N               N records behind the start
  -N               the last N of each partition     @TIME            the first record of that time or later

  A:B  A:  :B      B is a point, and not included; A: follows; :B begins at the start
  A:+N             N offsets from A on              @TIME:+1h        an hour from that time on
  @-48h:-24h       from 48 to 24 hours ago          start:end        everything there is now

TIME is RFC 3339 (2026-01-02T09:00:00Z; UTC where no zone is said), a date, seconds or milliseconds
since 1970, now, or a duration before now (-2h).

  mq consume t -o start:end          everything, then stop
  mq consume t -o -10:end            the last ten of each partition
  mq consume t -o @-1h               from an hour ago, and follow
  mq consume t -o end -n 1           the next record
`,
};

const settings: HelpTopic = {
  name: "settings",
  summary: "what a broker can be told, with defaults",
  text: (library) => {
    const known = library.BrokerSettings.known.toSorted((one, other) =>
      one.name < other.name ? -1 : 1
    );
    return `Settings of a broker, with their defaults, for the file of mq broker start -c or for -X NAME=VALUE

${known.map((setting) => `${setting.name}=${setting.default ?? ""}\n    ${setting.doc}\n`).join("")}
The names are Kafka's, those that begin with mq. are its own. mq help topic-settings lists those in
which a topic may differ from the broker.
`;
  },
};

const topicSettings: HelpTopic = {
  name: "topic-settings",
  summary: "what a topic can be told, with defaults",
  text: (library) => {
    const known = library.BrokerSettings.ofTopics.toSorted((one, other) =>
      one.name < other.name ? -1 : 1
    );
    return `Settings of a topic, with their defaults; in brackets the setting of the broker that gives the default

${
      known.map((setting) => {
        const synonym = setting.synonym === undefined ? "" : ` [${setting.synonym}]`;
        return `${setting.name}=${setting.default}${synonym}\n    ${setting.doc}\n`;
      }).join("")
    }
  mq topic create orders -c retention.ms=7d           when it is made
  mq topic alter orders --set segment.bytes=64MiB     later; in force from the next record on
  mq topic alter orders --unset segment.bytes         back to the default
  mq config explain --topic orders retention.ms       what is in force, and why

A value of a setting that ends in .ms may be a duration (300ms, 10s, 5m, 1h30m, 7d), of one that ends
in .bytes a size (64MiB, 10GiB; 64MB is 64 million bytes).
`;
  },
};

export const helpTopics: readonly HelpTopic[] = [
  exitCodes,
  environment,
  formatting,
  offsets,
  settings,
  topicSettings,
];
