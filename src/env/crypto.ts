/** Entropy for identities and secrets; never from `Random`. */
export interface Crypto {
  randomBytes(count: number): Uint8Array;
}
