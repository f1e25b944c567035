import type { Disk } from '@skua-mq/runtime'
import type { Layout } from '../file/layout.ts'
import { readDispatchPoints } from './dispatch-point.ts'

/**
 * Whether the machine went down while the store was open, so that its end may be missing what had been written and not synced. After
 * a kill the page cache is still there. A store of RocketMQ's does not say when its machine began: it may be.
 */
export function mayLackPages(disk: Disk, layout: Layout, bootId: string): boolean {
  if (disk.stat(layout.abort) === undefined) return false
  return readDispatchPoints(disk, layout.dispatchPoint)?.bootId !== bootId
}
