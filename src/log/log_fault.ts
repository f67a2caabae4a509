/** A log whose bytes are not what they were: its partition cannot be served from here. */
export class LogFault extends Error {
  override readonly name = "LogFault";
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}
