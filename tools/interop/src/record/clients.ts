import { aliOns } from '../ali-ons.ts'
import type { Driver } from '../driver.ts'
import { goClient } from '../go-client.ts'
import { javaClient } from '../java-client.ts'
import type { ReferenceVersion } from '../reference/jars.ts'
import { type Job, litePulls, pulls, pushes, sends } from './job.ts'

/** A client whose basic job is recorded, in a fresh process for each job. */
export interface RecordedClient {
  readonly name: string
  open(): Promise<Driver>
  /** It does not ask for topics to be created. */
  readonly needsTopic?: true
  readonly jobs: readonly { readonly job: Job; readonly server: ReferenceVersion }[]
}

const against = (server: ReferenceVersion, ...jobs: Job[]) => jobs.map(job => ({ job, server }))
const javaSends = sends(['sync', 'async', 'oneway', 'batch-java', 'sync'])

export const recordedClients: readonly RecordedClient[] = [
  {
    name: 'java-4.9.8',
    open: () => javaClient('4.9.8'),
    jobs: against('4.9.7', javaSends, pushes, pulls, litePulls),
  },
  {
    name: 'java-5.3.3',
    open: () => javaClient('5.3.3'),
    // Its lite pull asks with code 361, which 4.9 does not know.
    jobs: [...against('4.9.7', javaSends, pushes, pulls), ...against('5.3.3', litePulls)],
  },
  {
    name: 'go-2.1.2',
    open: () => goClient(),
    jobs: against('4.9.7', sends(['sync', 'async', 'oneway', 'batch', 'sync']), pushes),
  },
  // The same once more against 5.3.3, for the dialect of that name.
  {
    name: 'java-4.9.8-at-5.3.3',
    open: () => javaClient('4.9.8'),
    jobs: against('5.3.3', javaSends, pushes, litePulls),
  },
  {
    name: 'java-5.3.3-at-5.3.3',
    open: () => javaClient('5.3.3'),
    jobs: against('5.3.3', javaSends, pushes, pulls),
  },
  {
    name: 'go-2.1.2-at-5.3.3',
    open: () => goClient(),
    jobs: against('5.3.3', sends(['sync', 'async', 'oneway', 'batch', 'sync']), pushes),
  },
  {
    name: 'ali-ons-3.12.0',
    open: () => aliOns(),
    needsTopic: true,
    jobs: against('4.9.7', sends(['sync', 'sync']), pushes),
  },
]
