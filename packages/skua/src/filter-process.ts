import { type ChildProcess, spawn } from 'node:child_process'
import type { FilterProcess, FilterProcessPlan } from '@skua-mq/broker'
import { commandPath } from './command-path.ts'

/** How long a filter server may take to end before it is killed. */
const stopPatienceMs = 3000

/** A filter server as a process of its own, so that a filter can take no more than that process. */
export function startFilterProcess(plan: FilterProcessPlan): FilterProcess {
  const child = spawn(process.execPath, [commandPath(), ...argumentsOf(plan)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return new ChildFilterProcess(child)
}

class ChildFilterProcess implements FilterProcess {
  private readonly child: ChildProcess
  private readonly ended: Promise<string>

  constructor(child: ChildProcess) {
    this.child = child
    this.ended = new Promise(resolve => {
      child.once('error', error => resolve(error.message))
      child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`))
    })
  }

  onEnd(run: (why: string) => void): void {
    this.ended.then(run)
  }

  async stop(): Promise<void> {
    const patience = setTimeout(() => this.child.kill('SIGKILL'), stopPatienceMs)
    this.child.kill('SIGTERM')
    await this.ended
    clearTimeout(patience)
  }
}

function argumentsOf(plan: FilterProcessPlan): string[] {
  const flags = {
    '--broker': plan.brokerAddr,
    '--bind': plan.bindAddress,
    '--call-timeout-ms': plan.callTimeoutMs,
    '--memory-bytes': plan.memoryBytes,
  }
  return ['filterserver', ...Object.entries(flags).flatMap(([flag, value]) => [flag, String(value)])]
}
