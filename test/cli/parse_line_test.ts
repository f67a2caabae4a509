/** The line as it is typed, against what a command gets: every trap of cac, and those of getopt. */
import { describe, expect, test } from "bun:test";
import { Failure } from "../../cli/failure.ts";
import { normalise } from "../../cli/normalise.ts";
import { type ParsedLine, parseLine } from "../../cli/parse_line.ts";
import { sampleGrammar } from "./sample_commands.ts";

function parse(...typed: string[]): ParsedLine {
  return parseLine(typed, sampleGrammar);
}

function refusal(...typed: string[]): Failure {
  try {
    parse(...typed);
  } catch (error) {
    return error as Failure;
  }
  throw new Error(`understood: ${typed.join(" ")}`);
}

describe("parseLine() keeps values text", () => {
  const texts = [
    "0123",
    "1e3",
    "0x10",
    "12345678901234567890",
    "",
    "-",
    "true",
    "false",
    "-1",
    "--",
    "--json",
    "\u0001",
    " a b ",
    "a=b=c",
    "__proto__",
    "ключ",
  ];
  for (const text of texts) {
    test(`--key ${JSON.stringify(text)}, in all spellings`, () => {
      for (const typed of [["--key", text], [`--key=${text}`], ["-k", text]]) {
        expect(parse("produce", "t", ...typed).flags.text("key")).toBe(text);
      }
    });
    test(`argument ${JSON.stringify(text)} behind --`, () => {
      expect(parse("produce", "--", "t", text).arguments).toEqual(["t", text]);
    });
  }

  test("numbers as arguments stay as they are", () => {
    expect(parse("produce", "007", "1.0", "0x1f").arguments).toEqual(["007", "1.0", "0x1f"]);
  });
});

describe("parseLine() finds the command", () => {
  test("of two words", () => {
    const line = parse("topic", "create", "foo");
    expect(line.command.path).toBe("topic create");
    expect(line.arguments).toEqual(["foo"]);
  });

  test("by an alias", () => {
    expect(parse("topic", "ls", "a*").command.path).toBe("topic list");
    expect(parse("topics").command.path).toBe("topic list");
  });

  test("behind and between global flags", () => {
    for (
      const typed of [
        ["-b", "h:1", "topic", "list"],
        ["--brokers=h:1", "topic", "list"],
        ["topic", "-b", "h:1", "list"],
        ["-bh:1", "topic", "list"],
        ["topic", "list", "--bootstrap-server", "h:1"],
      ]
    ) {
      const line = parse(...typed);
      expect(line.command.path).toBe("topic list");
      expect(line.flags.text("brokers")).toBe("h:1");
    }
  });

  test("an argument that reads like a command is an argument", () => {
    expect(parse("produce", "list", "create").arguments).toEqual(["list", "create"]);
    expect(parse("produce", "topic", "list").arguments).toEqual(["topic", "list"]);
  });

  test("nothing typed is help", () => {
    expect(parse().command.path).toBe("help");
    expect(parse("--help").wantsHelp).toBeTrue();
    expect(parse("-V").flags.isSet("version")).toBeTrue();
  });

  test("--help wins over missing arguments", () => {
    expect(parse("topic", "create", "--help").wantsHelp).toBeTrue();
  });
});

