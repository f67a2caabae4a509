import { describe, expect, test } from "bun:test";
import { toMs } from "../../src/ground/numbers.ts";
import { BrokerContacts } from "../../src/metadata/broker_contacts.ts";

const SESSION_MS = 9000;
const at = toMs;

function fresh(...brokerIds: readonly number[]): BrokerContacts {
  const contacts = new BrokerContacts(SESSION_MS);
  contacts.reset(at(1000), brokerIds, 1);
  return contacts;
}

describe("BrokerContacts", () => {
  test("on new leadership everybody has a whole session", () => {
    const contacts = fresh(2, 3);
    expect(contacts.overdue(at(9999))).toEqual([]);
    expect(contacts.isInContact(2, at(9999))).toBe(true);
    expect(contacts.overdue(at(10_000))).toEqual([2, 3]);
    expect(contacts.isInContact(2, at(10_000))).toBe(false);
    expect(contacts.wakeAt).toBe(at(10_000));
  });

  test("who is heard of begins a new session, and time does not go back", () => {
    const contacts = fresh(2, 3);
    contacts.contact(3, at(5000));
    contacts.contact(3, at(4000));
    expect(contacts.overdue(at(13_999))).toEqual([2]);
    expect(contacts.overdue(at(14_000))).toEqual([2, 3]);
    contacts.forget(2);
    expect(contacts.wakeAt).toBe(at(14_000));
  });

  test("the node itself is always in contact, and needs no watch", () => {
    const contacts = fresh(1);
    expect(contacts.wakeAt).toBeUndefined();
    expect(contacts.overdue(at(1e9))).toEqual([]);
    expect(contacts.isInContact(1, at(1e9))).toBe(true);
    expect(contacts.isInContact(7, at(0))).toBe(false);
  });

  test("the node of an earlier leadership is watched like any other", () => {
    const contacts = fresh(1, 2);
    contacts.reset(at(1000), [1, 2], 2);
    expect(contacts.overdue(at(20_000))).toEqual([1]);
  });

  test("knows whether the others have what a stopping broker waits for", () => {
    const contacts = fresh(2, 3, 4);
    expect(contacts.haveSeen(2, [1, 2, 3])).toBe(true); // no shutdown is under way
    contacts.contact(3, at(2000), 100);
    contacts.shutsDownBy(2, 101);
    contacts.shutsDownBy(2, 500); // later heartbeats do not move it
    expect(contacts.haveSeen(2, [1, 2, 3])).toBe(false);
    contacts.contact(3, at(3000), 101);
    contacts.contact(3, at(3000), 50);
    expect(contacts.haveSeen(2, [1, 2, 3])).toBe(true);
    expect(contacts.haveSeen(2, [1, 2, 3, 4])).toBe(false);
  });

  test("another incarnation begins with nothing of the one before", () => {
    const contacts = fresh(2, 3);
    contacts.contact(3, at(2000), 100);
    contacts.shutsDownBy(2, 90);
    contacts.register(3, at(3000));
    expect(contacts.haveSeen(2, [3])).toBe(false);
    contacts.register(2, at(3000));
    expect(contacts.haveSeen(2, [3])).toBe(true);
  });
});
