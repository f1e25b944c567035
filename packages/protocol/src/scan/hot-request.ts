import type { Command } from '../command.ts'
import type { FieldIndex } from './field-index.ts'
import type { HeaderScan } from './header-scan.ts'
import type { RequestHead } from './view.ts'

/**
 * A request that is so frequent that it is read where it stands, into a view that is reused: valid until its handler
 * returns. The generic way fills the same view, for headers that the scanner leaves alone.
 */
export interface HotRequest<View extends RequestHead> {
  /** The fields of its header for each of its codes. */
  readonly fields: ReadonlyMap<number, FieldIndex>
  readonly view: new () => View
  /** Throws HeaderError, as the table would. */
  fill(view: View, scan: HeaderScan, form: 0 | 1): void
  /** Throws HeaderError. */
  fillFromCommand(view: View, command: Command): void
}
