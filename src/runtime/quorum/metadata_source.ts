/** Where a node that follows metadata gets it from: any controller. Calls reject where none answers. */
import type { MetadataFetchRequest, MetadataFetchResponse } from "../../api/own/metadata_fetch.ts";
import type { SnapshotFetchRequest, SnapshotFetchResponse } from "../../api/own/snapshot_fetch.ts";

export interface MetadataSource {
  fetch(request: MetadataFetchRequest): Promise<MetadataFetchResponse>;
  fetchSnapshot(request: SnapshotFetchRequest): Promise<SnapshotFetchResponse>;
}
