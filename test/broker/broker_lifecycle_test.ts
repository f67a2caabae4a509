import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import type { BrokerFault } from "../../src/broker/broker_fault.ts";
import {
  BrokerLifecycle,
  type HeartbeatAnswer,
  type HeartbeatQuestion,
  type LifecycleCalls,
  type RegistrationAnswer,
} from "../../src/broker/broker_lifecycle.ts";
import { Prng } from "../../src/ground/prng.ts";
import { ManualClock } from "../client/manual_clock.ts";

/** An active controller that answers as it is told; every call is written down with its time. */
class FakeController implements LifecycleCalls {
  readonly calls: string[] = [];
  isHere = false;
  isSilent = false;
  registration: RegistrationAnswer = {
    errorCode: ErrorCode.None,
    errorMessage: null,
    brokerEpoch: 7,
  };
  beat: HeartbeatAnswer = { errorCode: ErrorCode.None, isFenced: false, shouldShutDown: false };
  readonly #clock: ManualClock;
  readonly #startMs: number;

  constructor(clock: ManualClock) {
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
  }

  register(): Promise<RegistrationAnswer> {
    return this.#answer("register", this.registration);
  }

  heartbeat(
    { brokerEpoch, wantFence, wantShutDown }: HeartbeatQuestion,
  ): Promise<HeartbeatAnswer> {
    const what = wantShutDown ? "leave" : wantFence ? "prepare" : "beat";
    const isFenced = wantFence || this.beat.isFenced;
    return this.#answer(`${what} ${brokerEpoch}`, { ...this.beat, isFenced });
  }

  isLeaderHere(): boolean {
    return this.isHere;
  }

  async #answer<T>(call: string, answer: T): Promise<T> {
    this.calls.push(`${Math.round(this.#clock.monotonicMs() - this.#startMs)} ${call}`);
    await Promise.resolve();
    if (this.isSilent) throw new Error("it did not answer");
    return answer;
  }

  take(): readonly string[] {
    return this.calls.splice(0);
  }
}

interface World {
  readonly clock: ManualClock;
  readonly controller: FakeController;
  readonly lifecycle: BrokerLifecycle;
  readonly faults: BrokerFault[];
  readonly events: string[];
}

function world(): World {
  const clock = new ManualClock();
  const controller = new FakeController(clock);
  const faults: BrokerFault[] = [];
  const events: string[] = [];
  const lifecycle = new BrokerLifecycle({
    nodeId: 3,
    clock,
    random: new Prng(1),
    trace: { event: (level, message) => void events.push(`${level} ${message}`) },
    calls: controller,
    heartbeatMs: 2000,
    sessionMs: 9000,
    onFailed: (fault) => void faults.push(fault),
  });
  return { clock, controller, lifecycle, faults, events };
}

/** As a broker that has nothing to open. */
function started({ lifecycle }: World): Promise<void> {
  const registered = lifecycle.start();
  return Promise.all([registered, lifecycle.serve()]).then(() => undefined);
}

