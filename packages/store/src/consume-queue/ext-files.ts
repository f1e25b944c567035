import type { OpenFile } from '../file/open-files.ts'
import { SizedFiles } from './sized-files.ts'

/** The files of ConsumeQueueExt: `root/TOPIC/QUEUEID/N{20}`. What is not there reads as nothing. */
export class ExtFiles extends SizedFiles {
  protected override existing(path: string): OpenFile | undefined {
    try {
      return this.files.acquire(path)
    } catch (error) {
      if (this.disk.stat(path) === undefined) return undefined
      throw error
    }
  }
}
