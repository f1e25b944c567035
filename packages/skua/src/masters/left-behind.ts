import type { Disk } from '@skua-mq/runtime'
import { type FamilyConfig, type FamilyMember, mastersDirectory, memberAt } from './family.ts'
import { hasLeft } from './own-settings.ts'

/** Bytes at the beginning of a record: its size is not 0. */
const sizeBytes = 4

/** Brokers that the family had once and has no more, whose messages nobody would serve. */
export function leftBehind(disk: Disk, first: FamilyConfig, count: number): FamilyMember[] {
  return disk
    .list(`${first.storePathRootDir}/${mastersDirectory}`)
    .filter(name => /^[1-9]\d*$/.test(name) && Number(name) >= count)
    .map(name => memberAt(first, Number(name)))
    .filter(member => !hasLeft(disk, member.storePathRootDir) && hasMessages(disk, member))
    .sort((a, b) => a.index - b.index)
}

/** What its owner has to do with them. */
export function leftBehindRemark(members: readonly FamilyMember[], count: number): string {
  const [first] = members
  const named = members.map(({ brokerName, storePathRootDir }) => `${brokerName} (${storePathRootDir})`).join(', ')
  const before = members.at(-1)!.index + 1
  return `masters=${count}: nobody would serve the messages of ${named}; start with --masters ${before} and let it leave with skua broker drain ${first!.brokerName}, or move that directory away`
}

/** Whether a log holds anything. A log that begins behind its first file had messages that are deleted, and goes on with an empty file. */
function hasMessages(disk: Disk, { storePathRootDir, storePathCommitLog }: FamilyMember): boolean {
  const directory = storePathCommitLog === '' ? `${storePathRootDir}/commitlog` : storePathCommitLog
  return disk
    .list(directory)
    .filter(name => /^\d{20}$/.test(name))
    .some(name => hasRecord(disk, `${directory}/${name}`))
}

function hasRecord(disk: Disk, path: string): boolean {
  const file = disk.open(path, 'read')
  try {
    const bytes = new Uint8Array(sizeBytes)
    return file.readSync(bytes, 0, sizeBytes, 0) > 0 && bytes.some(byte => byte !== 0)
  } finally {
    file.closeSync()
  }
}
