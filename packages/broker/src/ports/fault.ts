// Our world failed: a disk, an engine. No bug and nobody's mistake on the wire; whoever depended on it is told no more than that.

export class Fault extends Error {
  override readonly name = 'Fault';
}
