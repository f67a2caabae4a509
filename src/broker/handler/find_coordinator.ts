/** FindCoordinator: there are no groups and no transactions yet, and a client may ask again. */
import { ErrorCode } from "../../api/error_code.ts";
import { findCoordinator } from "../../api/find_coordinator.ts";
import { type Answer, defineHandler } from "../handler.ts";

const NOWHERE = { nodeId: -1, host: "", port: -1 };
const errorCode = ErrorCode.CoordinatorNotAvailable;
const errorMessage = "The coordinator is not available.";

export const findCoordinatorHandler = defineHandler({
  api: findCoordinator,
  handle(_broker, request): Answer<typeof findCoordinator> {
    return {
      errorCode,
      errorMessage,
      ...NOWHERE,
      coordinators: request.coordinatorKeys.map((key) => ({
        key,
        ...NOWHERE,
        errorCode,
        errorMessage,
      })),
    };
  },
});
