import { type DiskError, Failure, NodeDisk } from '@skua-mq/runtime'
import { parse } from 'yaml'

/** What Apache's tools.yml says of who asks. */
export interface ToolsKeys {
  readonly accessKey: string | undefined
  readonly secretKey: string | undefined
}

const none: ToolsKeys = { accessKey: undefined, secretKey: undefined }

/** Keys of the file, as texts: `yes` and `1234567` are no booleans and numbers here. */
export function toolsFile(path: string): ToolsKeys {
  let bytes: Buffer
  try {
    bytes = Buffer.from(new NodeDisk().readFile(path))
  } catch (error) {
    if ((error as DiskError).code === 'ENOENT') return none
    throw error
  }
  try {
    const read = parse(bytes.toString('utf8'), { schema: 'failsafe' }) as Record<string, unknown> | null
    const text = (key: string): string | undefined => {
      const value = read?.[key]
      return typeof value === 'string' && value !== '' ? value : undefined
    }
    return { accessKey: text('accessKey'), secretKey: text('secretKey') }
  } catch (error) {
    throw new Failure('ECONFIG', `${path}: ${(error as Error).message.split('\n', 1)[0]}`)
  }
}
