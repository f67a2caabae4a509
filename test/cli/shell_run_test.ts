/** A real shell: what a command of it is given, and what is heard of it. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "bun:test";
import { processIo } from "../../cli/io.ts";
import type { ShellEnd } from "../../cli/shell_run.ts";
import { RecordCommand } from "../../cli/record_command.ts";
import { until } from "../harness/until.ts";

interface Heard {
  readonly end: ShellEnd;
  readonly output: string;
  readonly errors: string;
}

async function shell(command: string, input = ""): Promise<Heard> {
  const decoder = new TextDecoder();
  let output = "";
  let errors = "";
  const { ended } = processIo().runShell({
    command,
    environment: { MQ_TOPIC: "t" },
    input: new TextEncoder().encode(input),
    onOutput: (bytes) => void (output += decoder.decode(bytes)),
    onError: (bytes) => void (errors += decoder.decode(bytes)),
  });
  return { end: await ended, output, errors };
}

/** Whoever takes over orphans may be slow to bury one. */
function hasEnded(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

describe("runShell()", () => {
  test("gives stdin and variables, and hears both streams and the exit code", async () => {
    expect(await shell('cat; echo "$MQ_TOPIC"; echo no >&2; exit 5', "in\n")).toEqual({
      end: { code: 5, signal: null },
      output: "in\nt\n",
      errors: "no\n",
    });
  });

  test("a command need not read its input, and may be ended by a signal", async () => {
    const large = "x".repeat(1_000_000);
    expect((await shell("exit 0", large)).end).toEqual({ code: 0, signal: null });
    expect((await shell("kill -TERM $$")).end).toEqual({ code: null, signal: "SIGTERM" });
  });

  test("stop() ends what the shell has started too, and does not wait for who holds its pipes", async () => {
    let pid = 0;
    const said = Promise.withResolvers<void>();
    const { ended, stop } = processIo().runShell({
      command: "sleep 77 & echo $!; wait",
      environment: {},
      input: new Uint8Array(0),
      onOutput: (bytes) => {
        pid = Number(new TextDecoder().decode(bytes));
        said.resolve();
      },
      onError: () => undefined,
    });
    await said.promise;
    stop();
    expect((await ended).signal).toBe("SIGTERM");
    await until("what it has started has ended", () => hasEnded(pid));
  });

  test("all output is heard, and a listener that fails ends the command", async () => {
    expect((await shell("seq 100000")).output).toHaveLength(588_895);
    const { ended } = processIo().runShell({
      command: "yes",
      environment: {},
      input: new Uint8Array(0),
      onOutput: () => Promise.reject(new Error("enough")),
      onError: () => undefined,
    });
    await expect(ended).rejects.toThrow("enough");
  });
});

describe("RecordCommand", () => {
  const record = {
    ...{ topic: "t", partition: 3, offset: 9, timestamp: 5 },
    ...{ key: Uint8Array.of(0xff), value: null, headers: [] },
  };

  async function run(
    command: string,
    key = record.key,
  ): Promise<{ error: string; output: string }> {
    let output = "";
    const made = new RecordCommand({
      io: { ...processIo(), stderr: { isTerminal: false, write: () => undefined } },
      command,
      onOutput: (bytes) => void (output += new TextDecoder().decode(bytes)),
    });
    return { error: (await made.run({ ...record, key }, 2)).error, output };
  }

  test("says how it ended, with the last line of stderr", async () => {
    expect((await run("echo one >&2; echo two >&2; echo >&2; exit 7")).error).toBe("exit 7: two");
    expect((await run("exit 7")).error).toBe("exit 7");
    expect((await run("kill -KILL $$")).error).toBe("signal SIGKILL");
    expect((await run("true")).error).toBe("");
    const long = await run("seq 100000 >&2; head -c 9000 /dev/zero | tr '\\0' x >&2; exit 1");
    expect(long.error).toHaveLength("exit 1: ".length + 500);
  });

  test("gives a key that is no text in base64, and none that no variable can hold", async () => {
    const shown =
      'echo "${MQ_KEY-none} ${MQ_KEY_BASE64-none} $MQ_PARTITION@$MQ_OFFSET $MQ_ATTEMPT"';
    expect((await run(shown)).output).toBe("none /w== 3@9 2\n");
    expect((await run(shown, new Uint8Array(200_000).fill(97))).output).toBe("none none 3@9 2\n");
  });
});