describe("parseLine() reads flags", () => {
  test("a lone - is an argument", () => {
    expect(parse("produce", "t", "-").arguments).toEqual(["t", "-"]);
  });

  test("negative numbers are values, glued or not", () => {
    for (
      const typed of [["-o", "-10"], ["-o-10"], ["-o=-10"], ["--offset=-10"], ["--offset", "-10"]]
    ) {
      expect(parse("consume", "t", ...typed).flags.text("offset")).toBe("-10");
    }
  });

  test("a letter means what the command says", () => {
    expect(parse("produce", "t", "-p0").flags.text("partition")).toBe("0");
    expect(parse("topic", "create", "t", "-p0").flags.text("partitions")).toBe("0");
    expect(parse("consume", "t", "-f", "%k\\n").flags.text("format")).toBe("%k\\n");
    expect(parse("topic", "list", "-f", "name").flags.text("format")).toBe("name");
  });

  test("lists keep all in order, others the last", () => {
    expect(parse("produce", "t", "-H", "a:1").flags.list("header")).toEqual(["a:1"]);
    expect(parse("produce", "t", "-H", "a:1", "-Ha:2").flags.list("header")).toEqual([
      "a:1",
      "a:2",
    ]);
    expect(parse("produce", "t", "-k", "1", "-k", "2").flags.list("key")).toEqual(["2"]);
  });

  test("switches may be joined, with a value flag last", () => {
    const line = parse("produce", "t", "-qv0p3");
    expect(line.flags.isSet("quiet")).toBeTrue();
    expect(line.flags.isSet("verbose")).toBeTrue();
    expect(line.flags.isSet("nul")).toBeTrue();
    expect(line.flags.text("partition")).toBe("3");
  });

  test("flags and arguments may be mixed", () => {
    const line = parse("topic", "create", "a", "--if-not-exists", "b", "-p", "2", "c");
    expect(line.arguments).toEqual(["a", "b", "c"]);
    expect(line.flags.isSet("if-not-exists")).toBeTrue();
    expect(line.flags.text("partitions")).toBe("2");
  });

  test("a switch takes no argument away", () => {
    for (const typed of [["--if-not-exists", "a"], ["a", "--if-not-exists"]]) {
      const line = parse("topic", "create", ...typed);
      expect(line.arguments).toEqual(["a"]);
      expect(line.flags.isSet("if-not-exists")).toBeTrue();
    }
  });

  test("--no-… switches are set only where given", () => {
    expect(parse("topics", "--no-header").flags.isSet("no-header")).toBeTrue();
    expect(parse("topics").flags.isSet("no-header")).toBeFalse();
    expect(parse("topics").flags.isSet("no-input")).toBeFalse();
  });

  test("names with dots stay whole as settings", () => {
    expect(parse("produce", "t", "-X", "log.dirs=/x").flags.list("set")).toEqual(["log.dirs=/x"]);
  });
});

describe("parseLine() refuses", () => {
  test("with exit code 2 whatever it does not understand", () => {
    for (
      const typed of [
        ["topic", "creat", "x"],
        ["topic"],
        ["prodce", "t"],
        ["consume", "t", "--ofset", "1"],
        ["consume", "t", "-x"],
        ["consume", "t", "-o"],
        ["consume"],
        ["consume", "t", "u"],
        ["topic", "create"],
        ["topics", "--json=yes"],
        ["produce", "t", "-z", "gzp"],
        ["--offset", "1", "consume", "t"],
      ]
    ) {
      expect(refusal(...typed).exitCode).toBe(2);
    }
  });

  test("an unknown command, with the nearest", () => {
    expect(refusal("topic", "creat", "x").message).toContain("Did you mean 'topic create'?");
    expect(refusal("prodce", "t").message).toContain("Did you mean 'produce'?");
    expect(refusal("topci", "list").message).toContain("Did you mean 'topic list'?");
    expect(refusal("xyzzy").message).not.toContain("Did you mean");
  });

  test("an incomplete command, with what may follow", () => {
    expect(refusal("topic").message).toContain("list, create");
  });

  test("an unknown flag, with the nearest", () => {
    expect(refusal("consume", "t", "--ofset", "1").hint).toContain("--offset");
    expect(refusal("produce", "t", "--log.dirs", "/x").hint).toContain("-X log.dirs=");
  });

  test("a wrong choice, with the nearest", () => {
    expect(refusal("produce", "t", "-z", "gzp").message).toContain("Did you mean 'gzip'?");
  });

  test("without showing a sentinel", () => {
    for (const typed of [["consume", "t", "u", "v"], ["topic", "create"], ["consume"]]) {
      const { message, hint } = refusal(...typed);
      expect(`${message}${hint}`).not.toContain("\u0001");
    }
    expect(refusal("consume", "t", "u", "v").message).toContain("'u', 'v'");
    expect(refusal("produce").message).toContain("TOPIC");
  });
});

test("normalise() hands cac one element for the command and marked text for the rest", () => {
  const { argv } = normalise(["topic", "create", "1", "-p", "2"], sampleGrammar);
  expect(argv).toEqual(["topic create", "\u00011", "--partitions=\u00012"]);
});
