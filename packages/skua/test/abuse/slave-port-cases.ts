import { type AbuseCase, pause } from './case.ts'

function report(offset: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(offset))
  return bytes
}

/** What reaches the port of the slaves, one behind the broker's own. */
export const slavePortCases: readonly AbuseCase[] = [
  {
    name: 'a crowd at the port of the slaves that never reads',
    config: { brokerRole: 'ASYNC_MASTER' },
    mostGrowthMiB: 200,
    abuse: async target => {
      const sockets = await target.openAll(300, target.ports.broker + 1)
      for (const socket of sockets) {
        socket.pause()
        socket.write(report(0))
      }
      await pause(300)
      for (const socket of sockets) socket.destroy()
    },
  },
  {
    name: 'reports at the port of the slaves that cannot be',
    mostGrowthMiB: 100,
    abuse: async target => {
      const sockets = await target.openAll(50, target.ports.broker + 1)
      for (const [i, socket] of sockets.entries()) {
        socket.write(i % 2 === 0 ? Buffer.alloc(100_001, 0xff) : report(Number.MAX_SAFE_INTEGER))
      }
      await pause(100)
      for (const socket of sockets) socket.destroy()
    },
  },
]
