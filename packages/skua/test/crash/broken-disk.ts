import type { DiskFaults, SimRandom } from '@skua-mq/runtime'

/** Something goes wrong with a disk, until its faults are cleared. */
export function breakDisk(faults: DiskFaults, random: SimRandom): void {
  const dice = random.int(5)
  if (dice === 0) faults.fail({ on: 'sync', code: 'EIO', times: 1 + random.int(2) })
  else if (dice === 1) faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1 + random.int(3) })
  else if (dice === 2) faults.fail({ on: 'write', code: 'EIO', path: 'config', times: 1 + random.int(3) })
  else if (dice === 3) faults.fail({ on: 'names', code: 'EIO', skip: random.int(4), times: 1 })
  else faults.bytesUntilFull = random.int(5000)
}
