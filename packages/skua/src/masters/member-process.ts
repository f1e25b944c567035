import { type ChildProcess, spawn } from 'node:child_process'
import { commandPath } from '../command-path.ts'
import { isMemberWord, type MemberWord } from './word.ts'

/** A broker of a family as a process, of whatever makes it. */
export interface MemberProcess {
  readonly pid: number | undefined
  /** Resolves at its end with how it ended; never rejects. */
  readonly ended: Promise<string>
  onWord(hear: (word: MemberWord) => void): void
  /** SIGTERM: a clean end. Nothing happens to one that has ended. */
  terminate(): void
}

/**
 * Starts the built command with these arguments. Its lines come where those of this process go; it ends with this process, however that
 * ends, since the channel between them ends then.
 */
export const startMemberProcess = (args: readonly string[]): MemberProcess =>
  new ChildMember(
    spawn(process.execPath, [...process.execArgv, commandPath(), ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  )

class ChildMember implements MemberProcess {
  readonly ended: Promise<string>
  private readonly child: ChildProcess

  constructor(child: ChildProcess) {
    this.child = child
    this.ended = new Promise(resolve => {
      child.once('error', error => resolve(error.message))
      child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`))
    })
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  onWord(hear: (word: MemberWord) => void): void {
    this.child.on('message', word => {
      if (isMemberWord(word)) hear(word)
    })
  }

  terminate(): void {
    this.child.kill('SIGTERM')
  }
}
