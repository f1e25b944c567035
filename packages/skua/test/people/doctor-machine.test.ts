import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { machineNet, SimClock } from '@skua-mq/runtime'
import { machineFindings, machineReport } from '../../src/command/people/doctor/machine.ts'
import { netView } from '../../src/command/people/doctor/net-view.ts'

const servers = new Map([[10_911, 'broker-a']])

test('doctor --net: a lossy network, out of two readings of what Linux tells', async () => {
  const root = mkdtempSync(join(tmpdir(), 'skua-proc-'))
  mkdirSync(join(root, 'net'))
  const write = (file: string, text: string) => writeFileSync(join(root, 'net', file), text)
  const titles = 'Inter-|   Receive    |  Transmit\n face |bytes packets errs\n'
  const traffic = (bytes: number) =>
    write('dev', `${titles}  eth0: ${bytes} 1 0 0 0 0 0 0 ${2 * bytes} 1 0 0 0 0 0 0\n`)
  const tcp = (out: number, again: number) =>
    write('snmp', `Ip: A\nIp: 1\nTcp: RtoAlgorithm OutSegs RetransSegs InErrs\nTcp: 1 ${out} ${again} 0\n`)
  write('tcp', '  sl  local\n   0: 0100007F:2A9F 0100007F:D431 01 00010000:00000000 00:0 0 0 0 0 1\n')
  try {
    const clock = new SimClock()
    traffic(1000)
    tcp(100, 10)
    const asked = machineReport(() => machineNet(root), clock, servers)
    traffic(6000)
    tcp(1100, 60)
    clock.advance(1000)
    const report = await asked
    assert.deepEqual(report.interfaces, [{ name: 'eth0', inPerSecond: 5000, outPerSecond: 10_000 }])
    const [port] = report.ports!
    assert.deepEqual(port, {
      ...{ port: 10_911, server: 'broker-a', states: { ESTABLISHED: 1 } },
      ...{ fullestSendQueue: 65_536, fullSendQueues: 1 },
    })
    assert.deepEqual(
      machineFindings(report).map(({ check, sentence }) => `${check}: ${sentence.slice(0, 58)}`),
      [
        'send queues: 1 connections of port 10911 (broker-a) have a full send qu',
        'retransmits: this machine sends 50 of 1000 TCP segments a second again:',
      ],
    )
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('doctor --net: where there is no /proc, what is missing is named', async () => {
  const clock = new SimClock()
  const asked = machineReport(() => machineNet('/nowhere'), clock, servers)
  clock.advance(1000)
  const report = await asked
  assert.deepEqual(machineFindings(report), [])
  const shown = netView({ ...report, links: [] }).flatMap(({ lines }) => lines)
  assert.deepEqual(
    shown.filter(line => line.startsWith('unavailable')),
    [
      'unavailable on this machine: bytes of interfaces (/proc/net/dev)',
      'unavailable on this machine: connections (/proc/net/tcp)',
      'unavailable on this machine: retransmits (/proc/net/snmp)',
    ],
  )
})