describe("BrokerLifecycle", () => {
  test("wants to be fenced while its partitions are being opened", async () => {
    const { clock, controller, lifecycle } = world();
    await clock.until(lifecycle.start());
    await clock.advance(700);
    expect(lifecycle.state).toBe("fenced");
    await clock.until(lifecycle.serve());
    expect(lifecycle.state).toBe("serving");
    const calls = ["0 register", "0 prepare 7", "500 prepare 7", "700 beat 7"];
    expect(controller.take()).toEqual(calls);
  });

  test("registers, asks to be unfenced at once, then beats every interval", async () => {
    const one = world();
    const { clock, controller, lifecycle } = one;
    await clock.until(started(one));
    expect(lifecycle.state).toBe("serving");
    expect(lifecycle.brokerEpoch).toBe(7);
    await clock.advance(5000);
    expect(controller.take()).toEqual(["0 register", "0 beat 7", "2000 beat 7", "4000 beat 7"]);
  });

  test("a fenced broker asks twice a second", async () => {
    const one = world();
    const { clock, controller, lifecycle } = one;
    controller.beat = { ...controller.beat, isFenced: true };
    const beginning = started(one);
    await clock.advance(1100);
    expect(lifecycle.state).toBe("fenced");
    expect(controller.take()).toEqual(["0 register", "0 beat 7", "500 beat 7", "1000 beat 7"]);
    controller.beat = { ...controller.beat, isFenced: false };
    await clock.until(beginning);
    expect(lifecycle.state).toBe("serving");
  });

  test("sends nothing where this node leads, and beats at once when another one does", async () => {
    const one = world();
    const { clock, controller, lifecycle } = one;
    controller.isHere = true;
    await clock.until(started(one));
    controller.take();
    await clock.advance(60_000);
    expect(controller.take()).toEqual([]);
    controller.isHere = false;
    lifecycle.onLeaderChange();
    await clock.advance(2500);
    expect(controller.take()).toEqual(["60000 beat 7", "62000 beat 7"]);
  });

  test("tries again, slower and slower, while nobody answers, and tells of it once", async () => {
    const one = world();
    const { clock, controller, lifecycle, events } = one;
    controller.isSilent = true;
    const beginning = started(one);
    await clock.advance(10_000);
    const tries = controller.take();
    expect(tries.length).toBeGreaterThan(10);
    expect(tries.length).toBeLessThan(40);
    expect(events).toEqual(["warn the active controller does not answer"]);
    controller.isSilent = false;
    await clock.until(beginning);
    expect(lifecycle.state).toBe("serving");
  });

  test("waits for a former incarnation to be forgotten", async () => {
    const one = world();
    const { clock, controller, lifecycle, faults } = one;
    const granted = controller.registration;
    const errorCode = ErrorCode.DuplicateBrokerRegistration;
    controller.registration = { errorCode, errorMessage: "alive", brokerEpoch: -1 };
    const beginning = started(one);
    await clock.advance(9000);
    controller.registration = granted;
    await clock.until(beginning);
    expect(lifecycle.state).toBe("serving");
    expect(faults).toEqual([]);
  });

  test("gives up where another node has its id for good", async () => {
    const one = world();
    const { clock, controller, lifecycle, faults } = one;
    const errorCode = ErrorCode.DuplicateBrokerRegistration;
    controller.registration = { errorCode, errorMessage: "alive", brokerEpoch: -1 };
    await clock.until(started(one));
    expect(faults[0]?.code).toBe("IN_USE");
    expect(faults[0]?.message).toMatch("node 3");
    expect(lifecycle.state).toBe("gone");
  });

  test("does not take turns with one who registered after it", async () => {
    const one = world();
    const { clock, controller, faults } = one;
    await clock.until(started(one));
    controller.beat = { ...controller.beat, errorCode: ErrorCode.StaleBrokerEpoch };
    await clock.advance(10_000);
    expect(faults.map(({ code }) => code)).toEqual(["IN_USE"]);
    expect(controller.take()).toEqual(["0 register", "0 beat 7", "2000 beat 7"]);
  });

  test("another cluster is final", async () => {
    const one = world();
    const { clock, controller, faults } = one;
    const errorCode = ErrorCode.InconsistentClusterId;
    controller.registration = { errorCode, errorMessage: "another cluster", brokerEpoch: -1 };
    await clock.until(started(one));
    expect(faults[0]?.code).toBe("WRONG_CLUSTER");
  });

  test("registers anew where it was unregistered while it lives", async () => {
    const one = world();
    const { clock, controller, lifecycle } = one;
    await clock.until(started(one));
    controller.take();
    controller.registration = { ...controller.registration, brokerEpoch: 12 };
    controller.beat = { ...controller.beat, errorCode: ErrorCode.BrokerIdNotRegistered };
    await clock.advance(2000);
    controller.beat = { ...controller.beat, errorCode: ErrorCode.None };
    await clock.advance(1000);
    expect(controller.take().slice(0, 2)).toEqual(["2000 beat 7", "2000 register"]);
    expect(lifecycle.brokerEpoch).toBe(12);
  });

  test("leave() asks until it may go", async () => {
    const one = world();
    const { clock, controller, lifecycle } = one;
    await clock.until(started(one));
    controller.take();
    const left = lifecycle.leave(5000);
    await clock.advance(50);
    controller.beat = { ...controller.beat, shouldShutDown: true };
    await clock.until(left);
    expect(controller.take().slice(0, 3)).toEqual(["0 leave 7", "20 leave 7", "40 leave 7"]);
    expect(clock.monotonicMs()).toBeLessThan(1500);
  });

  test("leave() does not wait for its time where nobody answers", async () => {
    const one = world();
    const { clock, controller, lifecycle } = one;
    await clock.until(started(one));
    controller.isSilent = true;
    const startMs = clock.monotonicMs();
    await clock.until(lifecycle.leave(5000));
    expect(Math.round(clock.monotonicMs() - startMs)).toBe(1500);
  });
});
