import { describe, expect, test } from "bun:test";
import { brokerSettings } from "../../cli/broker_options.ts";
import { commands } from "../../cli/command_table.ts";
import { globalFlags } from "../../cli/global_flags.ts";
import { parseLine } from "../../cli/parse_line.ts";

function settingsOf(
  typed: string,
  file?: string,
  roles?: string,
): Readonly<Record<string, string>> {
  const args = ["broker", "start", ...(typed === "" ? [] : typed.split(" "))];
  const { flags } = parseLine(args, { commands, globalFlags });
  const { settings } = brokerSettings(flags, { file, dataDirectory: "/home/mq" }, roles);
  return Object.fromEntries(settings);
}

describe("brokerSettings()", () => {
  test("without anything gives a durable directory and leaves the rest to the broker", () => {
    expect(settingsOf("")).toEqual({ "log.dirs": "/home/mq" });
  });

  test("takes flag before -X before the file before --dev", () => {
    const file = "listeners=PLAINTEXT://file:1\nnode.id=1\nnum.partitions=1\nlog.dir=/file";
    const settings = settingsOf(
      "--dev -X node.id=2 -X num.partitions=2 --node-id 3",
      file,
    );
    expect(settings["listeners"]).toBe("PLAINTEXT://file:1");
    expect(settings["num.partitions"]).toBe("2");
    expect(settings["node.id"]).toBe("3");
    expect(settings["log.dir"]).toBe("/file");
    expect(settings["log.dirs"]).toBeUndefined();
    expect(settings["auto.create.topics.enable"]).toBe("true");
  });

  test("names what a flag and -X say differently", () => {
    const conflictsOf = (typed: string): readonly string[] => {
      const { flags } = parseLine(["broker", "start", ...typed.split(" ")], {
        commands,
        globalFlags,
      });
      return brokerSettings(flags, { file: "node.id=7", dataDirectory: "/home/mq" }).conflicts;
    };
    expect(conflictsOf("--data-dir /a -X log.dirs=/b --node-id 3"))
      .toEqual(["--data-dir goes before -X log.dirs=/b: log.dirs is /a"]);
    expect(conflictsOf("--data-dir /a -X log.dir=/b"))
      .toEqual(["--data-dir goes before -X log.dir=/b: log.dirs is /a"]);
    expect(conflictsOf("--node-id 3 -X node.id=4 -X num.partitions=2"))
      .toEqual(["--node-id goes before -X node.id=4: node.id is 3"]);
    expect(conflictsOf("--data-dir /a -X log.dirs=/a")).toEqual([]);
  });

  test("--dev takes any port, unless one is given", () => {
    expect(settingsOf("--dev")["listeners"]).toBe("PLAINTEXT://127.0.0.1:0");
    expect(settingsOf("--dev --listen 9095")["listeners"]).toBe("PLAINTEXT://127.0.0.1:9095");
  });

  test("reads addresses as people write them", () => {
    const listeners = (text: string): string | undefined =>
      settingsOf(`--listen ${text}`)["listeners"];
    expect(listeners("127.0.0.1:0")).toBe("PLAINTEXT://127.0.0.1:0");
    expect(listeners(":9092")).toBe("PLAINTEXT://0.0.0.0:9092");
    expect(listeners("[::1]:9092")).toBe("PLAINTEXT://[::1]:9092");
    expect(listeners("example.org")).toBe("PLAINTEXT://example.org:9092");
    expect(listeners("INTERNAL://h:1,h:2")).toBe("INTERNAL://h:1,PLAINTEXT://h:2");
    expect(settingsOf("--advertise h:3")["advertised.listeners"]).toBe("PLAINTEXT://h:3");
    expect(settingsOf("--http off")["mq.http.listener"]).toBe("off");
    expect(settingsOf("--http :9000")["mq.http.listener"]).toBe("0.0.0.0:9000");
  });

  test("takes voters with ids, or controllers to ask without", () => {
    const settings = settingsOf(
      "--roles broker --controller-quorum 1@h1,2@h2:9,3@[::1]:9 --cluster-id C --rack r1",
    );
    expect(settings).toEqual({
      "process.roles": "broker",
      "controller.quorum.voters": "1@h1:9092,2@h2:9,3@[::1]:9",
      "mq.cluster.id": "C",
      "broker.rack": "r1",
      "log.dirs": "/home/mq",
    });
    expect(settingsOf("--controller-quorum h1:9,h2")["controller.quorum.bootstrap.servers"])
      .toBe("h1:9,h2:9092");
    const wrong = ["1@h1,h2", "h1,2@h2", "", "1@", "x@h:1", "1@h:0", "1@h:x"];
    for (const list of wrong) expect(() => settingsOf(`--controller-quorum=${list}`)).toThrow();
    for (const words of ["--roles boss", "--roles=", "--cluster-id=", "--rack="]) {
      expect(() => settingsOf(words)).toThrow();
    }
  });

  test("a command of one role goes before the file", () => {
    const settings = settingsOf("", "process.roles=broker,controller", "controller");
    expect(settings["process.roles"]).toBe("controller");
  });

  test("refuses what is no address, number or setting", () => {
    for (const typed of ["--listen h:x", "--http 99999", "--node-id -1", "-X novalue"]) {
      expect(() => settingsOf(typed)).toThrow();
    }
  });
});
