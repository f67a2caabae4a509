/**
 * Looks at what brokers tell clients of leaders: nobody is sent to a broker of which the one that answers
 * knows that it is fenced, and nobody's records are taken by a broker that knows that it does not lead.
 */
import type { BrokerContext } from "../../src/broker/broker_context.ts";
import type { Handler } from "../../src/broker/handler.ts";
import { HANDLERS } from "../../src/broker/handlers.ts";

type OnBroken = (what: string, message: string) => void;
type Handle = (broker: BrokerContext, request: unknown, call: unknown) => unknown;

interface Told {
  readonly topics?: readonly {
    readonly name: string | null;
    readonly partitions: readonly { readonly partitionIndex: number; readonly leaderId: number }[];
  }[];
}

interface Produced {
  readonly responses?: readonly {
    readonly name: string;
    readonly partitionResponses: readonly { readonly index: number; readonly errorCode: number }[];
  }[];
}

/** Until the function that it gives back is called. */
export function watchAnswers(onBroken: OnBroken): () => void {
  const undo = [
    watch("Metadata", (broker, answer: Told) => {
      for (const { name, partitions } of answer.topics ?? []) {
        for (const { partitionIndex, leaderId } of partitions) {
          if (leaderId < 0 || broker.image.broker(leaderId)?.isFenced === false) continue;
          onBroken(
            "no client is sent to a fenced broker",
            `broker ${broker.brokerId} tells that ${leaderId} leads ${name}-${partitionIndex}`,
          );
        }
      }
    }),
    watchProduce(onBroken),
  ];
  return () => {
    for (const restore of undo) restore();
  };
}

function handlerOf(name: string): Handler {
  return HANDLERS.find(({ api }) => api.name === name) as Handler;
}

function watch<Answer>(
  name: string,
  look: (broker: BrokerContext, answer: Answer) => void,
): () => void {
  const handler = handlerOf(name) as unknown as { handle: Handle };
  const { handle } = handler;
  handler.handle = (broker, request, call) => {
    const answer = handle(broker, request, call);
    if (answer instanceof Promise) {
      // In the turn in which it is made: a turn later the broker may know more.
      return answer.then((given) => given);
    }
    if (typeof answer === "object" && answer !== null) look(broker, answer as Answer);
    return answer;
  };
  return () => Object.assign(handler, { handle });
}

/** What the broker knew when the request came: later it may have waited for a sync. */
function watchProduce(onBroken: OnBroken): () => void {
  const handler = handlerOf("Produce") as unknown as { handle: Handle };
  const { handle } = handler;
  handler.handle = (broker, request, call) => {
    const { topicData } = request as {
      readonly topicData: readonly {
        readonly name: string;
        readonly partitionData: readonly { readonly index: number }[];
      }[];
    };
    const leaders = new Map<string, number | undefined>();
    for (const { name, partitionData } of topicData) {
      for (const { index } of partitionData) {
        leaders.set(`${name}-${index}`, broker.image.topic(name)?.partitions[index]?.leader);
      }
    }
    const isFenced = broker.image.broker(broker.brokerId)?.isFenced !== false;
    const look = (answer: unknown): void => {
      for (const { name, partitionResponses } of (answer as Produced).responses ?? []) {
        for (const { index, errorCode } of partitionResponses) {
          const leader = leaders.get(`${name}-${index}`);
          if (errorCode !== 0 || (leader === broker.brokerId && !isFenced)) continue;
          onBroken(
            "only a leader takes records",
            `broker ${broker.brokerId} took records of ${name}-${index}, which ${leader} leads` +
              (isFenced ? ", and is fenced" : ""),
          );
        }
      }
    };
    const answer = handle(broker, request, call);
    if (!(answer instanceof Promise)) {
      if (typeof answer === "object" && answer !== null) look(answer);
      return answer;
    }
    return answer.then((given) => {
      if (typeof given === "object" && given !== null) look(given);
      return given;
    });
  };
  return () => Object.assign(handler, { handle });
}
