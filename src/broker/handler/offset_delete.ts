/** OffsetDelete: committed offsets of topics that no member of the group is subscribed to are removed. */
import { ErrorCode } from "../../api/error_code.ts";
import { offsetDelete } from "../../api/offset_delete.ts";
import { splitKnown, withRefused } from "../committed_topics.ts";
import { callerOf } from "../group_call.ts";
import { type Answer, defineHandler } from "../handler.ts";

export const offsetDeleteHandler = defineHandler({
  api: offsetDelete,
  async handle(broker, body, call): Promise<Answer<typeof offsetDelete>> {
    if (body.groupId === "") return { errorCode: ErrorCode.InvalidGroupId, topics: [] };
    const { known, refused } = splitKnown(broker.image, body.topics);
    const answer = await broker.groups.ask({
      kind: "OffsetDelete",
      body: { ...body, topics: known },
      caller: callerOf(call),
    });
    if (answer.errorCode !== ErrorCode.None || refused.length === 0) return answer;
    return { ...answer, topics: withRefused(refused, answer.topics) };
  },
});
