import { Printer, type PrintOptions } from '../json/print.ts'
import type { Shape } from './shape.ts'

/** Characters of a slice, about: a millisecond or two of work. */
const sliceChars = 64 * 1024

/** What `printJavaJson` prints of a value, some at a time: what its maps and lists hold may change between two slices. */
export function* slicesOf<T>(shape: Shape<T>, value: T, options: PrintOptions): Generator<Buffer> {
  const slicer = new Slicer(options)
  yield* slicer.part(shape as Shape<unknown>, value, 0)
  yield slicer.take()
}

/** Objects, and the maps and lists that are their members, are printed entry by entry. */
class Slicer {
  private text = ''
  private readonly printer: Printer

  constructor(options: PrintOptions) {
    this.printer = new Printer(options)
  }

  *part(shape: Shape<unknown>, value: unknown, depth: number): Generator<Buffer> {
    if (shape.members !== undefined) yield* this.object(shape.members, value as Record<string, unknown>, depth)
    else if (shape.entry !== undefined) yield* this.map(shape, value as Iterable<[unknown, unknown]>, depth)
    else if (shape.item !== undefined) yield* this.list(shape.item, value as Iterable<unknown>, depth)
    else this.text += this.printer.value(shape.write(value), depth)
  }

  take(): Buffer {
    const bytes = Buffer.from(this.text)
    this.text = ''
    return bytes
  }

  private *object(
    members: NonNullable<Shape<unknown>['members']>,
    value: Record<string, unknown>,
    depth: number,
  ): Generator<Buffer> {
    let before = '{'
    for (const [name, member] of members) {
      const given = value[name]
      if (given === undefined || given === null) continue
      this.text += `${before}${this.line(depth + 1)}${this.printer.text(name)}:`
      before = ','
      yield* this.part(member, given, depth + 1)
    }
    this.end(before, '{}', depth)
  }

  private *map({ entry, key: keys }: Shape<unknown>, value: Iterable<[unknown, unknown]>, depth: number) {
    const { printer } = this
    let before = '{'
    for (const [key, member] of value) {
      if (member === undefined || member === null) continue
      const name = keys === undefined ? key : keys.write(key)
      // As the printer: a new line before texts only.
      const line = typeof name === 'string' ? this.line(depth + 1) : ''
      const printed = printer.value((entry as Shape<unknown>).write(member), depth + 1)
      this.text += `${before}${line}${printer.key(name, depth)}:${printed}`
      before = ','
      if (this.text.length >= sliceChars) yield this.take()
    }
    this.end(before, '{}', depth)
  }

  private *list(item: Shape<unknown>, value: Iterable<unknown>, depth: number) {
    let before = '['
    for (const one of value) {
      this.text += `${before}${this.line(depth + 1)}${this.printer.value(item.write(one), depth + 1)}`
      before = ','
      if (this.text.length >= sliceChars) yield this.take()
    }
    this.end(before, '[]', depth)
  }

  /** Nothing was printed where no comma would come next. */
  private end(before: string, braces: '{}' | '[]', depth: number): void {
    this.text += before === ',' ? `${this.line(depth)}${braces[1]}` : braces
  }

  private line(depth: number): string {
    return this.printer.pretty ? `\n${'\t'.repeat(depth)}` : ''
  }
}
