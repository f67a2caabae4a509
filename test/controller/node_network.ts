/** The network as one node of a test sees it: what it has open can be cut, and nothing opened anew. */
import {
  type Address,
  type DialOptions,
  type Listener,
  type Network,
  PeerFault,
  type Stream,
} from "../../src/env/network.ts";
import type { MemoryNetwork } from "../client/memory_network.ts";

export class NodeNetwork implements Network {
  readonly streamsMax = Infinity;
  readonly #shared: MemoryNetwork;
  readonly #streams = new Set<Stream>();
  readonly #listeners = new Set<Listener>();
  #isCut = false;

  constructor(shared: MemoryNetwork) {
    this.#shared = shared;
  }

  async listen(address: Address, onStream: (stream: Stream) => void): Promise<Listener> {
    const listener = await this.#shared.listen(address, (stream) => {
      if (this.#isCut) stream.destroy();
      else onStream(this.#kept(stream));
    });
    this.#listeners.add(listener);
    return listener;
  }

  async dial(address: Address, options: DialOptions = {}): Promise<Stream> {
    if (this.#isCut) throw new PeerFault("timeout", `${address.host}:${address.port}: cut off`);
    return this.#kept(await this.#shared.dial(address, options));
  }

  /** Ends what is open, in both directions, and lets nothing be opened until `heal`. */
  cut(): void {
    this.#isCut = true;
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  heal(): void {
    this.#isCut = false;
  }

  /** What the system does where a process has ended. */
  end(): void {
    this.cut();
    for (const listener of this.#listeners) void listener.close();
  }

  #kept(stream: Stream): Stream {
    this.#streams.add(stream);
    return stream;
  }
}
