import type { PutSlot } from './put-slot.ts'

/** First in, first out, over one growing array: no allocation per entry. */
export class SlotList {
  private slots: (PutSlot | undefined)[] = []
  private head = 0

  get length(): number {
    return this.slots.length - this.head
  }

  push(slot: PutSlot): void {
    this.slots.push(slot)
  }

  peek(): PutSlot | undefined {
    return this.slots[this.head]
  }

  shift(): PutSlot | undefined {
    const slot = this.slots[this.head]
    if (slot === undefined) return undefined
    this.slots[this.head++] = undefined
    if (this.head === this.slots.length) {
      this.slots.length = 0
      this.head = 0
    } else if (this.head > 4096 && this.head * 2 > this.slots.length) {
      this.slots.copyWithin(0, this.head)
      this.slots.length -= this.head
      this.head = 0
    }
    return slot
  }
}
