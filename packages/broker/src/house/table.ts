import type { Service } from '@skua-mq/runtime'

/** What a broker remembers. */
export interface Table {
  /** Reads its file, with an open store. Throws where it is there and cannot be read. */
  load?(): void
  /** All tables are loaded. */
  start?(): void
  /** Writes what is not written, and begins nothing more. */
  stop?(): void
  /** As at a stop, while all goes on: for a process that is about to end without one. Errors are events. */
  save?(): void
  /** Forgets who has been silent for too long. */
  expire?(): void
}

/** The tables as a part of the broker. One that fails to stop keeps none of the others from it. */
export function tablesService(tables: readonly Table[]): Service {
  return {
    name: 'tables',
    start: async () => {
      for (const table of tables) table.load?.()
      for (const table of tables) table.start?.()
    },
    stop: async () => {
      const failures: unknown[] = []
      for (const table of [...tables].reverse()) {
        try {
          table.stop?.()
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}
