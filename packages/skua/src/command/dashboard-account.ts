import { createInterface } from 'node:readline'
import { accountLine, type Role } from '@skua-mq/dashboard'
import { NodeDisk } from '@skua-mq/runtime'

export interface DashboardAccountCommand {
  readonly file: string
  readonly name: string
  readonly role: Role
}

/** `skua dashboard-account FILE NAME`: adds an account, or gives it another password; the password comes by standard input. */
export async function runDashboardAccount({ file, name, role }: DashboardAccountCommand): Promise<void> {
  if (process.stdin.isTTY) process.stderr.write(`Password of ${name} (it is shown; or pipe it in): `)
  const password = await firstLine()
  const line = await accountLine({ name, role, password })
  const disk = new NodeDisk()
  const before = disk.stat(file) === undefined ? '' : disk.readFile(file).toString('utf8')
  const others = before.split('\n').filter(one => one !== '' && !one.startsWith(`${name}:`))
  // Another file takes its place, so that nobody reads half of it.
  disk.writeFile(`${file}.new`, Buffer.from(`${[...others, line].join('\n')}\n`))
  disk.rename(`${file}.new`, file)
  process.stdout.write(`${name} may ${role === 'admin' ? 'look and change' : 'look'}: ${file}\n`)
}

async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin })
  for await (const line of lines) {
    lines.close()
    return line
  }
  throw new Error('no password came by standard input')
}
