/** A vote, a candidacy or an acknowledgement leaves when what it promises is on the disk (Raft §5.1, §5.3). */
import type { AppendReply } from "../../../../src/raft/message.ts";
import type { SimNode } from "../sim_node.ts";
import type { Invariant, Verdict } from "./invariant.ts";

export function replyIsDurable(): Invariant {
  return {
    name: "reply is durable",
    isObservable: false,
    onSend(node, message): Verdict {
      switch (message.kind) {
        case "VoteReply":
          return message.isGranted ? voted(node, message.term, message.to.id) : undefined;
        case "VoteRequest":
          return voted(node, message.term, node.id);
        case "AppendReply":
          return message.isAccepted ? acknowledged(node, message) : undefined;
        default:
          return undefined;
      }
    },
  };
}

function voted({ id, disk }: SimNode, term: number, candidate: number): Verdict {
  const { hardState } = disk;
  if (term < hardState.term) return undefined; // a promise of the past is kept by the newer term
  return hardState.term === term && hardState.votedFor?.id === candidate
    ? undefined
    : `node ${id} votes for ${candidate} in term ${term}: its disk says ${hardState.term}`;
}

function acknowledged(node: SimNode, { term, matchOffset }: AppendReply): Verdict {
  const { hardState, log } = node.disk;
  if (hardState.term < term) {
    return `node ${node.id} accepts in term ${term}: its disk says ${hardState.term}`;
  }
  return node.term !== term || log.endOffset >= matchOffset
    ? undefined
    : `node ${node.id} acknowledges ${matchOffset}: its disk ends at ${log.endOffset}`;
}
