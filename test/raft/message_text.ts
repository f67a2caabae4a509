/**
 * A message in one line, for the traces of the scenario scripts.
 */
import type { AppendReply, AppendRequest, Message } from "../../src/raft/message.ts";

export function messageText(message: Message): string {
  const head = `${message.from.id}->${message.to.id} ${message.kind} term=${message.term}`;
  return `${head} ${detailOf(message)}`.trimEnd();
}

function detailOf(message: Message): string {
  switch (message.kind) {
    case "PreVoteRequest":
      return `last=${message.lastOffset}/${message.lastTerm}`;
    case "VoteRequest":
      return `last=${message.lastOffset}/${message.lastTerm}${
        message.isTransfer ? " transfer" : ""
      }`;
    case "PreVoteReply":
    case "VoteReply":
      return message.isGranted ? "granted" : "refused";
    case "AppendRequest":
      return appendText(message);
    case "AppendReply":
      return replyText(message);
    case "SnapshotOffer":
      return `snapshot=${message.snapshot.offset}/${message.snapshot.term}`;
    case "TimeoutNow":
      return "";
  }
}

function appendText(request: AppendRequest): string {
  const entries = request.entries.map((entry) => `${entry.baseOffset}/${entry.term}`);
  const what = entries.length === 0 ? "" : ` entries=[${entries.join(" ")}]`;
  return `prev=${request.prevOffset}/${request.prevTerm}${what} commit=${request.commitOffset}` +
    readText(request.readSequence);
}

function replyText(reply: AppendReply): string {
  if (reply.isAccepted) return `match=${reply.matchOffset}${readText(reply.readSequence)}`;
  const { hint } = reply;
  const hinted = hint === undefined ? "" : ` hint=${hint.offset}/${hint.term}`;
  return `refused${hinted}${readText(reply.readSequence)}`;
}

function readText(readSequence: number): string {
  return readSequence === 0 ? "" : ` read=${readSequence}`;
}
