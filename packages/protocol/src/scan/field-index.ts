import { AclField } from '../signed-text.ts'

/** What a signature is over although no handler reads it: credentials, and names that only some senders give. */
const beside = [AclField.accessKey, AclField.signature, AclField.securityToken, 'OnsChannel', 'bname', 'n']

/**
 * Finds which field of a request a key in the read buffer is, without making a string of it: candidates by length,
 * then a compare of bytes. Built from the declarative table, so that there is no second list of names.
 */
export class FieldIndex {
  /** For keys of one byte (the V2 names): slot by byte, -1 for none. */
  private readonly single = new Int8Array(256).fill(-1)
  private readonly byLength: ({ name: Uint8Array; slot: number }[] | undefined)[] = []
  readonly size: number
  /** Slots of all fields but the signature, in the order of their names: what a signature is over. */
  readonly signed: readonly number[]
  private readonly slots = new Map<string, number>()

  /** `names[i]` is the wire name of slot i. */
  constructor(names: readonly string[]) {
    const all = [...new Set([...names, ...beside])]
    this.size = all.length
    const signed = all.filter(name => name !== AclField.signature).sort()
    this.signed = signed.map(name => all.indexOf(name))
    all.forEach((text, slot) => {
      this.slots.set(text, slot)
      const name = Buffer.from(text)
      if (name.length === 1) this.single[name[0] as number] = slot
      else {
        const list = this.byLength[name.length] ?? []
        list.push({ name, slot })
        this.byLength[name.length] = list
      }
    })
  }

  /** -1 where this request has no such field. */
  slotNamed(name: string): number {
    return this.slots.get(name) ?? -1
  }

  slotOf(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length === 1) return this.single[bytes[start] as number] as number
    const candidates = this.byLength[length]
    if (candidates === undefined) return -1
    for (let c = 0; c < candidates.length; c++) {
      const { name, slot } = candidates[c] as { name: Uint8Array; slot: number }
      let i = 0
      while (i < length && bytes[start + i] === name[i]) i++
      if (i === length) return slot
    }
    return -1
  }
}
