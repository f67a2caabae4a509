/** A call to a peer that has no answer. */
import { PeerFault } from "../../env/network.ts";

/**
 * `wasSent`: the request may have been carried out. Where it is false nothing of it has left, and it
 * may be asked elsewhere without a doubt.
 */
export class CallFault extends PeerFault {
  readonly wasSent: boolean;

  constructor(kind: PeerFault["kind"], message: string, wasSent: boolean) {
    super(kind, message);
    this.wasSent = wasSent;
  }
}
