import { runMqadmin } from '../../src/command/mqadmin/mqadmin.ts'

/** What a command line did. */
export interface Ran {
  readonly exitCode: number
  readonly output: string
  readonly errors: string
}

/** Runs `mqadmin` in this process; `line` is split at blanks, as a shell does with what is not quoted. */
export async function mqadmin(line: string | readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  let output = ''
  let errors = ''
  const out = (text: string) => {
    output += text
    return undefined
  }
  const error = (text: string) => {
    errors += text
  }
  const args = typeof line === 'string' ? line.split(' ').filter(word => word !== '') : line
  const exitCode = await runMqadmin(args, { env, terminal: { out, error } })
  return { exitCode, output, errors }
}
