/**
 * ListGroups with 90,000 states in its filter was read anew by each of fifty shards, which took three
 * seconds in which nobody else was served.
 */
import { describe, expect, test } from "bun:test";
import type { BrokerContext, Call } from "../../src/broker/broker_context.ts";
import { listGroupsHandler } from "../../src/broker/handler/list_groups.ts";

interface Filter {
  readonly statesFilter: readonly string[];
  readonly typesFilter: readonly string[];
}

/** What goes to the shards. */
async function handedOn(filter: Filter): Promise<Filter | undefined> {
  let seen: Filter | undefined;
  const groups = {
    listGroups: (given: Filter) => {
      seen = given;
      return Promise.resolve([]);
    },
  };
  const request = filter as never; // a handler's type says no more than that it is a request
  await listGroupsHandler.handle({ groups } as unknown as BrokerContext, request, {} as Call);
  return seen;
}

describe("a filter of ListGroups", () => {
  const nonsense = Array.from({ length: 90_000 }, (_, at) => `state ${at}`);

  test("goes on as the names that mean something, once each", async () => {
    const states = [...nonsense, "Stable", "STABLE", "Empty"];
    expect(await handedOn({ statesFilter: states, typesFilter: ["Consumer", "share"] }))
      .toEqual({ statesFilter: ["stable", "empty"], typesFilter: ["consumer"] });
  });

  test("of nothing but nonsense still lets nothing through", async () => {
    expect(await handedOn({ statesFilter: nonsense, typesFilter: ["share"] }))
      .toEqual({ statesFilter: ["state 0"], typesFilter: ["share"] });
  });

  test("that is empty lets everything through", async () => {
    const nothing = { statesFilter: [], typesFilter: [] };
    expect(await handedOn(nothing)).toEqual(nothing);
  });
});
