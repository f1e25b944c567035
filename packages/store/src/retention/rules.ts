import { type DiskSpace, usedShare } from '@skua-mq/runtime'
import type { StoreConfig } from '../config.ts'

/** What retention looks at of a segment. */
export interface SegmentAge {
  readonly lastWriteMs: number
}

export interface ExpiryRule {
  readonly nowMs: number
  readonly reservedMs: number
  /** The disk is short: age does not count. */
  readonly force: boolean
}

/** As RocketMQ: that many segments at most per round. */
export const segmentsPerRound = 10

/** How many of the oldest sealed segments may go: the first young one ends it, since the log has no gaps. */
export function expiredSegments(sealed: readonly SegmentAge[], rule: ExpiryRule): number {
  const young = sealed.findIndex(({ lastWriteMs }) => !rule.force && rule.nowMs - lastWriteMs < rule.reservedMs)
  return Math.min(segmentsPerRound, young === -1 ? sealed.length : young)
}

/** Whether the local hour is one of `deleteWhen`, e.g. `04` or `02;14`. */
export function isDeletionHour(deleteWhen: string, nowMs: number): boolean {
  const hour = new Date(nowMs).getHours()
  return deleteWhen.split(';').some(text => text.trim() !== '' && Number(text) === hour)
}

/** Used share of the disk in percent, rounded up, as RocketMQ does. */
export function usedPercent(space: DiskSpace): number {
  return Math.ceil(100 * usedShare(space))
}

type Ratios = Pick<
  StoreConfig,
  'diskMaxUsedSpaceRatio' | 'diskSpaceCleanForciblyRatio' | 'diskSpaceWarningLevelRatio' | 'cleanFileForciblyEnable'
>

export interface DiskVerdict {
  /** Expired segments go now, whatever the hour. */
  readonly clean: boolean
  /** Segments go whatever their age. */
  readonly force: boolean
  /** Messages are refused; the text says why. */
  readonly full: string | undefined
}

export function diskVerdict(used: number, ratios: Ratios): DiskVerdict {
  const warning = ratios.diskSpaceWarningLevelRatio
  return {
    clean: used > Math.min(95, Math.max(10, ratios.diskMaxUsedSpaceRatio)),
    force: ratios.cleanFileForciblyEnable && used > ratios.diskSpaceCleanForciblyRatio,
    full: used > warning ? `the disk is ${used} % used; diskSpaceWarningLevelRatio is ${warning} %` : undefined,
  }
}
