/** A follower takes entries only from the leader of its own term, and tells only that one so (Raft §5.1). */
import type { Invariant, Verdict } from "./invariant.ts";

export function leaderIsObeyed(): Invariant {
  const leaders = new Map<number, number>();
  return {
    name: "only the leader is obeyed",
    isObservable: false,
    onLead(node): Verdict {
      leaders.set(node.soft.term, node.id);
      return undefined;
    },
    onSend(node, message): Verdict {
      if (message.kind !== "AppendReply" || !message.isAccepted) return undefined;
      const leader = leaders.get(message.term);
      return leader === message.to.id
        ? undefined
        : `node ${node.id} follows ${message.to.id} in term ${message.term}: ${leader} leads it`;
    },
  };
}
