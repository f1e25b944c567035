/** What a process takes of its machine. */
export interface ProcessUse {
  readonly residentBytes: number
  /** Of JavaScript, in use; and of buffers outside of its heap. */
  readonly heapBytes: number
  readonly externalBytes: number
  /** All threads, since the start. */
  readonly cpuSeconds: number
}

/** What one process can learn about itself and the others of its machine. */
export interface ProcessFacts {
  readonly pid: number
  /** Names the time since the machine started; empty where the system does not tell, which equals no other. */
  readonly bootId: string
  /** Names this run of the process: pid and start time may be those of the run before, in a container. Absent: not told. */
  readonly instance?: string
  /** Most descriptors that this process may have open; undefined where the system does not tell. */
  readonly descriptorLimit?: number | undefined
  /** Absent: not told. */
  use?(): ProcessUse
  /** When a process started, in the system's own words; undefined when there is no such process. */
  startedAt(pid: number): string | undefined
  /** The process that holds an fcntl lock on a file, as Java does on its store; undefined when none does. */
  lockHolder(path: string): number | undefined
}
