/**
 * The records of a turn as their appends laid them out: sizes, how long the properties at their ends are, and how much
 * of these nobody needs to look at. Dispatch
 * goes by these, since parsing the records again cost a batch 7 % of its time.
 */
export class TurnRecords {
  count = 0
  sizes = new Int32Array(1024)
  propertiesLengths = new Int32Array(1024)
  plainTails = new Int32Array(1024)

  add(size: number, propertiesLength: number, plainTail: number): void {
    if (this.count === this.sizes.length) this.grow()
    this.sizes[this.count] = size
    this.plainTails[this.count] = plainTail
    this.propertiesLengths[this.count++] = propertiesLength
  }

  clear(): void {
    this.count = 0
  }

  private grow(): void {
    this.sizes = doubled(this.sizes)
    this.propertiesLengths = doubled(this.propertiesLengths)
    this.plainTails = doubled(this.plainTails)
  }
}

function doubled(values: Int32Array): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(values.length * 2)
  bigger.set(values)
  return bigger
}
