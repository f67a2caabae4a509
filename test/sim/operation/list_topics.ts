/** Lists all topics: those that were created are there with all partitions, those deleted are not. */
import { type Operation, throwUnlessStale } from "./operation.ts";

export const listTopics: Operation = {
  name: "list-topics",
  async run(context): Promise<void> {
    const { client, shadow } = context;
    const there = shadow.there();
    const absent = [...shadow.topics.values()].filter(({ existence }) => existence === "absent");
    const listed = new Map((await client.admin.listTopics()).map((topic) => [topic.name, topic]));
    for (const { name, existence, partitions } of there) {
      if (existence !== "there") continue; // somebody deletes it meanwhile
      const found = listed.get(name);
      if (found === undefined) throwUnlessStale(context, "topics stay", `${name} is not listed`);
      if (found.partitions.length !== partitions.length) {
        throwUnlessStale(
          context,
          "topics stay",
          `${name} has ${found.partitions.length} partitions`,
        );
      }
    }
    for (const { name } of absent) {
      if (listed.has(name)) {
        throwUnlessStale(context, "deleted topics are gone", `${name} is listed`);
      }
    }
  },
};
